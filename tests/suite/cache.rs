//! The cache folder: what is found again, what is kept, what goes, and text that changes while it is packed.
use crate::support::command::{good, hogwild, message, settle};
use hogwild::data::ReadOptions;
use serde_json::Value;
use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, SystemTime},
};

fn listed(folder: &Path) -> Value {
    serde_json::from_str(&good(folder, "cache list --json")).unwrap()
}

fn count(folder: &Path) -> usize {
    listed(folder)["files"].as_array().unwrap().len()
}

#[cfg(unix)]
#[test]
fn another_text_of_the_same_size_and_time_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
    let write = |text: &str| {
        fs::write(at.join("d.svm"), text.repeat(200)).unwrap();
        File::options().write(true).open(at.join("d.svm")).unwrap().set_modified(long_ago).unwrap();
    };
    write("+1 1:1\n-1 2:1\n");
    settle();
    good(at, "train d.svm --threads 1 --lr 0.5 --out m.safetensors --quiet");
    let accuracy = || serde_json::from_str::<Value>(&good(at, "eval m.safetensors d.svm --json")).unwrap()["accuracy"].clone();
    assert_eq!(accuracy(), 1.0);
    assert_eq!((accuracy(), count(at)), (Value::from(1.0), 1));
    write("-1 1:1\n+1 2:1\n");
    settle();
    assert_eq!((accuracy(), count(at)), (Value::from(0.0), 1));
}

/// What is written next could have the same size and times.
#[test]
fn what_was_just_written_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let write = || fs::write(at.join("d.svm"), "+1 1:1\n-1 2:1\n".repeat(200)).unwrap();
    let train = |options: &str| message(&hogwild(at, &format!("train d.svm --threads 1 --lr 0.5 --epochs 1 {options}")));
    write();
    for _ in 0..2 {
        assert!(train("").contains("not kept: the text changed within two seconds") && count(at) == 0);
        let left = fs::read_dir(at.join("cache")).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(left.collect::<Vec<_>>(), [""; 0]);
        write();
    }
    settle();
    assert!(!train("").contains("not kept:") && count(at) == 1);
    assert!(train("").contains("read from cache"));
    // It makes no room for what is not kept, and another state does not stay for ever.
    write();
    assert!(train("--cache-size 1K").contains("not kept: the text changed") && count(at) == 1);
    fs::write(at.join("d.svm"), "+1 1:1\n-1 2:1\n".repeat(300)).unwrap();
    settle();
    assert!(!train("").contains("not kept:") && count(at) == 1);
    // A time that is to come may be met by another change.
    let to_come = SystemTime::now() + Duration::from_secs(3600);
    File::options().append(true).open(at.join("d.svm")).unwrap().set_modified(to_come).unwrap();
    settle();
    assert!(train("").contains("or later by its time"));
}

/// A file name has so many bytes, not letters.
#[cfg(unix)]
#[test]
fn long_names_of_long_letters_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let names = ["\u{1d4b3}".repeat(60), format!("x{}", "\u{2603}".repeat(80)), "n".repeat(250)];
    for name in &names {
        fs::write(at.join(name), "+1 1:1\n-1 2:1\n".repeat(100)).unwrap();
    }
    settle();
    for (i, name) in names.iter().enumerate() {
        let train = || message(&hogwild(at, &format!("train {name} --threads 1 --lr 0.5 --epochs 1")));
        assert!(!train().contains("temporary file") && count(at) == i + 1, "{name}");
        assert!(train().contains("read from cache"), "{name}");
    }
}

#[test]
fn the_cache_is_listed_cleared_and_kept_small() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let train = |name: &str, options: &str| {
        let output = hogwild(at, &format!("train {name} --threads 1 --lr 0.5 --epochs 1 {options}"));
        assert!(output.status.success(), "{}", message(&output));
        message(&output)
    };
    for name in ["a", "b", "c"] {
        fs::write(at.join(name), "+1 1:1\n-1 2:1\n".repeat(100)).unwrap();
    }
    fs::write(at.join("large"), (0..4000).map(|i| format!("+1 {i}:1 {}:1\n", i + 5000)).collect::<String>()).unwrap();
    settle();
    assert_eq!(count(at), 0);
    train("a", "");
    train("b", "");
    let own = at.join("cache/mine.safetensors");
    fs::write(&own, vec![0; 1 << 16]).unwrap();
    let all = listed(at);
    let file = |i: usize| all["files"][i]["file"].as_str().unwrap().to_string();
    assert!(count(at) == 2 && file(0).contains("/a-") && good(at, "cache list").contains(&file(1)), "{all}");
    assert!(all["bytes"].as_u64().unwrap() < 1 << 16, "{all}");

    let make_old = |days: u64, file: &str| {
        let time = SystemTime::now() - Duration::from_secs(days * 86_400);
        File::options().write(true).open(format!("{file}.used")).unwrap().set_modified(time).unwrap();
    };
    make_old(2, &file(0));
    make_old(40, &file(1));
    assert!(good(at, "cache clear --older-than 50d").starts_with("0 files"));
    assert!(good(at, "cache clear --older-than 30d").starts_with("1 files") && count(at) == 1);
    train("b", "");
    // Used now: it is not the least recently used any more.
    assert!(train("a", "").contains("read from cache"));
    make_old(1, &file(1));
    let both = listed(at)["bytes"].as_u64().unwrap();
    train("c", &format!("--cache-size {both}"));
    let left = listed(at).to_string();
    assert!(count(at) == 2 && left.contains("/a-") && left.contains("/c-"), "{left}");
    // Too large by itself: it is trained on, and not kept, and nothing else goes.
    assert!(train("large", &format!("--cache-size {both}")).contains("not kept:"));
    let left = listed(at).to_string();
    assert!(count(at) == 2 && left.contains("/a-") && left.contains("/c-"), "{left}");
    // Nor is there room for others.
    assert!(train("b", "--cache-size 1K").contains("not kept:") && count(at) == 0 && own.exists());
    train("b", "");
    assert!(good(at, "cache clear").starts_with("1 files") && count(at) == 0 && own.exists());
    assert_eq!(hogwild(at, "cache clear --older-than 3y").status.code(), Some(2));
    assert_eq!(hogwild(at, "train a --cache-size much").status.code(), Some(2));
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a"), "+1 1:1\n-1 2:1\n".repeat(100)).unwrap();
    let train = "train a --threads 1 --lr 0.5 --epochs 1 --quiet --out m.safetensors";
    good(at, train);
    let left = |name: &str| at.join(format!("{name}/.hogwild-{:06}.part", name.len()));
    fs::create_dir_all(at.join("cache/checked")).unwrap();
    for name in ["cache", "cache/checked", "."] {
        fs::write(left(name), "half a file").unwrap();
    }
    // A folder of outputs may be others' too: there it is to be old.
    let hours_ago = SystemTime::now() - Duration::from_secs(2 * 3600);
    File::options().write(true).open(left(".")).unwrap().set_modified(hours_ago).unwrap();
    // One that is being written is locked.
    let written = File::create(at.join("cache/.hogwild-in0use.part")).unwrap();
    written.lock().unwrap();
    good(at, train);
    for name in ["cache", "cache/checked", "."] {
        assert!(!left(name).exists(), "{name}");
    }
    assert!(at.join("cache/.hogwild-in0use.part").exists());
    drop(written);
    // A test beside this one that is just starting a command may hold the lock for a moment: what is open passes to it until it begins.
    let gone = (0..50).any(|_| {
        good(at, "cache clear");
        !at.join("cache/.hogwild-in0use.part").exists()
    });
    assert!(gone);
}

#[test]
fn text_that_changes_while_it_is_packed_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (text, out) = (folder.path().join("text.svm"), folder.path().join("d.safetensors"));
    let reads = AtomicUsize::new(0);
    let pack = |change: &(dyn Fn(usize) + Sync)| {
        fs::write(&text, "+1 1:1\n-1 2:1\n").unwrap();
        reads.store(0, Relaxed);
        let progress = |_, _| {
            change(reads.fetch_add(1, Relaxed));
            true
        };
        ReadOptions::new().progress(&progress).pack(std::slice::from_ref(&text), &out)
    };
    let file = || File::options().append(true).open(&text).unwrap();
    let grow = |_| file().write_all(b"+1 3:1\n").unwrap();
    assert_eq!(
        pack(&|read| if read == 0 {
            grow(read)
        })
        .unwrap()
        .rows,
        3
    );
    fs::write(&out, "old").unwrap();
    let time = |read| SystemTime::UNIX_EPOCH + Duration::from_secs(read as u64);
    let refused = pack(&|read| file().set_modified(time(read)).unwrap()).unwrap_err().to_string();
    assert!(refused.contains("text.svm") && refused.contains("changed while it was read"), "{refused}");
    assert_eq!(fs::read(&out).unwrap(), b"old");
}
