//! Scores that are no numbers, and labels and ratings that 24 bits do not hold or that are all alike: told, and never taken for more.
use crate::support::{
    command::{hogwild, message},
    training::save_linear_model,
};
use hogwild::Loss;
use std::fs;

#[test]
fn an_infinite_score_is_no_probability() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    save_linear_model(&at.join("m.safetensors"), Loss::Logistic, &[3e38, -3e38]);
    fs::write(at.join("a.svm"), "1 1:3e38\n0 2:3e38\n1\n0 1:3e38 2:3e38\n".to_owned() + &"1 1:1e20\n".repeat(9)).unwrap();
    let output = hogwild(at, "predict m.safetensors a.svm");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((output.status.code(), lines.len()), (Some(1), 13));
    // What one feature adds the other takes away: there the score is the bias alone.
    assert!(lines.iter().enumerate().all(|(i, line)| (*line == "nan") == (i != 2 && i != 3)) && lines[2] == lines[3], "{out}");
    let told = "11 of 13 scores are NaN or infinite (examples 1, 2, 5, 6, 7, ...); the data or the model have numbers too large";
    assert!(message(&output).contains(told), "{}", message(&output));
    // No metric of them is a number, not even one that would do with their signs.
    let output = hogwild(at, "eval m.safetensors a.svm --json");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(["loss", "logloss", "auc", "accuracy"].iter().all(|name| json[name].is_null()) && json["examples"] == 13, "{json}");
    assert!(output.status.code() == Some(1) && message(&output).contains("metrics are not finite: logloss, auc, accuracy"));
}

#[test]
fn labels_beyond_24_bits_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let said = |text: String, options: &str| {
        fs::write(at.join("a.txt"), text).unwrap();
        message(&hogwild(at, &format!("train a.txt --lr 0.01 --epochs 1 --threads 1 {options}")))
    };
    let rows = |label: &dyn Fn(usize) -> f64| (0..60).map(|i| format!("{} {}:1\n", label(i), i % 3 + 1)).collect::<String>();
    let squared = "--loss squared";
    let told = said(rows(&|i| 1.7e9 + i as f64), squared);
    assert!(
        told.contains("a.txt: labels are kept to 24 bits: near 1700000000 they are rounded to multiples of 128; subtract an offset"),
        "{told}"
    );
    let told = said(rows(&|i| 1000.0 + (i % 5) as f64 / 1000.0), squared);
    assert!(told.contains("near 1000.004 they are rounded to multiples of .000061035156; subtract an offset"), "{told}");
    let told = said(rows(&|i| i as f64 * 1e8), squared);
    assert!(told.contains("rounded to multiples of 512\n"), "{told}");
    let ratings = (0..60).map(|i| format!("{} {} {}\n", i % 7, i % 9, 20_000_000 + i % 5)).collect();
    let told = said(ratings, "--rank 2");
    assert!(told.contains("a.txt: ratings are kept to 24 bits: near 20000004 they are rounded to multiples of 2; subtract"), "{told}");
    for fine in [rows(&|i| 1e5 + (i % 5) as f64), rows(&|i| (i * 200_000) as f64)] {
        assert!(!said(fine, squared).contains("24 bits"));
    }
}

#[test]
fn labels_that_are_all_alike_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.svm"), "2.5 1:1\n2.5 2:1\n".repeat(9)).unwrap();
    for loss in ["squared", "huber"] {
        let told = message(&hogwild(at, &format!("train a.svm --loss {loss} --lr 0.1 --epochs 1 --threads 1")));
        assert!(told.contains("warning: a.svm: all labels are 2.5: there is nothing to learn from"), "{told}");
    }
    fs::write(at.join("a.svm"), "2.5 1:1\n2 2:1\n".repeat(9)).unwrap();
    assert!(!message(&hogwild(at, "train a.svm --loss squared --lr 0.1 --epochs 1 --threads 1")).contains("nothing to learn"));
}
