//! `hogwild predict` gives a line for a line, without labels too; scores and metrics that are no numbers are told.
use crate::support::{
    command::{given, parts},
    training::save_linear_model,
};
use hogwild::Loss;
use std::{fs, path::Path};

fn hogwild(folder: &Path, line: &str, input: &str) -> (Option<i32>, String, String) {
    parts(&given(folder, line, input))
}

#[test]
fn rows_need_no_labels() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    save_linear_model(&at.join("m.safetensors"), Loss::Hinge, &[1.0, 2.0, 4.0]);
    let text = "1:0.5 3:1\n\n2:1\n# none\n? 1:1\nnan 2:0.5 # x\nspam 3:1\n-1\n1 2:1\n";
    let expected = "4.75\n2.25\n1.25\n1.25\n4.25\n0.25\n2.25\n";
    fs::write(at.join("a.svm"), text).unwrap();
    for line in ["a.svm", "a.svm -o -", "-", "- -o -", "a.svm --no-cache", "a.svm --on-bad-row skip"] {
        let (code, out, said) = hogwild(at, &format!("predict m.safetensors {line}"), text);
        assert_eq!((code, out.as_str()), (Some(0), expected), "{line}: {said}");
    }
    assert!(!at.join("-").exists());
    let (code, _, said) = hogwild(at, "pack a.svm --unlabelled -o a.safetensors", "");
    assert!(code == Some(0) && said.contains("a.svm: svmlight rows: 7 examples, 7 nonzeros, labels 1 of +1, 5 missing"), "{said}");
    assert_eq!(said.matches("was read as its first feature").count(), 1, "{said}");
    assert_eq!(hogwild(at, "predict m.safetensors a.safetensors", "").1, expected);
    // For what needs labels it is refused, though the cache has what `predict` packed.
    for line in ["eval m.safetensors a.svm", "train a.svm --lr 1", "pack a.svm -o b.safetensors"] {
        let (code, _, said) = hogwild(at, line, "");
        assert!(code == Some(2) && said.contains("a.svm:1:1: the label is missing"), "{line}: {said}");
    }
    for line in ["eval m.safetensors a.safetensors", "train a.safetensors --lr 1", "train a.safetensors --lr 1 --loss squared"] {
        let (code, _, said) = hogwild(at, line, "");
        assert!(code == Some(2) && said.contains("a.safetensors: has rows without labels"), "{line}: {said}");
    }
    let (code, _, said) = hogwild(at, "eval m.safetensors - --on-bad-row skip", "1:0.5 3:1\n2:1\n");
    assert!(code == Some(2) && said.contains("2 bad rows, the first of them -:1:1: the label is missing"), "{said}");
    // What trains is not told by what predicts: the cache keeps the two apart.
    fs::write(at.join("b.svm"), "1 1:1\nx 2:1\n").unwrap();
    assert_eq!(hogwild(at, "predict m.safetensors b.svm", "").1, "1.25\n2.25\n");
    assert!(hogwild(at, "eval m.safetensors b.svm", "").2.contains("b.svm:2:1: the label is no number"));
}

#[test]
fn a_bad_row_keeps_its_line_or_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    save_linear_model(&at.join("m.safetensors"), Loss::Hinge, &[1.0, 2.0, 4.0]);
    fs::write(at.join("a.svm"), "1 1:0.5\n\n# comment\n1 2:bad\n0 2:0.5\n").unwrap();
    fs::write(at.join("old"), "old").unwrap();
    for out in ["new", "old"] {
        let (code, _, said) = hogwild(at, &format!("predict m.safetensors a.svm -o {out}"), "");
        assert!(code == Some(2) && said.contains("a.svm:4:3: "), "{said}");
    }
    assert!(!at.join("new").exists() && fs::read_to_string(at.join("old")).unwrap() == "old");
    // Packed, and then from the cache, which keeps nothing of what was just written.
    std::thread::sleep(std::time::Duration::from_millis(2300));
    for _ in 0..2 {
        let (code, out, said) = hogwild(at, "predict m.safetensors a.svm --on-bad-row skip", "");
        assert_eq!((code, out.as_str()), (Some(0), "0.75\nnan\n1.25\n"));
        assert!(said.contains("1 of 3 rows could not be read; their predictions are nan"), "{said}");
    }
    // Elsewhere such rows are left out.
    let (code, out, _) = hogwild(at, "eval m.safetensors a.svm --on-bad-row skip --json", "");
    assert!(code == Some(0) && out.contains("\"examples\":2"), "{out}");
}

#[test]
fn ratings_need_no_ratings() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let ratings: String = (0..400).map(|i| format!("{}\t{}\t{}\n", i % 20, 100 + i * 7 % 31, 1 + i % 5)).collect();
    fs::write(at.join("r.tsv"), &ratings).unwrap();
    let (code, _, said) = hogwild(at, "train r.tsv --rank 4 --lr 0.1 --threads 1 --out m.safetensors", "");
    assert_eq!(code, Some(0), "{said}");
    let whole = hogwild(at, "predict m.safetensors -", "3\t101\t4\n7\t120\t1\n19\t130\t2\n").1;
    assert_eq!(whole.lines().count(), 3);
    for text in [
        "3\t101\n7\t120\n19\t130\n",
        "3\t101\t?\n7\t120\tnan\n19\t130\tunknown\n",
        "3,101,\n7,120,4\n19,130\n",
        "userId,movieId\n3,101\n7,120\n19,130\n",
        "user item rating\n3 101 ?\n\n7 120 ?\n19 130\n",
    ] {
        let (code, out, said) = hogwild(at, "predict m.safetensors -", text);
        assert_eq!((code, &out), (Some(0), &whole), "{text:?}: {said}");
    }
    // Heading, blanks in names, a time in the rating's place: pairs are laid out as ratings are, and what was read is told.
    let three = hogwild(at, "predict m.safetensors -", "3\t101\n").1;
    for (text, says) in [
        ("3 101 978300760\n", "q.tsv: ratings: 1 of 1 items by 1 users, 978300740 to 978300740"),
        ("movieId,title,userId\n101,\"The End\",3\n", "item from `movieId`; not read: `title`"),
        ("movieId;userId\n101;3\n", "q.tsv: ratings: 1 pairs of 1 items and 1 users, none rated"),
    ] {
        fs::write(at.join("q.tsv"), text).unwrap();
        let (code, out, said) = hogwild(at, "predict m.safetensors q.tsv", "");
        assert!(code == Some(0) && out == three && said.contains(says), "{text:?}: {said}");
        // As they come, they are not counted: the text may have no end.
        let (code, out, _) = hogwild(at, "predict m.safetensors -", text);
        assert!(code == Some(0) && out == three, "{text:?}");
    }
    for (text, of_file, of_lines) in [
        ("Ann Lee\t101\nBob\t42\n", ["2 pairs of 2 items and 2 users", "3 features, users"], "3 features, users"),
        ("Ann,x\nBob,y\n", ["none of 2 users is and none of 2 items is known"; 2], "-: the model knows none of these users and items"),
    ] {
        fs::write(at.join("q.tsv"), text).unwrap();
        let (_, out, said) = hogwild(at, "predict m.safetensors q.tsv", "");
        assert!(out.lines().count() == 2 && of_file.iter().all(|says| said.contains(says)), "{said}");
        let (_, out, told) = hogwild(at, "predict m.safetensors -", text);
        assert!(out.lines().count() == 2 && told.contains(of_lines), "{told}");
        assert_eq!([said, told].map(|told| told.contains("users or items were unknown")), [text.contains("Lee"); 2]);
    }
    assert!(!hogwild(at, "predict m.safetensors -", "3,101,4\n7,120,4\n").2.contains("warning"));
    fs::write(at.join("bad.tsv"), "3\t101\n7\n19\t130\n").unwrap();
    let (code, out, said) = hogwild(at, "predict m.safetensors bad.tsv --on-bad-row skip", "");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((code, lines.len(), lines[1]), (Some(0), 3, "nan"), "{said}");
    assert!(!said.contains("unknown to the model"), "{said}");
    assert_eq!((lines[0], lines[2]), (whole.lines().next().unwrap(), whole.lines().last().unwrap()));
    assert_eq!(hogwild(at, "predict m.safetensors bad.tsv", "").0, Some(2));
    fs::write(at.join("p.tsv"), "3\t101\n7\t120\n").unwrap();
    let (code, _, said) = hogwild(at, "eval m.safetensors p.tsv", "");
    assert!(code == Some(2) && said.contains("p.tsv:1:1: the rating is missing"), "{said}");
    assert_eq!(hogwild(at, "pack p.tsv --unlabelled -o p.safetensors", "").0, Some(0));
    for line in ["eval m.safetensors p.safetensors", "train p.safetensors --lr 0.1"] {
        let (code, _, said) = hogwild(at, line, "");
        assert!(code == Some(2) && said.contains("p.safetensors: has rows without ratings"), "{line}: {said}");
    }
}

#[test]
fn what_is_no_number_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    save_linear_model(&at.join("m.safetensors"), Loss::Squared, &[3e38, -3e38]);
    fs::write(at.join("a.svm"), "1 1:3e38 2:3e38\n1 1:3e38\n1\n").unwrap();
    let (code, out, said) = hogwild(at, "predict m.safetensors a.svm", "");
    // What one feature adds the other takes away.
    assert_eq!((code, out.as_str()), (Some(1), "0.25\nnan\n0.25\n"), "{said}");
    assert!(said.contains("1 of 3 scores are NaN or infinite"), "{said}");
    let (code, _, said) = hogwild(at, "predict m.safetensors a.svm -o p.txt", "");
    assert!(code == Some(1) && fs::read_to_string(at.join("p.txt")).unwrap() == out, "{said}");
    let (code, out, said) = hogwild(at, "eval m.safetensors a.svm --json", "");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(code == Some(1) && json["loss"].is_null() && json["examples"] == 3, "{out}");
    assert!(said.contains("1 of 3 scores") && said.contains("metrics are not finite: loss, rmse, mae"), "{said}");
    // Held-out data of a run, too.
    fs::write(at.join("t.svm"), "1 1:1\n-1 2:1\n".repeat(20)).unwrap();
    let (code, _, said) = hogwild(at, "train t.svm --valid a.svm --loss squared --lr 1 --threads 1 --epochs 2 --out n.safetensors", "");
    assert!(code == Some(1) && said.contains("held-out metrics after epoch 2 are not finite: loss"), "{said}");
    assert!(at.join("n.safetensors").exists());
}
