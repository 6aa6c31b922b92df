//! What the text is to be is known beforehand: by a model, or by `--format`. Nothing is guessed then, and no advice goes in a circle.
use crate::support::{
    command::{self, command, good, hogwild, message},
    training::save_linear_model,
};
use hogwild::Loss;
use std::{fs, path::Path};

fn factors(folder: &Path) {
    let text: String = (0..40).map(|i| format!("{} {} {}\n", i % 8, i % 5 + 10, i % 3 + 1)).collect();
    fs::write(folder.join("train.txt"), text).unwrap();
    good(folder, "train train.txt --lr 0.1 --epochs 1 -o mf.safetensors --quiet");
}

#[test]
fn a_linear_model_reads_rows() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    save_linear_model(&at.join("m.safetensors"), Loss::Hinge, &[1.0, 2.0, 4.0]);
    for (text, options, expected) in [
        ("? qid:3 1:1\n", "", "1.25\n"),
        ("2 3 3\n1:1\n3:1\n", "", "1.25\n4.25\n"),
        ("0 x:1\n1 2:1\n", "--on-bad-row skip", "nan\n2.25\n"),
        ("x\ny\n", "", "0.25\n0.25\n"),
    ] {
        fs::write(at.join("a.txt"), text).unwrap();
        for cache in ["", "", "--no-cache"] {
            assert_eq!(good(at, &format!("predict m.safetensors a.txt {options} {cache}")), expected, "{text}");
        }
    }
    for (command, text, says) in [
        ("predict", "1 2 3\n4 5 6\n", "a.txt:1:3: this line has no `index:value` pair, and the model takes svmlight rows"),
        ("eval", "1 2 3\n4 5 6\n", "a.txt:1:3: this line has no `index:value` pair, and the model takes svmlight rows"),
        ("predict", "? 1.0:1\n", "a.txt:1:3: the index is no whole number"),
        ("eval", "1\t2,1:1\n", "a.txt:1:3: commas or semicolons separate the features"),
    ] {
        fs::write(at.join("a.txt"), text).unwrap();
        let said = hogwild(at, &format!("{command} m.safetensors a.txt"));
        assert_eq!(said.status.code(), Some(2));
        assert!(message(&said).contains(says), "{text}: {}", message(&said));
    }
}

#[test]
fn a_factor_model_reads_ratings() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    factors(at);
    // What may be a label with bare indices elsewhere is not that here.
    for text in ["1 10 11\n0 10 12\n1 11 13\n", "1 10\n2 11\n3 14\n"] {
        fs::write(at.join("a.txt"), text).unwrap();
        assert_eq!(good(at, "predict mf.safetensors a.txt").lines().count(), 3, "{text}");
    }
    fs::write(at.join("a.txt"), "1 10 11\n0 10 12\n1 11 13\n").unwrap();
    assert!(good(at, "eval mf.safetensors a.txt").contains("examples 3"));
    // Pairs of user and item do not hold rows.
    for command in ["predict", "eval"] {
        fs::write(at.join("a.txt"), "# rows\n1 10:1 12:1\n-1 3:1\n").unwrap();
        let said = hogwild(at, &format!("{command} mf.safetensors a.txt"));
        assert_eq!(said.status.code(), Some(2));
        assert!(message(&said).contains("a.txt:2:1: this is an svmlight row, and the model takes ratings"), "{}", message(&said));
    }
    // The order of columns is in doubt all the same.
    fs::write(at.join("a.txt"), "1 10 964982703\n2 11 964982704\n").unwrap();
    assert!(message(&hogwild(at, "eval mf.safetensors a.txt")).contains("looks like a time"));
}

#[test]
fn what_train_has_packed_serves_eval() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    save_linear_model(&at.join("m.safetensors"), Loss::Hinge, &[1.0, 2.0, 4.0]);
    factors(at);
    fs::write(at.join("rows.svm"), "1 1:1 2:1\n-1 3:1\n").unwrap();
    command::settle();
    good(at, "train rows.svm --lr 0.1 --epochs 1 --quiet");
    good(at, "train train.txt --model mf --rank 1 --lr 0.1 --epochs 1 --quiet");
    for line in ["eval m.safetensors rows.svm", "eval mf.safetensors train.txt"] {
        let said = message(&hogwild(at, line));
        assert!(said.contains("read from cache"), "{line}: {said}");
    }
}

#[test]
fn advice_does_not_go_in_a_circle() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (text, line, says) in [
        ("1 |f a b\n", "train a.txt --format svmlight", "a.txt:1:3: this line is in Vowpal Wabbit's format"),
        ("1 |f a:1 b:2\n", "train a.txt --format svmlight", "a.txt:1:3: this line is in Vowpal Wabbit's format"),
        ("1 12 40\n", "train a.txt --format svmlight", "a.txt:1:3: this is a rating or a row of bare indices"),
        ("1 1:1 2:1\n0 2:1\n", "train a.txt --model mf", "a.txt: --model mf takes ratings, and these are sparse rows"),
        (
            "1 1:1 2:1\n0 2:1\n",
            "train a.txt --model mf --format ratings",
            "a.txt:1:3: this is an svmlight row (`label index:value ...`), and",
        ),
        ("1 2 3\n2 2 3\n", "train a.txt --model linear", "these are ratings (`user item rating`); leave --model out"),
    ] {
        fs::write(at.join("a.txt"), text).unwrap();
        let output = command(at, line).output().unwrap();
        let said = message(&output);
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        assert!(said.contains(says) && !said.contains("mistaken") && !said.contains("see --format"), "{text}{line}: {said}");
    }
}
