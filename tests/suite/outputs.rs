//! Nothing that exists is lost: outputs that are inputs, two outputs that are one file, runs that end before their time.
use crate::support::command::{self, good, hogwild, message};
use std::fs;

#[test]
fn an_output_that_is_an_input_or_another_output_is_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("sub")).unwrap();
    good(at, "train DATA/reviews.test.svm --lr 0.3 --epochs 1 --threads 1 --out m.safetensors --quiet");
    good(at, "pack DATA/reviews.test.svm -o d.safetensors");
    fs::copy(format!("{}/reviews.test.svm", command::DATA), at.join("d.svm")).unwrap();
    fs::hard_link(at.join("d.svm"), at.join("hard.svm")).unwrap();
    fs::copy(at.join("d.svm"), at.join("text.safetensors")).unwrap();
    fs::hard_link(at.join("text.safetensors"), at.join("text.svm")).unwrap();
    let contents = || ["d.svm", "d.safetensors", "m.safetensors", "text.svm"].map(|name| fs::read(at.join(name)).unwrap());
    let before = contents();
    for (line, option) in [
        ("train d.svm --log d.svm", "--log d.svm"),
        ("train d.svm --out sub/../d.svm", "--out sub/../d.svm"),
        ("train hard.svm --out d.svm", "--out d.svm"),
        ("train d.safetensors --log ./d.safetensors", "--log ./d.safetensors"),
        ("train DATA/reviews.test.svm d.svm --plot hard.svm", "--plot hard.svm"),
        ("train DATA/reviews.test.svm --valid d.svm --out d.svm", "--out d.svm"),
        ("train d.svm --out new --log ./new", "--log ./new"),
        ("train d.svm --out new --plot sub/../new", "--plot sub/../new"),
        ("predict m.safetensors d.svm -o d.svm", "--out d.svm"),
        ("predict m.safetensors d.svm -o ./m.safetensors", "--out ./m.safetensors"),
        ("pack text.svm -o text.safetensors", "--out text.safetensors"),
        ("bench d.svm --plot ./hard.svm", "--plot ./hard.svm"),
    ] {
        let output = hogwild(at, line);
        assert!(output.status.code() == Some(2) && message(&output).contains(option), "{line}: {}", message(&output));
        assert!(contents() == before && !at.join("new").exists() && !at.join("cache").join("checked").exists(), "{line}");
    }
    // Devices may be anything at once.
    #[cfg(unix)]
    good(at, "train d.svm --lr 0.3 --epochs 1 --log /dev/null --out new --quiet");
}

/// The data are not there: what is wrong with the output is found before they are looked for.
#[cfg(unix)]
#[test]
fn an_output_that_is_no_file_is_refused_before_the_data_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    good(at, "train DATA/reviews.test.svm --lr 0.3 --epochs 1 --threads 1 --out m.safetensors --quiet");
    std::os::unix::fs::symlink("/dev/null", at.join("null.safetensors")).unwrap();
    for line in [
        "train none.svm --out null.safetensors",
        "train none.svm --plot null.safetensors",
        "predict m.safetensors none.svm -o null.safetensors",
        "bench none.svm --plot null.safetensors",
        "pack none.svm -o null.safetensors",
    ] {
        let output = hogwild(at, line);
        let refused = message(&output).contains("null.safetensors: is a device or pipe; name a file to write");
        assert!(output.status.code() == Some(2) && refused, "{line}: {}", message(&output));
    }
}

/// A run that is stopped, and one that diverges after two good epochs.
#[cfg(unix)]
#[test]
fn what_ended_before_its_time_replaces_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let names = || {
        let names = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.starts_with("m.")).collect();
        names.sort();
        names
    };
    let stopped = |expected: &str| {
        let child = command::start_training(at, "DATA/reviews.train.svm --out m.safetensors");
        command::signal(&child, "INT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", message(&output));
        assert!(message(&output).contains(&format!("written to {expected}\n")), "{}", message(&output));
        good(at, &format!("eval {expected} DATA/reviews.test.svm"));
    };
    stopped("m.safetensors"); // a fresh name
    let first = fs::read(at.join("m.safetensors")).unwrap();
    stopped("m.interrupted.safetensors");
    stopped("m.interrupted-2.safetensors");
    // Each step makes the error half as large again.
    fs::write(at.join("d.svm"), "1 1:1\n-1 1:1\n".repeat(25)).unwrap();
    let output = hogwild(at, "train d.svm --loss squared --rule sgd --lr 1.25 --threads 1 --epochs 9 --out m.safetensors");
    assert_eq!(output.status.code(), Some(1), "{}", message(&output));
    assert!(message(&output).contains("m.safetensors is as it was; model of epoch"), "{}", message(&output));
    good(at, "eval m.diverged.safetensors DATA/reviews.test.svm");
    let all = ["m.diverged.safetensors", "m.interrupted-2.safetensors", "m.interrupted.safetensors", "m.safetensors"];
    assert_eq!((names(), fs::read(at.join("m.safetensors")).unwrap()), (all.map(String::from).to_vec(), first));
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_modes_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (line, made) in [
        ("train DATA/reviews.test.svm --lr 0.3 --epochs 1 --quiet --out link.safetensors", "model"),
        ("pack DATA/reviews.test.svm -o link.safetensors", "packed"),
        ("synth text --rows 10 -o link.safetensors", "synth"),
    ] {
        let _ = fs::remove_file(at.join("link.safetensors"));
        symlink(made, at.join("link.safetensors")).unwrap();
        good(at, line);
        assert!(at.join("link.safetensors").is_symlink() && at.join(made).is_file(), "{line}");
        fs::set_permissions(at.join(made), fs::Permissions::from_mode(0o604)).unwrap();
        good(at, line);
        assert_eq!(fs::metadata(at.join(made)).unwrap().permissions().mode() & 0o777, 0o604, "{line}");
    }
}
