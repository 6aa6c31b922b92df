//! What the command says of the data it was given: what was read, and what is odd about it.
use crate::support::command::{good, hogwild, message, said, settle};
use std::fs;

#[test]
fn what_was_read_is_told_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let rows = "svmlight rows: 4,000 examples, 67,265 nonzeros, labels 1,980 of +1";
    let plus = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/reviews.train.svm")).unwrap();
    let plus = plus.lines().filter(|line| line.starts_with("1 ") || line.starts_with("+1 ")).count();
    let rows = rows.replace("1,980", &format!("{},{:03}", plus / 1000, plus % 1000));
    // Packed anew, from the cache, and packed.
    let quick = "--lr 0.5 --epochs 1 --threads 1";
    for _ in 0..2 {
        let said = said(at, &format!("train DATA/reviews.train.svm {quick} --out m.safetensors"));
        assert!(said.lines().any(|line| line.ends_with(&format!("reviews.train.svm: {rows}"))), "{said}");
    }
    assert!(said(at, "pack DATA/reviews.train.svm -o d.safetensors").contains(&rows));
    // Once: what goes to standard output is how fast it went.
    let packed = good(at, "pack DATA/reviews.train.svm -o e.safetensors");
    assert!(packed.starts_with("e.safetensors: 0.6 MB read in ") && packed.lines().count() == 1, "{packed}");
    assert!(said(at, &format!("train d.safetensors {quick}")).contains(&format!("d.safetensors: {rows}")));
    assert!(!said(at, &format!("train d.safetensors {quick} --quiet")).contains("rows"));
    for line in ["eval m.safetensors d.safetensors", "eval m.safetensors d.safetensors --json", "predict m.safetensors d.safetensors"] {
        assert_eq!(said(at, line).matches(&rows).count(), 1, "{line}");
    }
    fs::write(at.join("rents.svm"), "650.5 1:1\n-0.5 2:1\n3 2:1\n").unwrap();
    assert!(said(at, "pack rents.svm -o r.safetensors").contains("3 examples, 3 nonzeros, labels from -.5 to 650.5"));
    let classes: String = (0..2000).map(|i| format!("{} {}:1\n", 1 + i % 4 / 3, i % 7 + 1)).collect();
    fs::write(at.join("classes.svm"), classes).unwrap();
    for line in ["pack classes.svm -o c.safetensors", "train c.safetensors --lr 0.5 --epochs 1 --threads 1"] {
        let said = said(at, line);
        assert!(said.contains("2,000 examples, 2,000 nonzeros, labels 1 (1,500) and 2 (500)"), "{said}");
    }
    fs::write(at.join("r.tsv"), "1\t2\t.5\n3\t2\t4\n1\t5\t5\n").unwrap();
    let ratings = "r.tsv: ratings: 3 of 2 items by 2 users, .5 to 5";
    assert!(said(at, "pack r.tsv -o r.safetensors").contains(ratings));
    assert!(said(at, &format!("train r.tsv {quick} --rank 4 --out mf.safetensors")).contains(ratings));
    assert!(said(at, "predict mf.safetensors r.tsv").contains(ratings));
}

#[test]
fn columns_are_given_to_every_command_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("t.csv"), "n,who,what,how\n0,7,19,3.5\n1,8,19,1\n2,7,20,5\n").unwrap();
    let columns = "--columns user=who,item=what,rating=how";
    let quick = "--lr 0.1 --epochs 1 --rank 2 --threads 1 --out m.safetensors";
    let refused = hogwild(at, "train t.csv");
    let told = message(&refused);
    assert!(refused.status.code() == Some(2) && told.contains("t.csv:1:1: ") && told.contains("`who`, `what`, `how`"), "{told}");
    let line = "t.csv: columns: user from `who`, item from `what`, rating from `how`; not read: `n`";
    assert!(said(at, &format!("pack t.csv -o p.safetensors {columns}")).contains(line));
    settle();
    for (command, told) in [
        (format!("train t.csv {quick} {columns}"), "3 of 2 items by 2 users, 1 to 5"),
        // Other columns are another entry of the cache.
        (format!("train t.csv {quick} --columns user=2,item=3,rating=1"), "3 of 2 items by 2 users, 0 to 2"),
        (format!("train t.csv --valid t.csv {quick} {columns}"), "3 of 2 items by 2 users, 1 to 5"),
        (format!("eval m.safetensors t.csv {columns}"), "1 to 5"),
        (format!("predict m.safetensors t.csv {columns}"), "1 to 5"),
    ] {
        assert!(said(at, &command).contains(told), "{command}");
    }
    for (line, says) in [
        ("pack t.csv -o x.safetensors --columns user=who,item=nothing,rating=how", "no column is called `nothing`"),
        ("pack t.csv -o x.safetensors --columns user=0", "counted from 1"),
        ("eval m.safetensors p.safetensors --no-cache --columns user=1", "packed already"),
    ] {
        let output = hogwild(at, line);
        let message = message(&output);
        assert!(output.status.code() == Some(2) && message.contains(says) && !at.join("x.safetensors").exists(), "{line:?}: {message}");
    }
}

#[test]
fn ratings_that_are_odd_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let write = |name: &str, rating: &dyn Fn(usize) -> String| {
        let lines: Vec<String> = (0..400).map(|i| format!("{}\t{}\t{}", i % 20, 100 + i / 20, rating(i))).collect();
        fs::write(at.join(name), lines.join("\n")).unwrap();
    };
    write("same.tsv", &|_| "4".into());
    write("far.tsv", &|i| if i == 16 { "9000".into() } else { (i % 5).to_string() });
    write("fine.tsv", &|i| (i % 5).to_string());
    write("play.tsv", &|i| (1 << (i % 12)).to_string());
    let quick = "--lr 0.01 --epochs 1 --rank 2 --threads 1";
    assert!(said(at, &format!("train same.tsv {quick} --out m.safetensors")).contains("warning: same.tsv: all ratings are 4"));
    // Of what nothing is learnt from, nothing is said.
    for line in ["eval m.safetensors same.tsv", "predict m.safetensors same.tsv", &format!("train fine.tsv {quick} --valid same.tsv")] {
        assert!(!said(at, line).contains("all ratings"), "{line}");
    }
    let far = said(at, &format!("train far.tsv {quick}"));
    let off =
        "warning: far.tsv: rating 17 is 9000, 6359 standard deviations from the mean of the others (2.0025063); mend it or leave it out";
    assert!(far.contains(off), "{far}");
    // Wherever the zero is.
    write("shifted.tsv", &|i| (100_000 + if i == 16 { 9000 } else { i % 5 }).to_string());
    let shifted = said(at, &format!("train shifted.tsv {quick}"));
    assert!(shifted.contains("rating 17 is 109000, 6359 standard deviations from the mean of the others (100002"), "{shifted}");
    write("fives.tsv", &|i| if i == 16 { "4".into() } else { "5".into() });
    fs::write(at.join("three.tsv"), "1\t10\t3\n2\t10\t3\n1\t11\t4\n").unwrap();
    for fine in ["fine.tsv", "play.tsv", "fives.tsv", "three.tsv", "DATA/ratings.train.tsv"] {
        assert!(!said(at, &format!("train {fine} {quick}")).contains("warning"), "{fine}");
    }
    assert!(!said(at, &format!("train same.tsv {quick} --quiet")).contains("warning"));
}

#[test]
fn held_out_ratings_of_strangers_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let write = |name: &str, line: &dyn Fn(usize, usize) -> String| {
        let lines: Vec<String> = (0..400).map(|i| line(i % 20, 100 + i / 20) + &format!("\t{}", i % 5)).collect();
        fs::write(at.join(name), lines.join("\n")).unwrap();
    };
    write("train.tsv", &|user, item| format!("{user}\t{item}"));
    write("floats.tsv", &|user, item| format!("{user}.0\t{item}.0"));
    write("prefix.tsv", &|user, item| format!("u{user}\t{item}"));
    write("others.tsv", &|user, item| format!("{}\t{}", user + 5000, item + 5000));
    write("swapped.tsv", &|user, item| format!("{item}\t{user}"));
    write("new.tsv", &|user, item| format!("{}\t{item}", user + 5000));
    let quick = "train.tsv --lr 0.1 --epochs 1 --rank 2 --threads 1";
    said(at, &format!("train {quick} --out m.safetensors"));
    for (name, says) in [
        (
            "floats.tsv",
            "none of 20 users is and none of 20 items is known to the model, so that predictions are no better than the mean; \
             they would be if ids were written alike: `0.0` here, `0` in the model's data",
        ),
        ("prefix.tsv", "none of 20 users is known to the model; they would be if ids were written alike: `u0` here, `0`"),
        ("others.tsv", "none of 20 users is and none of 20 items is known to the model, so that"),
        ("swapped.tsv", "if users and items were exchanged"),
    ] {
        for line in [format!("train {quick} --valid {name}"), format!("eval m.safetensors {name}"), format!("predict m.safetensors {name}")]
        {
            let said = said(at, &line);
            let warned = said.lines().any(|line| line.starts_with(&format!("warning: {name}: ")) && line.contains(says));
            assert!(warned, "{line}: {said}");
        }
    }
    // New users of known items are no mistake, and nothing is odd about known ones.
    for name in ["new.tsv", "train.tsv"] {
        assert!(!said(at, &format!("eval m.safetensors {name}")).contains("warning"), "{name}");
    }
}
