//! `-` as an output is standard output where that can be, and otherwise refused: never a file of that name.
#![cfg(unix)]
use crate::support::command::{command, good, hogwild, message};
use std::{
    fs::{self, File},
    io::{Read, Write},
    process::Stdio,
};

#[test]
fn a_dash_is_standard_output_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.svm"), "1 1:1\n0 2:1\n".repeat(20)).unwrap();
    let quick = "train a.svm --lr 0.1 --threads 1 --quiet";
    let log = good(at, &format!("{quick} --epochs 2 --log -"));
    assert!(log.matches("\"event\":\"epoch\"").count() == 2, "{log}");
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
    for option in ["--out", "--plot"] {
        let refused = hogwild(at, &format!("{quick} {option} -"));
        assert!(refused.status.code() == Some(2) && message(&refused).contains(&format!("{option} -: this cannot be written")));
    }
    assert_eq!(hogwild(at, "pack a.svm -o -").status.code(), Some(2));
    assert!(!at.join("-").exists());
    // Whoever reads the log has enough of it, long before the pipe would take all.
    for name in ["-", "/dev/stdout"] {
        let mut reading = command(at, &format!("{quick} --epochs 3000 --log {name}"));
        let mut child = reading.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 30]).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && message(&output).is_empty(), "{name}: {}", message(&output));
    }
}

/// As `{ echo before; hogwild train .. --log -; } > both.txt` does.
#[test]
fn a_log_on_standard_output_goes_behind_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.svm"), "1 1:1\n0 2:1\n".repeat(20)).unwrap();
    for name in ["-", "/dev/stdout"] {
        let mut out = File::create(at.join("both.txt")).unwrap();
        out.write_all(b"before\n").unwrap();
        let mut training = command(at, &format!("train a.svm --lr 0.1 --threads 1 --quiet --epochs 2 --log {name}"));
        assert!(training.stdout(out).status().unwrap().success());
        let text = fs::read_to_string(at.join("both.txt")).unwrap();
        let log = text.strip_prefix("before\n").unwrap_or_else(|| panic!("{name}: {text}"));
        let events = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].clone());
        assert_eq!(events.collect::<Vec<_>>(), ["start", "epoch", "epoch", "end"], "{name}");
    }
}
