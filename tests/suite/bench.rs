//! `hogwild bench` on tiny data: all that it promises is there, in sane ranges. How fast anything is, no test can say.
use crate::support::command::{command, message, parts, signal};
use serde_json::Value;
use std::{fs, path::Path};

fn bench(folder: &Path, line: &str) -> (Option<i32>, String, String) {
    parts(&command(folder, &format!("bench {line}")).env("TMPDIR", folder).output().unwrap())
}

fn good(folder: &Path, line: &str) -> String {
    let (code, out, errors) = bench(folder, line);
    assert_eq!(code, Some(0), "{line}: {errors}");
    out
}

/// A number of an object, which is to be in a range.
fn number(object: &Value, name: &str, least: f64, most: f64) -> f64 {
    let x = object[name].as_f64().unwrap_or_else(|| panic!("{name} of {object}"));
    assert!((least..=most).contains(&x), "{name} {x} of {object}");
    x
}

fn list<'a>(object: &'a Value, name: &str) -> &'a Vec<Value> {
    object[name].as_array().unwrap_or_else(|| panic!("{name} of {object}"))
}

/// Lines a second from some array.
fn check_random(random: &Value) {
    number(random, "bytes", 64.0, 1e13);
    number(random, "dependent_lines_per_second", 1e3, 1e13);
    number(random, "independent_lines_per_second", 1e3, 1e13);
}

/// Holds what was found of a data set against itself.
fn check_set(set: &Value, threads: &[u64]) {
    let nonzeros = set["shape"].get("nonzeros").or(set["shape"].get("ratings")).and_then(Value::as_f64).unwrap();
    let examples = set["shape"].get("examples").or(set["shape"].get("ratings")).and_then(Value::as_f64).unwrap();
    number(set, "lr", 1e-9, 1e3);
    number(set, "parameter_bytes", 64.0, 1e12);
    let bytes = number(set, "packed_bytes_per_epoch", 4.0 * nonzeros, 12.0 * (nonzeros + examples));
    assert_eq!(list(set, "random").len(), threads.len());
    list(set, "random").iter().for_each(check_random);

    // One variant for one thread, two for more, of linear models: with hot rows and without.
    let linear = set["kind"] == "sparse";
    let variants: Vec<u64> = threads.iter().flat_map(|&n| if linear && n > 1 { vec![n, n] } else { vec![n] }).collect();
    for part in ["speeds", "lost_updates", "held_out"] {
        let found: Vec<u64> = list(set, part).iter().map(|variant| variant["threads"].as_u64().unwrap()).collect();
        assert_eq!(found, variants, "{part}");
        let hot = list(set, part).iter().map(|variant| variant["hot_rows"].as_u64().unwrap());
        assert_eq!(hot.filter(|&rows| rows > 0).count(), if linear { threads.len() - 1 } else { 0 }, "{part}");
    }
    let alone = list(set, "speeds")[0]["seconds_per_epoch"].as_f64().unwrap();
    for speed in list(set, "speeds") {
        let seconds = number(speed, "seconds_per_epoch", 1e-7, 100.0);
        let close = |name: &str, expected: f64| _ = number(speed, name, expected * 0.999_999, expected * 1.000_001);
        number(speed, "spread", 0.0, 1e6);
        close("examples_per_second", examples / seconds);
        close("nonzeros_per_second", nonzeros / seconds);
        close("bytes_per_second", bytes / seconds);
        close("ns_per_nonzero", 1e9 * seconds / nonzeros);
        close("speedup", alone / seconds);
        let limits = &speed["limits_ns_per_nonzero"];
        let (streaming, lines) = (number(limits, "streaming", 1e-3, 1e3), number(limits, "random_lines", 0.0, 1e3));
        // By the rates told beside them.
        let rates = list(set, "rates").iter().find(|rates| rates["threads"] == speed["threads"]).unwrap();
        let expected = 1e9 * bytes / number(rates, "sequential_bytes_per_second", 1e6, 1e14) / nonzeros;
        number(limits, "streaming", expected * 0.999_999, expected * 1.000_001);
        let from = |array: usize, lines: &str| {
            number(set, lines, 0.0, 1.0) / number(&rates["random"][array], "independent_lines_per_second", 1e3, 1e13)
        };
        let expected = 1e9 * (from(0, "lines_from_last_cache_per_nonzero") + from(1, "lines_from_memory_per_nonzero"));
        number(limits, "random_lines", expected * 0.999_999, expected * 1.000_001);
        close("share_of_limit", streaming.max(lines) * nonzeros / seconds / 1e9);
        assert_eq!(speed["limit"], if lines > streaming { "random_lines" } else { "streaming" });
    }
    for lost in list(set, "lost_updates") {
        for name in ["hottest", "hottest_16", "all"] {
            let share = number(lost, name, 0.0, 1.0);
            assert!(lost["threads"] != 1 || share == 0.0, "one thread overwrites nothing: {lost}");
        }
    }
    for held_out in list(set, "held_out") {
        number(held_out, "loss_first_epoch", 1e-3, 10.0);
        let ratio = number(held_out, "last_vs_one_thread", 0.2, 5.0);
        assert!(held_out["threads"] != 1 || ratio == 1.0, "{held_out}");
    }
}

#[test]
fn rows_and_ratings_are_measured_and_told_as_one_object() {
    let folder = tempfile::tempdir().unwrap();
    for (data, features) in [("DATA/reviews.train.svm --lr 0.5", 8.0), ("DATA/ratings.train.tsv --rank 8", 128.0)] {
        let out = good(folder.path(), &format!("{data} --threads 2,1,2 --rounds 1 --json --quiet"));
        let all: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(all["version"], env!("CARGO_PKG_VERSION"));
        let machine = &all["machine"];
        number(machine, "cores", 1.0, 4096.0);
        number(&machine["caches"], "last_bytes", number(&machine["caches"], "near_bytes", 1024.0, 1e12), 1e12);
        assert!(machine["instruction_set"].is_string() && machine["caches"]["known"].is_boolean());
        let speeds = list(machine, "speeds");
        assert_eq!(speeds.iter().map(|speed| speed["threads"].as_u64()).collect::<Vec<_>>(), [Some(1), Some(2)]);
        for speed in speeds {
            number(speed, "sequential_bytes_per_second", 1e6, 1e14);
            assert_eq!(list(speed, "random").len(), 2);
            list(speed, "random").iter().for_each(check_random);
        }
        assert!(speeds[0]["handover_ns"].is_null());
        if machine["cores"].as_u64() >= Some(2) {
            number(&speeds[1], "handover_ns", 0.1, 1e6);
        }
        let sets = list(&all, "data");
        assert_eq!((sets.len(), &sets[0]["lr_searched"]), (1, &Value::Bool(features > 8.0)));
        let rows = sets[0]["shape"].get("features").map_or(500, |features| features.as_u64().unwrap() + 1);
        number(&sets[0], "parameter_bytes", features * rows as f64 * 0.9, features * rows as f64);
        assert_eq!((&sets[0]["fits_last_cache"], &sets[0]["rates"]), (&true.into(), &machine["speeds"]));
        check_set(&sets[0], &[1, 2]);
    }
}

#[test]
fn synthetic_sets_are_made_told_as_text_and_drawn_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let out = good(folder.path(), "--size 0.001 --rounds 1 --threads 2 --plot p.svg");
    for part in [
        "machine: ",
        "read GB/s",
        "random lines, M/s",
        " level 2, ",
        "(first look; measured again",
        "synthetic text: ",
        "synthetic clicks: ",
        "synthetic uniform: ",
        "synthetic ratings: ",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    for part in ["ns a nonzero", "speed-up", "of the limit", "hot rows", "lost to overlap", "held-out loss, beside", "ns a rating"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    // Two rates and two limits, of one thread and of two.
    let streaming: Vec<_> = out.lines().filter(|line| line.contains("streaming: ")).collect();
    let both = |line: &&str| line.contains(" a nonzero at ") || line.contains(" a rating at ");
    assert!(streaming.len() == 4 && streaming.iter().all(|line| both(line) && line.matches(" / ").count() == 2), "{streaming:?}");
    assert_eq!(out.matches("(the data fit the last-level cache: this limit is only indicative)").count(), 4);
    let (_, ratings) = out.split_once("synthetic ratings: ").unwrap();
    assert!(!ratings.contains("hot rows"), "{ratings}");
    let picture = fs::read_to_string(folder.path().join("p.svg")).unwrap();
    for part in
        ["<svg", "</svg>", "synthetic ratings, M ratings/s", "with hot rows", "plain Hogwild!", "ideal", "limit: streaming", "threads"]
    {
        assert!(picture.contains(part), "{part}: {picture}");
    }
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["p.svg"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_and_leaves_nothing() {
    use std::{process::Stdio, thread::sleep, time::Duration};
    let folder = tempfile::tempdir().unwrap();
    let mut bench = command(folder.path(), "bench --size 3 --json");
    let mut child = bench.env("TMPDIR", folder.path()).stderr(Stdio::piped()).spawn().unwrap();
    let left = || fs::read_dir(folder.path()).unwrap().count();
    while left() == 0 && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(20));
    }
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), left()), (Some(130), 0));
    assert_eq!(message(&output), "hogwild: interrupted\n");
}

#[test]
fn labels_that_are_numbers_are_counted_too() {
    let folder = tempfile::tempdir().unwrap();
    // Zeros among them, where a slope could be 0 at the start.
    let text: String = (0..60).map(|row| format!("{} 1:{} {}:1\n", row % 4, row % 7 + 1, 2 + row % 5)).collect();
    fs::write(folder.path().join("d.svm"), text).unwrap();
    let out = good(folder.path(), "d.svm --loss squared --lr 0.01 --rounds 1 --threads 1 --json");
    let all: Value = serde_json::from_str(&out).unwrap();
    let set = &list(&all, "data")[0];
    let lost = &list(set, "lost_updates")[0];
    assert_eq!((&lost["hottest"], &lost["hottest_16"], &lost["all"]), (&0.0.into(), &0.0.into(), &0.0.into()));
    assert!(list(set, "held_out").is_empty()); // a tenth of 60 says nothing
}

#[test]
fn bad_options_end_with_2_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("labels.svm"), "1 1:1\n7 2:1\n3 1:1\n".repeat(100)).unwrap();
    fs::write(folder.path().join("bare.svm"), "1\n-1\n".repeat(100)).unwrap();
    for (line, fragment) in [
        ("--threads 0", "--threads"),
        ("--threads 1,two", "--threads"),
        ("--threads 1,,2", "--threads"),
        ("--rounds 0", "--rounds"),
        ("--size 0", "--size"),
        ("--size 2 DATA/reviews.train.svm", "--size"),
        ("--loss hinge", "DATA"),
        ("--lr -1", "--lr"),
        ("--rank 0", "--rank"),
        ("--rule nosuch", "adagrad-rowwise"),
        ("--plot no/such/p.svg", "no/such: no such folder"),
        ("none.svm", "none.svm"),
        ("labels.svm", "labels.svm: has labels of more than two"),
        ("bare.svm", "bare.svm: has no nonzeros"),
        ("labels.svm --rule adagrad --beta1 0.5", "--beta1"),
    ] {
        let (code, out, errors) = bench(folder.path(), line);
        assert_eq!(code, Some(2), "{line}: {errors}");
        assert!(errors.contains(fragment), "{line}: {errors}");
        assert!(out.is_empty(), "{line}: {out}");
    }
}
