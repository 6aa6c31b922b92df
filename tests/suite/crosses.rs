//! Crosses: features of several columns that are one together.
use crate::support::{
    command::{good, hogwild, message},
    data::{named_rows, read_as},
};
use hogwild::data::{Data, Format, PackSettings, Preparation, Rows};
use std::{fmt::Write, fs};

fn settings(format: Format, crosses: &[&str]) -> PackSettings {
    let cross = crosses.iter().map(|names| names.split(':').map(str::to_owned).collect()).collect();
    PackSettings { format: Some(format), prepare: Preparation { cross, ..Preparation::default() }, ..PackSettings::default() }
}

fn rows(format: Format, text: &str, crosses: &[&str]) -> Rows {
    match read_as(text, &settings(format, crosses)) {
        Ok((_, Data::Rows(rows))) => rows,
        other => panic!("{text:?}: {other:?}"),
    }
}

#[test]
fn features_of_columns_are_one_together() {
    let found = |format, text: &str, crosses: &[&str]| {
        let mut rows = named_rows(&rows(format, text, crosses));
        rows.remove(0).1.into_iter().filter(|(name, _)| name.contains('^')).collect::<Vec<_>>()
    };
    let named = |pairs: &[(&str, f32)]| pairs.iter().map(|(name, value)| (name.to_string(), *value)).collect::<Vec<_>>();
    let table = "y,age,city,device\n1,3,Rome,phone\n0,4,Oslo,\n";
    assert_eq!(found(Format::Csv, table, &["city:device"]), named(&[("city=Rome^device=phone", 1.0)]));
    assert_eq!(found(Format::Csv, table, &["device:city"]), named(&[("device=phone^city=Rome", 1.0)]));
    assert_eq!(found(Format::Csv, table, &["age:city"]), named(&[("age^city=Rome", 3.0)]));
    assert_eq!(found(Format::Csv, table, &["age:city:device"]), named(&[("age^city=Rome^device=phone", 3.0)]));
    let all = named(&[("age^city=Rome", 3.0), ("age^device=phone", 3.0), ("city=Rome^device=phone", 1.0)]);
    assert_eq!(found(Format::Csv, table, &["*"]), all);
    assert_eq!(found(Format::Csv, table, &["city:age", "*"]).len(), 3);
    // A missing cell makes none.
    assert!(named_rows(&rows(Format::Csv, table, &["city:device"]))[1].1.iter().all(|(name, _)| !name.contains('^')));
    let object = "{\"y\":1,\"age\":3,\"tags\":[\"a\",\"b\",\"c\"],\"in\":{\"city\":\"Rome\"}}\n";
    assert_eq!(found(Format::Jsonl, object, &["age:in.city"]), named(&[("age^in.city=Rome", 3.0)]));
    let pairs = named(&[("tags=a^tags=b", 1.0), ("tags=a^tags=c", 1.0), ("tags=b^tags=c", 1.0)]);
    assert_eq!(found(Format::Jsonl, object, &["tags:tags"]), pairs);
    let vw = "1 |u a:2 b |i x:0.5\n";
    let expected = named(&[("u^a^i^x", 1.0), ("u^b^i^x", 0.5)]);
    assert_eq!(found(Format::Vw, vw, &["u:i"]).into_iter().filter(|(name, _)| name.matches('^').count() > 1).collect::<Vec<_>>(), expected);
}

#[test]
fn what_cannot_be_crossed_is_named() {
    let refused = |format, text: &str, crosses: &[&str]| read_as(text, &settings(format, crosses)).unwrap_err().to_string();
    let table = "y,a,b\n1,2,3\n";
    for (format, text, crosses, says) in [
        (Format::Csv, table, &["a:c"][..], "`c` is to be crossed, and is no column of features; the columns are: `y`, `a`, `b`"),
        (Format::Csv, table, &["a:y"], "`y` is to be crossed"),
        (Format::Csv, table, &["a"], "must be two to four columns"),
        (Format::Csv, table, &["a:b", "b:a"], "is there twice"),
        (Format::Csv, "y,a,b\n1,3e38,2e38\n", &["a:b"], "input:2:1: "),
        (Format::Svmlight, "1 1:1\n", &["a:b"], "is of columns or namespaces"),
        (Format::Vw, "1 |a b\n", &["*"], "name what is to be crossed"),
    ] {
        let told = refused(format, text, crosses);
        assert!(told.contains(says), "{told}");
    }
    let many = format!("1 |a {}\n", (0..400).map(|i| format!("w{i} ")).collect::<String>());
    let told = refused(Format::Vw, &many, &["a:a"]);
    assert!(told.contains("input:1:1") && told.contains("more than 65536"), "{told}");
}

#[test]
fn a_linear_model_learns_what_only_two_columns_tell() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "y,a,b,c\n".to_owned();
    for i in 0..2000 {
        let (a, b) = (i * 7 % 5 % 2, i / 3 % 2);
        writeln!(text, "{},{},{},{}", a ^ b, ["no", "yes"][a], ["off", "on"][b], i % 11).unwrap();
    }
    fs::write(folder.path().join("xor.csv"), &text).unwrap();
    let accuracy = |cross: &str| {
        good(folder.path(), &format!("train xor.csv {cross} --epochs 3 --threads 1 --out m.safetensors"));
        let told = good(folder.path(), "eval m.safetensors xor.csv");
        told.lines().find_map(|line| line.strip_prefix("accuracy ")?.parse::<f64>().ok()).unwrap()
    };
    assert!(accuracy("--ignore c") < 0.8);
    assert_eq!(accuracy("--cross a:b"), 1.0);
    // Raw rows are crossed by the model itself, which says so.
    fs::write(folder.path().join("raw.csv"), "b,c,a\noff,1,yes\non,1,yes\n").unwrap();
    let predicted: Vec<f32> = good(folder.path(), "predict m.safetensors raw.csv").lines().map(|line| line.parse().unwrap()).collect();
    assert!(predicted[0] > 0.9 && predicted[1] < 0.1, "{predicted:?}");
    assert!(good(folder.path(), "inspect m.safetensors").contains("a=yes^b=off"));
    let refused = hogwild(folder.path(), "predict m.safetensors raw.csv --cross a:b");
    assert!(refused.status.code() == Some(2) && message(&refused).contains("the model keeps"), "{}", message(&refused));
}
