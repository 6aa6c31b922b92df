//! The command as a process in a folder of its own: for tests of what it leaves behind, whatever happens to it.
use super::shared;
use std::{
    fs,
    io::Write,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

pub const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data");

/// Waits until what was just written is old enough to be kept in the cache, or as checked.
pub fn settle() {
    std::thread::sleep(Duration::from_millis(2300));
}

/// A command that is yet to be started. DATA stands for the project's own data.
pub fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hogwild"));
    command.args(line.replace("DATA", DATA).split_whitespace());
    command.env("HOGWILD_CACHE", folder.join("cache")).current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn hogwild(folder: &Path, line: &str) -> Output {
    let _turn = shared();
    command(folder, line).output().unwrap()
}

/// Runs it to its end with something on standard input, which it need not read.
pub fn given(folder: &Path, line: &str, input: impl AsRef<[u8]>) -> Output {
    let _turn = shared();
    let mut child = command(folder, line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_ref());
    child.wait_with_output().unwrap()
}

/// Its exit code, standard output and standard error.
pub fn parts(output: &Output) -> (Option<i32>, String, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), message(output))
}

/// What it printed; it must have gone well.
pub fn good(folder: &Path, line: &str) -> String {
    let output = hogwild(folder, line);
    assert!(output.status.success(), "{line}: {}", message(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// What it said on standard error; it must have gone well.
pub fn said(folder: &Path, line: &str) -> String {
    let output = hogwild(folder, line);
    assert!(output.status.success(), "{line}: {}", message(&output));
    message(&output)
}

/// What an ended command said on standard error.
pub fn message(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Starts it, with pipes.
pub fn start(folder: &Path, line: &str) -> Child {
    command(folder, line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Starts a run that would not end by itself, and waits until it has done two epochs.
pub fn start_training(folder: &Path, line: &str) -> Child {
    let _ = fs::remove_file(folder.join("log.jsonl"));
    let threads = if line.contains("--threads") { "" } else { "--threads 1" };
    let mut child = start(folder, &format!("train {line} {threads} --lr 0.1 --epochs 1000000 --log log.jsonl --quiet"));
    let epochs = || fs::read_to_string(folder.join("log.jsonl")).map_or(0, |log| log.matches("\"event\":\"epoch\"").count());
    until("two epochs", || {
        assert!(child.try_wait().unwrap().is_none(), "{line}: it has ended");
        epochs() >= 2
    });
    child
}

/// Waits for something that is sure to come.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(120), "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a signal, by its name.
#[cfg(unix)]
pub fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap().success());
}

/// Waits until a process has a handler for Ctrl-C.
#[cfg(target_os = "linux")]
pub fn until_it_listens(child: &Child) {
    until("a handler", || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & 2 != 0
    });
}
