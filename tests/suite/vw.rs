//! Vowpal Wabbit's lines as its own tests have them: several namespaces, some with weights, tags, importances, and all in one file. The lines
//! are made by hand, in the syntax of its wiki.
use crate::support::{
    command::{good, hogwild, message},
    data::{NamedRow, named_rows, read_as},
};
use hogwild::data::{Data, Format, PackReport, PackSettings};
use std::fs;

fn read(text: &str) -> (PackReport, Vec<NamedRow>, Vec<f32>) {
    match read_as(text, &PackSettings::default()) {
        Ok((report, Data::Rows(data))) => {
            let weights = (0..data.rows()).map(|row| data.weight(row)).collect();
            (report, named_rows(&data), weights)
        }
        other => panic!("{text:?}: {other:?}"),
    }
}

/// A line, and its label, weight and features.
type Line = (&'static str, f32, f32, &'static [(&'static str, f32)]);

const LINES: [Line; 8] = [
    (
        "1 1.0 zebra|MetricFeatures:3.28 height:1.5 length:2.0 |Says black with white stripes |OtherFeatures NumberOfLegs:4.0 HasStripes",
        1.0,
        1.0,
        &[
            ("MetricFeatures^height", 1.5 * 3.28),
            ("MetricFeatures^length", 2.0 * 3.28),
            ("OtherFeatures^HasStripes", 1.0),
            ("OtherFeatures^NumberOfLegs", 4.0),
            ("Says^black", 1.0),
            ("Says^stripes", 1.0),
            ("Says^white", 1.0),
            ("Says^with", 1.0),
        ],
    ),
    ("-1 | price:.18 sqft:.15 age:.35 1976", -1.0, 1.0, &[("1976", 1.0), ("age", 0.35), ("price", 0.18), ("sqft", 0.15)]),
    ("1 2 'second_house | price:.53 2006", 1.0, 2.0, &[("2006", 1.0), ("price", 0.53)]),
    ("-1 0.5 0 'third_house| age:.87", -1.0, 0.5, &[("age", 0.87)]),
    // A word that stands twice in a namespace, and in another one.
    ("1 'e4|u the cat the |i cat:-1e-2", 1.0, 1.0, &[("i^cat", -0.01), ("u^cat", 1.0), ("u^the", 2.0)]),
    ("-1 e5|a:0.5 x y:2|b:2 x\t z:.25  ", -1.0, 1.0, &[("a^x", 0.5), ("a^y", 1.0), ("b^x", 2.0), ("b^z", 0.5)]),
    ("+1 |empty |f caf\u{e9}_\u{2713} a=b,c:3\r", 1.0, 1.0, &[("f^a=b,c", 3.0), ("f^caf\u{e9}_\u{2713}", 1.0)]),
    ("-1 |", -1.0, 1.0, &[]),
];

fn text() -> String {
    LINES.map(|(line, ..)| format!("{line}\n")).concat()
}

#[test]
fn lines_with_all_that_may_stand_in_them_are_read() {
    let (report, rows, weights) = read(&text());
    assert_eq!((report.format, report.skipped), (Format::Vw, 0));
    assert_eq!(weights, LINES.map(|(_, _, weight, _)| weight));
    for ((found, (line, label, _, features)), number) in rows.into_iter().zip(LINES).zip(1..) {
        let mut expected: Vec<(String, f32)> = features.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(found, (label, expected), "{number}: {line}");
    }
}

#[test]
fn a_model_of_such_lines_scores_them_with_and_without_their_heads() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("train.vw"), text().repeat(40)).unwrap();
    let bare: String = LINES.map(|(line, ..)| format!("|{}\n", line.split_once('|').unwrap().1)).concat();
    fs::write(at.join("bare.vw"), bare).unwrap();
    fs::write(at.join("whole.vw"), text()).unwrap();
    good(at, "train train.vw --out m.safetensors --epochs 20 --threads 1");
    let predicted = good(at, "predict m.safetensors bare.vw");
    assert_eq!(predicted, good(at, "predict m.safetensors whole.vw"));
    let probabilities: Vec<f64> = predicted.lines().map(|line| line.parse().unwrap()).collect();
    for (probability, (line, label, ..)) in probabilities.iter().zip(LINES).take(7) {
        assert_eq!(*probability > 0.5, label > 0.0, "{line}: {probability}");
    }
    let shown = good(at, "inspect m.safetensors");
    assert!(shown.contains("i^cat"), "{shown}");
    // A prediction to begin from, as some of its samples have, is refused with its place.
    fs::write(at.join("odd.vw"), text() + "0 1 0.5 'third_house | price:.53\n").unwrap();
    let refused = hogwild(at, "predict m.safetensors odd.vw");
    assert_eq!(refused.status.code(), Some(0), "heads are passed over: {}", message(&refused));
    let refused = message(&hogwild(at, "train odd.vw --out n.safetensors"));
    assert!(refused.contains("odd.vw:9:5: a first prediction stands behind the importance, which is not read: `0.5`"), "{refused}");
}
