//! Stamps: a packed file that was checked is not checked again, until it changes or that is asked for.
#![cfg(unix)]
use crate::support::command::{good, hogwild, message, settle};
use hogwild::{Error, data::ReadOptions};
use serde_json::Value;
use std::{
    fs,
    io::{ErrorKind, Seek, SeekFrom, Write},
    path::Path,
    sync::Mutex,
};

/// Trains; whether the file was taken as checked before.
fn checked_before(folder: &Path, options: &str) -> bool {
    good(folder, &format!("train big.safetensors --epochs 1 --lr 0.1 --threads 1 --rank 4 --quiet --log log.jsonl {options}"));
    let log = fs::read_to_string(folder.join("log.jsonl")).unwrap();
    let start: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    start["checked_before"].as_bool().unwrap()
}

fn records(folder: &Path) -> usize {
    fs::read_dir(folder.join("cache/checked")).map_or(0, Iterator::count)
}

/// Packed data of more than sixteen megabytes, left alone for some time.
fn packed(folder: &Path, synth: &str) {
    good(folder, &format!("synth {synth} -o text"));
    good(folder, "pack text -o big.safetensors");
    settle();
}

fn write_at(path: &Path, at: u64, byte: u8) {
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte]).unwrap();
}

#[test]
fn rows_are_checked_once_until_they_change() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    packed(folder, "clicks --rows 120000");
    assert!(!checked_before(folder, "--no-cache") && records(folder) == 0);
    assert!(!checked_before(folder, "--out first.safetensors") && records(folder) == 1);
    assert!(checked_before(folder, "--out second.safetensors") && records(folder) == 1);
    assert!(fs::read(folder.join("first.safetensors")).unwrap() == fs::read(folder.join("second.safetensors")).unwrap());
    assert!(!checked_before(folder, "--check always"));
    assert!(!checked_before(folder, "--no-cache"));
    assert!(checked_before(folder, "--check once"));

    // Half of a record's own number: it is not believed.
    let record = fs::read_dir(folder.join("cache/checked")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&record).unwrap();
    assert!(text.contains("\"longest_row\":39"), "{text}");
    fs::write(&record, text.replace("\"longest_row\":39", "\"longest_row\":3")).unwrap();
    assert!(!checked_before(folder, "--out third.safetensors") && checked_before(folder, ""));
    assert!(fs::read(folder.join("first.safetensors")).unwrap() == fs::read(folder.join("third.safetensors")).unwrap());

    // One bit of a label; then the time of modification is what it was.
    let big = folder.join("big.safetensors");
    let (length, modified) = fs::metadata(&big).map(|found| (found.len(), found.modified().unwrap())).unwrap();
    let byte = fs::read(&big).unwrap()[length as usize - 1];
    write_at(&big, length - 1, byte ^ 1);
    fs::File::options().write(true).open(&big).unwrap().set_modified(modified).unwrap();
    for _ in 0..2 {
        let refused = hogwild(folder, "train big.safetensors --epochs 1");
        assert!(refused.status.code() == Some(2) && message(&refused).contains("is damaged"), "{refused:?}");
        assert_eq!(records(folder), 0);
    }
    write_at(&big, length - 1, byte);
    // What has changed just now may change again unseen.
    assert!(!checked_before(folder, "") && records(folder) == 0);
    settle();
    assert!(!checked_before(folder, "") && checked_before(folder, ""));

    // Another file in its place, though a good one; and another place of the same file.
    fs::rename(&big, folder.join("old.safetensors")).unwrap();
    fs::copy(folder.join("old.safetensors"), &big).unwrap();
    assert!(!checked_before(folder, ""));
}

#[test]
fn ratings_are_checked_once_and_small_files_always() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    packed(folder, "ratings --rows 1500000");
    assert!(!checked_before(folder, "--out first.safetensors"));
    assert!(checked_before(folder, "--out second.safetensors"));
    assert!(fs::read(folder.join("first.safetensors")).unwrap() == fs::read(folder.join("second.safetensors")).unwrap());
    // What is no record is none.
    let record = fs::read_dir(folder.join("cache/checked")).unwrap().next().unwrap().unwrap().path();
    fs::write(&record, "{\"file\": 3").unwrap();
    assert!(!checked_before(folder, "") && checked_before(folder, ""));

    packed(folder, "text --rows 1000");
    assert!(!checked_before(folder, "") && !checked_before(folder, ""));
}

#[test]
fn a_check_tells_how_far_it_is_and_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["text --rows 100", "ratings"] {
        good(folder.path(), &format!("synth {kind} -o text"));
        good(folder.path(), "pack text -o small.safetensors");
        let path = folder.path().join("small.safetensors");
        let told = Mutex::new((0, None));
        let open = |wanted| {
            let progress = |done, total| {
                let mut told = told.lock().unwrap();
                *told = (told.0.max(done), total);
                wanted
            };
            ReadOptions::new().progress(&progress).open(std::slice::from_ref(&path)).map(|opened| opened.data)
        };
        assert!(!open(true).unwrap().was_checked_before());
        let (done, total) = *told.lock().unwrap();
        assert_eq!(Some(done), total, "{kind}");
        let Err(Error::Io { source, .. }) = open(false) else { panic!("{kind}: not stopped") };
        assert_eq!(source.kind(), ErrorKind::Interrupted);
    }
}
