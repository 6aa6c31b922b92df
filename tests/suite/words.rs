//! Lines of Vowpal Wabbit, libffm and fastText: their features by name or number, and what of them is not read by its name.
use crate::support::{
    command::{good, hogwild, message, parts},
    data::{NamedRow, named_rows, read_as, rows_of},
};
use hogwild::{
    Error,
    data::{Data, Format, PackSettings, Preparation, Repeated},
};
use std::fs;

fn read(text: &str, settings: &PackSettings) -> Vec<NamedRow> {
    match read_as(text, settings) {
        Ok((_, Data::Rows(data))) => named_rows(&data),
        other => panic!("{text:?}: {other:?}"),
    }
}

fn row(label: f32, features: &[(&str, f32)]) -> NamedRow {
    let mut features: Vec<_> = features.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
    features.sort_by(|a, b| a.0.cmp(&b.0));
    (label, features)
}

#[test]
fn lines_of_vowpal_wabbit() {
    let plain = PackSettings::default();
    for (text, expected) in [
        ("1 |f a b:2.5\n", row(1.0, &[("f^a", 1.0), ("f^b", 2.5)])),
        ("-1 | a 7:3\n", row(-1.0, &[("a", 1.0), ("7", 3.0)])),
        ("1 1.0 'tag |f a|g:0.5 a b:4\r\n", row(1.0, &[("f^a", 1.0), ("g^a", 0.5), ("g^b", 2.0)])),
        ("1 1 'tag|f a\n", row(1.0, &[("f^a", 1.0)])),
        ("0.5 'x|f a\tb\n", row(0.5, &[("f^a", 1.0), ("f^b", 1.0)])),
        ("1 1 0 |f the cat the\n", row(1.0, &[("f^the", 2.0), ("f^cat", 1.0)])),
        ("1 |f a:-1e-2 |f a\n", row(1.0, &[("f^a", 0.99)])),
        ("\n# none\n  1 |\n", row(1.0, &[])),
        ("1 |a^b c |a b^c\n", row(1.0, &[("a^b^c", 2.0)])),
        ("1 |zoë ünï=x\n", row(1.0, &[("zoë^ünï=x", 1.0)])),
    ] {
        assert_eq!(read(text, &plain), [expected], "{text:?}");
    }
    let unlabelled = PackSettings { unlabelled: true, format: Some(Format::Vw), ..PackSettings::default() };
    for text in ["|f a\n", "'x |f a\n", "? |f a\n", "x|f a\n"] {
        let found = read(text, &unlabelled);
        assert!(found[0].0.is_nan() && found[0].1 == row(0.0, &[("f^a", 1.0)]).1, "{text:?}");
    }
    let long = format!("1 |{} a\n", "n".repeat(300));
    assert_eq!(read(&long, &plain), [row(1.0, &[(&format!("{}^a", "n".repeat(300)), 1.0)])]);
}

#[test]
fn names_of_chunks_are_joined() {
    // Many names in many chunks, some of them in all; on any number of threads the file is the same.
    let line = |i: usize| format!("{} |u u{} |w common w{} w{}\n", i % 2, i % 50_000, i % 97, i);
    let text: String = (0..300_000).map(line).collect();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("t.vw"), &text).unwrap();
    good(at, "pack t.vw -o one.safetensors --threads 1");
    good(at, "pack t.vw -o two.safetensors --threads 2");
    assert!(fs::read(at.join("one.safetensors")).unwrap() == fs::read(at.join("two.safetensors")).unwrap());
    let Data::Rows(rows) = Data::open(at.join("two.safetensors")).unwrap() else { panic!() };
    let (ids, counts) = (rows.feature_ids().unwrap(), rows.feature_counts().unwrap());
    assert_eq!((rows.columns(), ids.name(0), counts[0]), (1 + 97 + 300_000 - 97 + 50_000, "w^common".into(), 300_000));
    assert_eq!(counts.iter().sum::<u64>(), rows.nonzeros());
    let found = named_rows(&rows);
    for i in [0, 96, 97, 150_000, 299_999] {
        let mut features = vec![(format!("u^u{}", i % 50_000), 1.0), ("w^common".into(), 1.0)];
        features.push((format!("w^w{i}"), if i < 97 { 2.0 } else { 1.0 }));
        if i >= 97 {
            features.push((format!("w^w{}", i % 97), 1.0));
        }
        features.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(found[i].1, features, "{i}");
    }
}

#[test]
fn a_model_of_names_is_read_and_used_by_names() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let text: String = (0..200).map(|i| format!("{} |f {} x{}\n", [-1, 1][i % 2], ["bad", "good"][i % 2], i % 5)).collect();
    fs::write(at.join("t.vw"), text).unwrap();
    let told = message(&hogwild(at, "train t.vw --out m.safetensors --epochs 20"));
    assert!(told.contains("features are called `namespace^feature`") && told.contains("t.vw: vw rows: 200 examples"), "{told}");
    let shown = good(at, "inspect m.safetensors --top 2");
    assert!(shown.contains("  f^good ") && shown.contains("  f^bad -"), "{shown}");
    // In another order, and with features that the model does not know.
    fs::write(at.join("new.vw"), "|f new good\n| f good\n|f bad x1\n").unwrap();
    let (code, scores, told) = parts(&hogwild(at, "predict m.safetensors new.vw"));
    let scores: Vec<f32> = scores.lines().map(|line| line.parse().unwrap()).collect();
    assert!(code == Some(0) && scores[0] > 0.9 && scores[2] < 0.1, "{scores:?}");
    assert!(told.contains("3 features, users or items were unknown"), "{told}");
}

#[test]
fn rows_of_libffm() {
    let of = |text: &str| match read_as(text, &PackSettings::default()) {
        Ok((_, Data::Rows(data))) => rows_of(&data),
        other => panic!("{text:?}: {other:?}"),
    };
    assert_eq!(of("1 0:5:1 1:7:0.5\n"), [(1.0, vec![(5, 1.0), (7, 0.5)])]);
    let long = "18446744073709551615";
    assert_eq!(
        of(&format!("-1\t0:{long}:2 # c\r\n# c\n\n0\n1 3:00000000012:1e2\n")),
        [(-1.0, vec![(u64::MAX, 2.0)]), (0.0, vec![]), (1.0, vec![(12, 100.0)]),]
    );
    // An index in two fields is one feature.
    assert_eq!(of("1 0:5:1 1:7:1 2:5:0.5\n"), [(1.0, vec![(5, 1.5), (7, 1.0)])]);
}

#[test]
fn lines_of_fasttext() {
    let plain = PackSettings::default();
    let text = "__label__pos  a good film, a good one\n__label__neg bad 7\n\n__label__pos\n";
    let expected =
        [row(1.0, &[("a", 2.0), ("good", 2.0), ("film,", 1.0), ("one", 1.0)]), row(-1.0, &[("bad", 1.0), ("7", 1.0)]), row(1.0, &[])];
    assert_eq!(read(text, &plain), expected);
    let grams = PackSettings { prepare: Preparation { ngrams: Some(3), ..Preparation::default() }, ..PackSettings::default() };
    let text = "__label__b x  y z x y\n__label__a x y\n";
    let first =
        [("x", 2.0), ("y", 2.0), ("z", 1.0), ("x y", 2.0), ("y z", 1.0), ("z x", 1.0), ("x y z", 1.0), ("y z x", 1.0), ("z x y", 1.0)];
    assert_eq!(read(text, &grams), [row(1.0, &first), row(-1.0, &[("x", 1.0), ("y", 1.0), ("x y", 1.0)])]);
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let text: String =
        (0..100).map(|i| format!("__label__{} it is {} good x{i}\n", ["no", "yes"][i % 2], ["not", "very"][i % 2])).collect();
    fs::write(at.join("t.txt"), text).unwrap();
    good(at, "train t.txt --ngrams 2 --min-count 2 --epochs 20 --out m.safetensors");
    let shown = good(at, "inspect m.safetensors");
    for line in ["  format fasttext", "  classes no, yes", "  ngrams 2", "  min_count 2"] {
        assert!(shown.lines().any(|shown| shown == line), "{shown}");
    }
    fs::write(at.join("new.txt"), "it is very good\nit is not good\n").unwrap();
    let scores: Vec<f32> = good(at, "predict m.safetensors new.txt --format fasttext").lines().map(|line| line.parse().unwrap()).collect();
    assert!(scores[0] > 0.8 && scores[1] < 0.2, "{scores:?}");
}

#[test]
fn formats_that_add_up_take_no_repeated() {
    for (text, format) in [("1 |f a\n", Format::Vw), ("1 0:1:1\n", Format::Libffm), ("__label__a b\n", Format::Fasttext)] {
        assert_eq!(Format::detect(text.as_bytes()), Some(format));
        let told = read_as(text, &PackSettings { repeated: Repeated::Last, ..PackSettings::default() }).unwrap_err();
        assert!(matches!(&told, Error::BadSetting { setting: "repeated", problem, .. } if problem.contains("add up")), "{told}");
    }
}
