//! Examples of one class left out, and the others counted the more: probabilities stay those of all examples.
use crate::support::{
    alone,
    command::{good, hogwild, message, said},
    data::{read_as, rows_of},
};
use hogwild::data::{Data, PackReport, PackSettings, Preparation, Rows, Sampling, Share};
use std::fs;

fn read(text: &str, sample: Sampling) -> (PackReport, Rows) {
    let prepare = Preparation { sample: Some(sample), ..Preparation::default() };
    let Ok((report, Data::Rows(rows))) = read_as(text, &PackSettings { prepare, ..PackSettings::default() }) else { panic!("{text}") };
    (report, rows)
}

/// One click of fifty, three times as likely with feature 2 as with feature 1.
fn clicks(rows: u64) -> String {
    let random = |i: u64| (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40;
    let line = |i: u64| {
        let feature = 1 + i % 2;
        let clicked = random(i) % 100 < if feature == 2 { 3 } else { 1 };
        format!("{} {feature}:1 {}:1\n", u64::from(clicked), 10 + i % 5)
    };
    (0..rows).map(line).collect()
}

#[test]
fn what_stays_counts_for_what_went() {
    let text = clicks(50_000);
    let (_, all) = read_as(&text, &PackSettings::default()).unwrap();
    let Data::Rows(all) = all else { panic!() };
    let positives = (0..all.rows()).filter(|&row| all.label(row) == 1.0).count();
    for (sample, low, high) in [
        (Sampling::Negatives(Share::new(0.1).unwrap()), 0.095, 0.105),
        (Sampling::Balance, 0.9 * positives as f64 / 49_000.0, 1.1 * positives as f64 / 49_000.0),
    ] {
        let (report, rows) = read(&text, sample);
        let weight =
            |label: f32| (0..rows.rows()).filter(|&row| rows.label(row) == label).map(|row| f64::from(rows.weight(row))).sum::<f64>();
        let kept = (rows.rows() - positives) as f64 / (50_000 - positives) as f64;
        assert!((low..high).contains(&kept), "{kept}");
        assert_eq!(weight(1.0), positives as f64);
        assert!((weight(0.0) / (50_000 - positives) as f64 - 1.0).abs() < 1e-5);
        // Counts are of what is there.
        let (counts, found) = (rows.feature_counts().unwrap(), rows_of(&rows));
        assert!(counts.is_sorted_by(|a, b| a >= b) && counts.iter().sum::<u64>() == rows.nonzeros());
        let ids = rows.feature_ids().unwrap();
        for (i, &count) in counts.iter().enumerate() {
            let id: u64 = ids.name(i).parse().unwrap();
            assert_eq!(found.iter().filter(|(_, row)| row.iter().any(|(other, _)| *other == id)).count() as u64, count);
        }
        assert!((report.rows, report.targets.count) == (found.len() as u64, found.len() as u64), "{report:?}");
        assert!(report.notes.iter().any(|note| note.contains("those that stay count")), "{:?}", report.notes);
    }
    // Weights of the text stay beside it.
    let weighted: String = (0..2000).map(|i| format!("{:+}:{} 1:1\n", if i % 10 == 0 { 1 } else { -1 }, 1 + i % 3)).collect();
    let (_, rows) = read(&weighted, Sampling::Balance);
    let sum: f64 = (0..rows.rows()).map(|row| f64::from(rows.weight(row))).sum();
    let all: f64 = (0..2000).map(|i| f64::from(1 + i % 3)).sum();
    assert!((sum / all - 1.0).abs() < 1e-5, "{sum} {all}");
}

#[test]
fn probabilities_stay_calibrated() {
    let _turn = alone();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("t.svm"), clicks(100_000)).unwrap();
    let mean = |how: &str| {
        good(at, &format!("train t.svm {how} --epochs 20 --threads 1 --out m.safetensors"));
        let scores: Vec<f64> = good(at, "predict m.safetensors t.svm").lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(scores.len(), 100_000);
        let of = |feature: usize| scores.iter().skip(feature).step_by(2).sum::<f64>() / 50_000.0;
        (of(0), of(1))
    };
    let plain = mean("");
    for how in ["--sample 0.1", "--balance"] {
        let found = mean(how);
        assert!((found.0 / plain.0 - 1.0).abs() < 0.1 && (found.1 / plain.1 - 1.0).abs() < 0.1, "{how}: {found:?} {plain:?}");
    }
    assert!((plain.0 - 0.01).abs() < 0.002 && (plain.1 - 0.03).abs() < 0.003, "{plain:?}");
    // Held-out text is read whole, and the file says what was done.
    fs::write(at.join("v.svm"), clicks(1000)).unwrap();
    let told = said(at, "train t.svm --valid v.svm --sample 0.1 --epochs 1 --out m.safetensors");
    assert!(told.contains("v.svm: svmlight rows: 1,000 examples"), "{told}");
    assert!(good(at, "inspect m.safetensors").contains("sampled\n    label 0.0\n    share 0.1"), "{}", good(at, "inspect m.safetensors"));
}

#[test]
fn the_same_text_gives_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let line = |i: u64| format!("{} |u u{} |w common w{}\n", u64::from(i.is_multiple_of(20)), i % 50_000, i % 97);
    fs::write(at.join("t.vw"), (0..300_000).map(line).collect::<String>()).unwrap();
    good(at, "pack t.vw -o one.safetensors --balance --min-count 2 --threads 1");
    good(at, "pack t.vw -o two.safetensors --balance --min-count 2 --threads 2");
    assert!(fs::read(at.join("one.safetensors")).unwrap() == fs::read(at.join("two.safetensors")).unwrap());
    let Data::Rows(rows) = Data::open(at.join("two.safetensors")).unwrap() else { panic!() };
    let positives = (0..rows.rows()).filter(|&row| rows.label(row) == 1.0).count();
    assert!(positives == 15_000 && (14_500..15_500).contains(&(rows.rows() - positives)), "{}", rows.rows());
    fs::write(at.join("three.vw"), "1 |a b\n2 |a c\n3 |a c\n").unwrap();
    for (line, says) in [
        ("pack three.vw -o x.safetensors --sample 0.5", "is of data of two classes"),
        ("pack three.vw -o x.safetensors --balance", "--balance"),
        ("pack t.vw -o x.safetensors --sample 0.000001", "leaves no example with the label 0"),
        ("pack t.vw -o x.safetensors --sample 1.5", "above 0 and below 1"),
        ("pack t.vw -o x.safetensors --sample 0.5 --balance", "cannot be used with"),
        ("train one.safetensors --sample 0.5", "the data are packed already"),
    ] {
        let output = hogwild(at, line);
        let told = message(&output);
        assert!(output.status.code() == Some(2) && told.contains(says), "{line}: {told}");
    }
}
