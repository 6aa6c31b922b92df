//! What happens around a run, and must not take it away: readers and terminals that go, full disks, signals, files that change or are cut
//! short, a system without threads or memory.
#![cfg(unix)]
use crate::support::command::{self, command, good, hogwild, message, signal, start, start_training, until};
use std::{fs, os::unix::ffi::OsStrExt, process::Command, process::Stdio, time::SystemTime};

const TRAIN: &str = "train DATA/reviews.train.svm --threads 1 --lr 0.3 --epochs 3 --out m.safetensors";

#[test]
fn nobody_need_read_what_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut child = start(at, TRAIN);
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success() && fs::remove_file(at.join("m.safetensors")).is_ok());
    if let Ok(full) = fs::File::options().write(true).open("/dev/full") {
        assert!(command(at, TRAIN).stderr(full).status().unwrap().success() && at.join("m.safetensors").exists());
    }
    let mut wrong = start(at, "train nothing.svm");
    drop(wrong.stderr.take());
    assert_eq!(wrong.wait().unwrap().code(), Some(2));
}

#[test]
fn a_terminal_that_closes_ends_a_run_with_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start_training(folder.path(), "DATA/reviews.train.svm --out m.safetensors");
    drop(child.stderr.take());
    // The system tells the shell too, which tells its jobs again.
    signal(&child, "HUP");
    let _ = Command::new("kill").args(["-HUP", &child.id().to_string()]).output();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    good(folder.path(), "eval m.safetensors DATA/reviews.test.svm");
}

#[test]
fn results_arrive_whole_or_the_command_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    good(at, TRAIN);
    for line in [
        "eval m.safetensors DATA/reviews.test.svm",
        "eval m.safetensors DATA/reviews.test.svm --json",
        "predict m.safetensors DATA/reviews.test.svm",
        "pack DATA/reviews.test.svm -o d.safetensors",
        "inspect m.safetensors",
        "synth text --rows 5000",
        "cache list",
        "help train",
        "--version",
    ] {
        let mut child = start(at, line);
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && !message(&output).contains("panicked"), "{line}: {}", message(&output));
        if let Ok(full) = fs::File::options().write(true).open("/dev/full") {
            let output = command(at, line).stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
            let said = message(&output);
            assert!(output.status.code() == Some(2) && said.contains("standard output"), "{line}: {said}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_need_not_be_utf8() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let name = |bytes: &[u8]| at.join(std::ffi::OsStr::from_bytes(bytes));
    fs::copy(format!("{}/reviews.test.svm", command::DATA), name(b"n\xff.svm")).unwrap();
    let mut train = command(at, "train --lr 0.3 --epochs 1");
    train.arg(name(b"n\xff.svm")).arg("--valid").arg(name(b"n\xff.svm"));
    let output = train.arg("--out").arg(name(b"m\xfe")).arg("--log").arg(name(b"l\xfd")).output().unwrap();
    assert!(output.status.success(), "{}", message(&output));
    let log = fs::read_to_string(name(b"l\xfd")).unwrap();
    let start: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert!(start["data"][0].as_str().unwrap().ends_with("n\u{fffd}.svm") && name(b"m\xfe").is_file(), "{start}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_ends_what_waits_for_a_pipe_and_a_second_one_ends_anything() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert!(Command::new("mkfifo").arg(at.join("pipe")).status().unwrap().success());
    for line in ["train pipe --quiet", "pack pipe -o x.safetensors"] {
        let child = start(at, line);
        command::until_it_listens(&child);
        signal(&child, "INT");
        let output = child.wait_with_output().unwrap();
        assert!(output.status.code() == Some(130), "{line}: {}", message(&output));
    }
    // Opened for writing it waits for a reader, and nobody looks at the first signal.
    let mut child = start(at, "train DATA/reviews.train.svm --quiet --log pipe --out m.safetensors");
    let packed = || fs::read_dir(at.join("cache")).is_ok_and(|cache| cache.count() >= 2);
    until("packing", packed);
    std::thread::sleep(std::time::Duration::from_millis(500));
    signal(&child, "INT");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "it does not wait for the pipe");
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_file_that_is_only_touched_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    good(at, "pack DATA/reviews.train.svm -o d.safetensors");
    let packed = fs::File::options().append(true).open(at.join("d.safetensors")).unwrap();
    let stopped = |child: std::process::Child| {
        signal(&child, "INT");
        child.wait_with_output().unwrap()
    };
    let child = start_training(at, "d.safetensors --out m.safetensors");
    packed.set_modified(SystemTime::now()).unwrap();
    let output = stopped(child);
    assert!(output.status.code() == Some(130) && !message(&output).contains("changed"), "{}", message(&output));
    good(at, "eval m.safetensors DATA/reviews.test.svm");

    // One label is another: the model is kept, but not as what was asked for.
    let child = start_training(at, "d.safetensors --out n.safetensors");
    let whole = fs::read(at.join("d.safetensors")).unwrap();
    let (last, end) = whole.split_last_chunk::<4>().map(|(_, last)| (f32::from_le_bytes(*last), whole.len() as u64 - 4)).unwrap();
    let file = fs::File::options().write(true).open(at.join("d.safetensors")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &(-last).to_le_bytes(), end).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
    let output = stopped(child);
    assert!(output.status.code() == Some(2) && message(&output).contains("d.safetensors: the file changed"), "{}", message(&output));
    assert!(!at.join("n.safetensors").exists());
    good(at, "eval n.changed.safetensors DATA/reviews.test.svm");
}

#[test]
fn a_file_cut_short_ends_a_run_with_its_name_and_the_last_good_model() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (line, cut) in [
        ("d.safetensors --out m.safetensors", "d.safetensors"),
        ("d.safetensors --out m.safetensors --batch 500", "d.safetensors"),
        ("d.safetensors --out m.safetensors --normalize max-abs", "d.safetensors"),
        ("DATA/reviews.train.svm --valid d.safetensors --out m.safetensors", "d.safetensors"),
    ] {
        good(at, "pack DATA/reviews.train.svm -o d.safetensors");
        let _ = fs::remove_file(at.join("m.safetensors"));
        let child = start_training(at, line);
        fs::File::options().write(true).open(at.join(cut)).unwrap().set_len(1 << 15).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = message(&output);
        assert!(output.status.code() == Some(2) && said.contains(&format!("{cut}: was cut short")), "{line}: {said}");
        good(at, "eval m.safetensors DATA/reviews.test.svm");
    }
}

/// What is scored, or copied to be trained on, is an error too and no number.
#[test]
fn nothing_is_scored_from_a_file_cut_short() {
    use hogwild::{Settings, TrainedModel, data::Data, train_factorization};
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (data, options) in [("reviews.train.svm", ""), ("ratings.train.tsv", "--rank 4")] {
        good(at, &format!("pack DATA/{data} -o d.safetensors"));
        good(at, &format!("train d.safetensors --threads 1 --lr 0.1 --epochs 1 --quiet --out m.safetensors {options}"));
        let (model, packed) = (TrainedModel::open(&at.join("m.safetensors")).unwrap(), Data::open(at.join("d.safetensors")).unwrap());
        model.score(&packed).unwrap();
        // Behind the ids, which are not read through the mapping.
        let length = fs::metadata(at.join("d.safetensors")).unwrap().len();
        fs::File::options().write(true).open(at.join("d.safetensors")).unwrap().set_len(length / 2).unwrap();
        let refused = model.score(&packed).unwrap_err().to_string();
        assert!(refused.contains("d.safetensors: was cut short"), "{refused}");
        if let Data::Ratings(ratings) = &packed {
            let settings = Settings { lr: Some(0.1), rank: 4, ..Settings::for_ratings() };
            let refused = train_factorization(ratings, None, &settings, &mut (), &Default::default()).unwrap_err().to_string();
            assert!(refused.contains("d.safetensors: was cut short"), "{refused}");
        }
    }
}

/// In a process of its own, as its user's processes are limited.
#[cfg(target_os = "linux")]
#[test]
fn without_threads_there_is_a_sentence() {
    let is_root = String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap().trim() == "0";
    let setpriv = ["setpriv", "--reuid=65534", "--clear-groups"];
    if is_root && Command::new(setpriv[0]).args(&setpriv[1..]).args(["test", "-x", env!("CARGO_BIN_EXE_hogwild")]).status().is_err() {
        eprintln!("skipped: root's processes are not limited, and setpriv is not here");
        return;
    }
    let train = format!("train '{}/reviews.test.svm' --no-cache --lr 0.3 --epochs 1 --quiet", command::DATA);
    // One thread is the command's own; what several would share for speed alone, it does by itself.
    for (line, is_refused) in [
        (format!("{train} --threads 1"), false),
        (train.clone(), false),
        ("synth text --rows 2000 --threads 2".to_string(), false),
        (format!("{train} --threads 2"), true),
    ] {
        let script = format!("ulimit -u 1; exec '{}' {line}", env!("CARGO_BIN_EXE_hogwild"));
        let mut words = if is_root { setpriv.to_vec() } else { Vec::new() };
        words.extend(["bash", "-c", &script]);
        let output = Command::new(words[0]).args(&words[1..]).current_dir("/").env_remove("HOGWILD_CACHE").output().unwrap();
        let said = message(&output);
        let code = if is_refused { 2 } else { 0 };
        assert!(
            output.status.code() == Some(code) && said.contains("ulimit -u") == is_refused && !said.contains("panicked"),
            "{line}: {said}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn parameters_that_do_not_fit_are_refused_with_the_figures() {
    let folder = tempfile::tempdir().unwrap();
    let free = hogwild::memory::available().unwrap();
    // At rank 4096 a row takes 16 KB, and 16 KB in each copy of the model.
    let rows = 2 * free / (3 * 16_384);
    if rows > 4_000_000 {
        eprintln!("skipped: there is so much memory that the text would be large");
        return;
    }
    let text: String = (0..rows / 2).map(|i| format!("{i}\t{i}\t3\n{i}\t{}\t4\n", i / 2)).collect();
    fs::write(folder.path().join("r.tsv"), text).unwrap();
    let output = hogwild(folder.path(), "train r.tsv --rank 4096 --lr 0.1 --out m.safetensors");
    let said = message(&output);
    assert!(output.status.code() == Some(2) && said.contains(" of memory, and ") && said.contains("--rank"), "{said}");
    assert!(!folder.path().join("m.safetensors").exists());
}

#[test]
fn sizes_of_synthetic_data_that_overflow_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let most = u64::MAX;
    for (line, option) in [
        (format!("synth text --rows 2 --nonzeros {most} --features {most}"), "--features"),
        ("synth text --rows 2 --nonzeros 9000000000000000 --features 9000000000000000".to_string(), "--nonzeros"),
        (format!("synth clicks --rows 2 --features {most}"), "--features"),
        (format!("synth ratings --rows 2 --users {most}"), "--users"),
        (format!("synth ratings --rows 2 --items {most}"), "--items"),
        (format!("synth uniform --rows {most} --start-row 2"), "--start-row"),
    ] {
        let output = hogwild(folder.path(), &format!("{line} -o z.svm"));
        let said = message(&output);
        assert!(output.status.code() == Some(2) && said.contains(option) && !said.contains("panicked"), "{line}: {said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{line}");
    }
    let most = 1u64 << 53;
    good(folder.path(), &format!("synth ratings --rows 20 --users {most} --items {most}"));
    good(folder.path(), &format!("synth clicks --rows 20 --features {most}"));
    good(folder.path(), &format!("synth uniform --rows 20 --features {most}"));
}
