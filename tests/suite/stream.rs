//! `hogwild predict MODEL -` with a pipe that is held open: each line is answered before the next is written.
use crate::support::{
    command::{command, given, good, parts},
    data::{classes, ratings, sparse, text_like, topics},
    shared,
    training::save_linear_model,
};
use hogwild::{
    BatchScorer, Loss, TrainedModel, Trainer,
    data::{Labelling, Rows, RowsCsr},
};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

/// The command, held open.
struct Held {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Held {
    fn open(folder: &Path, line: &str) -> Held {
        let mut child = command(folder, line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let (sender, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        Held { child, input, lines }
    }

    fn write(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// The next answer, which is sure to come while nothing more is written.
    fn answer(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(120)).expect("no answer")
    }

    /// Ends the input: the exit code, what answers were left, and what was said.
    fn end(self) -> (Option<i32>, Vec<String>, String) {
        drop(self.input);
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), self.lines.iter().collect(), String::from_utf8(output.stderr).unwrap())
    }
}

#[test]
fn each_line_is_answered_before_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    save_linear_model(&at.join("m.safetensors"), Loss::Hinge, &[1.0, 2.0, 4.0]);
    let _turn = shared();
    let mut held = Held::open(at, "predict m.safetensors -");
    // Of the very first line fewer bytes come than a mark of a compressed file has; then parts of lines, and several at once.
    for (text, answers) in [
        ("1:2\n", vec!["2.25"]),
        ("# none\n\n1 2:1\n", vec!["2.25"]),
        ("0 3", vec![]),
        (":1 9:5", vec![]),
        ("\n1:1\n2:1\n", vec!["4.25", "1.25", "2.25"]),
        ("-1\n", vec!["0.25"]),
    ] {
        held.write(text);
        answers.iter().for_each(|answer| assert_eq!(held.answer(), *answer, "{text:?}"));
    }
    // The last line need not end.
    held.write("3:1");
    let (code, rest, told) = held.end();
    assert_eq!((code, rest), (Some(0), vec!["4.25".to_owned()]), "{told}");
    assert!(told.contains("1 features, users or items were unknown to the model"), "{told}");
}

#[test]
fn raw_rows_of_every_kind_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let table: String =
        (0..200).map(|i| format!("{},\"{}\",{}\n", u8::from(i % 3 == 0), ["Ro,me", "Os\nlo", "Bonn"][i % 3], i % 7)).collect();
    fs::write(at.join("t.csv"), format!("click,city,age\n{table}")).unwrap();
    let ratings: String = (0..400).map(|i| format!("u{}\ti{}\t{}\n", i % 20, 100 + i * 7 % 31, 1 + i % 5)).collect();
    fs::write(at.join("r.tsv"), ratings).unwrap();
    fs::write(at.join("c.svm"), topics(300, 4, 2)).unwrap();
    let words = ["great fun", "dull and long", "great film and fun", "long long film"];
    let text: String = (0..200).map(|i| format!("__label__{} {}\n", ["good", "bad"][i % 2], words[i % 4])).collect();
    fs::write(at.join("w.txt"), text).unwrap();
    for (data, model) in [("t.csv", ""), ("r.tsv", "--rank 3"), ("c.svm", "--model softmax"), ("w.txt", "")] {
        good(at, &format!("train {data} {model} --lr 0.2 --threads 1 --quiet --out {data}.safetensors"));
        let expected = good(at, &format!("predict {data}.safetensors {data}"));
        let text = fs::read_to_string(at.join(data)).unwrap();
        // A record may go over the end of a line; the heading has no answer.
        let mut lines: Vec<String> = Vec::new();
        for line in text.lines() {
            match lines.last_mut().filter(|last| last.matches('"').count() % 2 == 1) {
                Some(last) => *last += &format!("{line}\n"),
                None => lines.push(format!("{line}\n")),
            }
        }
        let _turn = shared();
        let mut held = Held::open(at, &format!("predict {data}.safetensors -"));
        let records = if data == "t.csv" { &lines[1..] } else { &lines[..] };
        if data == "t.csv" {
            held.write(&lines[0]);
        }
        for (record, expected) in records.iter().zip(expected.lines()).take(12) {
            held.write(record);
            let answer = held.answer();
            let close = |a: &str, b: &str| a == b || (a.parse::<f64>().unwrap() - b.parse::<f64>().unwrap()).abs() < 1e-5;
            assert!(close(&answer, expected), "{data} {record}: {answer} {expected}");
        }
        let (code, _, told) = held.end();
        assert_eq!(code, Some(0), "{data}: {told}");
        // All at once, which comes in larger parts.
        let whole = parts(&given(at, &format!("predict {data}.safetensors -"), &text)).1;
        assert_eq!(whole.lines().count(), expected.lines().count(), "{data}");
    }
}

#[test]
fn a_bad_line_is_named_and_keeps_the_order_or_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    save_linear_model(&at.join("m.safetensors"), Loss::Hinge, &[1.0, 2.0, 4.0]);
    let turn = shared();
    let mut held = Held::open(at, "predict m.safetensors - --on-bad-row skip");
    for (line, answer) in [("1 1:1\n", "1.25"), ("1 2:bad\n", "nan"), ("1 2:1\n", "2.25"), ("1 1:1 1:1\n", "nan"), ("1 3:1\n", "4.25")] {
        held.write(line);
        assert_eq!(held.answer(), answer, "{line}");
    }
    let (code, _, told) = held.end();
    assert!(code == Some(0) && told.contains("-:2:3: ") && told.contains("-:4:7: "), "{told}");
    assert!(told.contains("2 of 5 rows could not be read; their predictions are nan"), "{told}");
    let ratings: String = (0..400).map(|i| format!("{}\t{}\t{}\n", 1 + i % 20, 100 + i * 7 % 31, 1 + i % 5)).collect();
    fs::write(at.join("r.tsv"), ratings).unwrap();
    good(at, "train r.tsv --rank 3 --lr 0.2 --threads 1 --quiet --out r.safetensors");
    let mut held = Held::open(at, "predict r.safetensors - --on-bad-row skip");
    for (line, is_nan) in [("3\t101\n", false), ("7\n", true), ("4\t100\n", false)] {
        held.write(line);
        assert_eq!(held.answer() == "nan", is_nan, "{line}");
    }
    let (code, _, told) = held.end();
    assert!(code == Some(0) && told.contains("1 of 3 rows") && !told.contains("unknown"), "{told}");
    // What came before the line that ends it has its answers.
    let mut held = Held::open(at, "predict m.safetensors -");
    held.write("1 1:1\n\n");
    assert_eq!(held.answer(), "1.25");
    held.write("1 2:1\n1 3:x\n1 1:1\n");
    assert_eq!(held.answer(), "2.25");
    let (code, _, told) = held.end();
    assert!(code == Some(2) && told.contains("hogwild: -:4:3: the value is no number: `3:x`"), "{told}");
    drop(turn);
    let (code, out, told) = parts(&given(at, "predict m.safetensors -", ""));
    assert!(code == Some(2) && out.is_empty() && told.contains("-: holds no examples at all"), "{told}");
    // A score that is no number is told by the exit code.
    let (code, out, told) = parts(&given(at, "predict m.safetensors -", "1 3:3e38 2:3e38\n1 1:1\n"));
    assert_eq!((code, out.as_str()), (Some(1), "nan\n1.25\n"), "{told}");
}

#[test]
fn a_batch_is_scored_as_by_the_whole_model() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (data, other) = (sparse(at, "a.svm", &text_like(300, 0)), sparse(at, "b.svm", &text_like(20, 9_000)));
    let of_classes = classes(&topics(300, 5, 3), Labelling::Class);
    let text: String = (0..300u32).map(|i| format!("u{}\ti{}\t{}\n", i % 20, i * 7 % 30, 1 + i % 5)).collect();
    let (rated, few) = (ratings(at, "r.tsv", &text), ratings(at, "f.tsv", "u1\ti3\t1\nnew\ti3\t1\nu1\tnew\t1\n"));
    let _turn = shared();
    let same = |model: &TrainedModel, data: hogwild::AnyData<'_>| {
        let (whole, batch) = (model.score(data).unwrap(), BatchScorer::new(model).score(data).unwrap());
        assert_eq!((whole.scores, whole.unknown), (batch.scores, batch.unknown), "{}", model.family);
        let scores = |scored: &Option<hogwild::ClassScores>| {
            scored.as_ref().map(|all| (0..all.len()).flat_map(|row| all.scores(row).to_vec()).collect::<Vec<_>>())
        };
        assert_eq!(scores(&whole.classes), scores(&batch.classes));
    };
    for trainer in [Trainer::linear(), Trainer::factorization_machine().rank(3)] {
        same(trainer.lr(0.1).threads(1).fit(&data).unwrap().trained().unwrap(), (&other).into());
    }
    let words = ["1", "4", "nothing"].into_iter().collect();
    let rows = RowsCsr { labels: &[0.0, 1.0], row_start: &[0, 2, 3], columns: &[0, 2, 1], ids: Some(&words), ..RowsCsr::default() };
    let rows = Rows::from_csr(rows).unwrap();
    for trainer in [Trainer::softmax(), Trainer::one_vs_rest()] {
        same(trainer.lr(0.2).threads(1).fit(&of_classes).unwrap().trained().unwrap(), (&rows).into());
    }
    same(Trainer::factorization().rank(3).lr(0.1).threads(1).fit(&rated).unwrap().trained().unwrap(), (&few).into());
}

#[test]
fn what_training_knew_weighs_lines_too() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let words = ["great fun", "dull and long and dull", "great film and fun", "long long film"];
    let text: String = (0..200).map(|i| format!("__label__{} {}\n", ["good", "bad"][i % 2], words[i % 4])).collect();
    fs::write(at.join("w.txt"), text).unwrap();
    let tags = ["a|b", "c", "a|c|rare1", "b|rare2|rare3"];
    let city = |i: usize| if i.is_multiple_of(17) { format!("town{i}") } else { ["Rome", "Oslo"][i % 2].into() };
    let line =
        |i: usize| format!("{},{},{},{}\n", u8::from(i % 4 < 2), city(i), tags[i % 4].replace("rare", &format!("r{}", i / 8)), i % 7);
    fs::write(at.join("t.csv"), format!("click,city,tags,age\n{}", (0..200).map(line).collect::<String>())).unwrap();
    let cases = [
        ("w.txt", "--tfidf", "bad good great great dull never\nlong film\nnever\n"),
        ("w.txt", "--tfidf=sublinear --ngrams 2", "great fun dull dull dull\nlong long film\n"),
        ("w.txt", "--hash-bits 3", "great film dull never\nlong film\n"),
        ("t.csv", "--list tags:| --min-count 20", "click,city,tags,age\n1,Rome,a|new1|new2,3\n0,Paris,b,2\n1,Oslo,c|new,\n"),
        ("t.csv", "--list tags:| --tfidf", "click,city,tags,age\n1,Rome,a|new1|c,3\n0,Paris,b|b,2\n"),
        ("t.csv", "--list tags:| --model ffm --factor-min-count 20", "click,city,tags,age\n1,Rome,a|new1|c,3\n0,town17,b,2\n0,Oslo,c,6\n"),
        ("t.csv", "--list tags:| --hash-bits 4", "click,city,tags,age\n1,Rome,a|new1|c,3\n0,Paris,b,2\n"),
    ];
    for (data, options, other) in cases {
        let lr = if options.contains("ffm") { "auto" } else { ["0.2", "0.02"][usize::from(data == "t.csv")] };
        good(at, &format!("train {data} {options} --lr {lr} --threads 1 --quiet --out m.safetensors"));
        let name = format!("other.{}", &data[2..]);
        fs::write(at.join(&name), other).unwrap();
        let numbers = |text: &str| text.lines().map(|line| line.parse().unwrap()).collect::<Vec<f64>>();
        let expected = numbers(&good(at, &format!("predict m.safetensors {name}")));
        let (code, out, told) = parts(&given(at, "predict m.safetensors -", other));
        let answers = numbers(&out);
        let close = answers.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6) && answers.len() == expected.len();
        assert!(code == Some(0) && close, "{data} {options}: {answers:?}, not {expected:?}: {told}");
        assert!(expected.iter().any(|p| (p - expected[0]).abs() > 1e-6), "{data} {options}: all alike");
    }
}
