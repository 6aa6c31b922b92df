//! `hogwild describe`: the profile of tables, rows and ratings against what was written.
use crate::support::command::{given, good, parts};
use serde_json::Value;
use std::{fs, path::Path};

fn json(folder: &Path, line: &str) -> Value {
    serde_json::from_str(&good(folder, &format!("{line} --json"))).unwrap()
}

fn close(value: &Value, expected: f64) -> bool {
    (value.as_f64().unwrap() - expected).abs() < 1e-6
}

#[test]
fn a_table_has_columns_with_values_and_label_rates() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // City tells the label, age a little, noise nothing; every fifth age is missing. 6,000 rows are several parts.
    let row = |i: usize| {
        let (city, y) = (["Rome", "Oslo", "Bonn"][i % 3], u8::from(i.is_multiple_of(3)));
        let age = if i.is_multiple_of(5) { String::new() } else { format!("{}", 20 + i % 7) };
        format!("{y},{city},{age},n{},{}\n", i * 7919 % 1000, 1 + i % 2)
    };
    fs::write(at.join("t.csv"), "click,city,age,noise,w\n".to_owned() + &(0..6000).map(row).collect::<String>()).unwrap();
    let found = json(at, "describe t.csv --ignore w --top 2");
    assert!(found["rows"] == 6000 && found["labels"][1]["name"] == "1" && close(&found["labels"][1]["share"], 1.0 / 3.0), "{found}");
    let columns = found["columns"].as_array().unwrap();
    let names: Vec<&str> = columns.iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert!(names[0] == "city" && names.len() == 3, "{names:?}");
    let column = |name: &str| columns.iter().find(|column| column["name"] == name).unwrap();
    let (city, age, noise) = (column("city"), column("age"), column("noise"));
    assert!(city["type"] == "words" && city["distinct"] == 3 && close(&city["missing"], 0.0) && close(&city["tells"], 1.0), "{city}");
    let values = city["values"].as_array().unwrap();
    assert!(values.len() == 2 && values.iter().all(|value| value["count"] == 2000), "{city}");
    let rate = |value: &Value| if value["name"] == "city=Rome" { 1.0 } else { 0.0 };
    assert!(values.iter().all(|value| close(&value["label"], rate(value))), "{city}");
    assert!(age["type"] == "numbers" && age["distinct"] == 7 && close(&age["missing"], 0.2), "{age}");
    assert!(
        age["numbers"]["min"] == 20.0 && age["numbers"]["max"] == 26.0 && (age["numbers"]["mean"].as_f64().unwrap() - 23.0).abs() < 0.1
    );
    assert!(noise["distinct"] == 1000 && noise["tells"].as_f64().unwrap() < 0.7, "{noise}");
    let text = good(at, "describe t.csv --ignore w --top 2");
    assert!(text.contains("6,000 examples") && text.contains("labels 0 66.7%, 1 33.3%"), "{text}");
    assert!(text.contains("  age (numbers): 7 values, 20.0% missing, tells "), "{text}");
    assert!(text.contains("2,000     1.0000  city=Rome") || text.contains("2,000     0.0000  city="), "{text}");
    // By weights, and the same on any number of threads.
    let weighted = json(at, "describe t.csv --weight w");
    assert!(close(&weighted["weights"], 9000.0) && weighted["columns"].as_array().unwrap().len() == 3);
    let one = json(at, "describe t.csv --ignore w --top 2 --threads 1");
    assert_eq!(one["columns"][0], found["columns"][0]);
    // What is crossed is of no column.
    let crossed = json(at, "describe t.csv --ignore w,noise --cross city:age --categorical age");
    assert!(crossed["columns"].as_array().unwrap().len() == 2 && crossed["others"].as_u64().unwrap() == 21, "{crossed}");
    assert!(close(&crossed["columns"][0]["missing"], 0.0), "{crossed}");
}

#[test]
fn rows_without_columns_and_labels_of_every_kind() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let rows = |label: &dyn Fn(usize) -> String| (0..90).map(|i| format!("{} {}:1 7:2\n", label(i), 1 + i % 3)).collect::<String>();
    fs::write(at.join("two.svm"), rows(&|i| if i % 3 == 1 { "+1".into() } else { "-1".into() })).unwrap();
    fs::write(at.join("number.svm"), rows(&|i| format!("{}", 10 * (i % 3)))).unwrap();
    fs::write(at.join("none.svm"), rows(&|_| "?".into())).unwrap();
    fs::write(at.join("many.svm"), rows(&|i| format!("c{}", i % 4))).unwrap();
    let two = json(at, "describe two.svm");
    assert!(two["frequent"][0]["name"] == "7" && two["frequent"][0]["count"] == 90 && close(&two["frequent"][0]["label"], 1.0 / 3.0));
    let of = |found: &Value, name: &str| found["frequent"].as_array().unwrap().iter().find(|value| value["name"] == name).unwrap().clone();
    assert!(close(&of(&two, "2")["label"], 1.0) && close(&of(&two, "1")["label"], 0.0));
    let number = json(at, "describe number.svm");
    assert!(close(&number["labels"]["mean"], 10.0) && close(&of(&number, "3")["label"], 20.0), "{number}");
    let none = json(at, "describe none.svm --unlabelled");
    assert!(none["labels"].is_null() && of(&none, "7")["label"].is_null(), "{none}");
    let many = json(at, "describe many.svm --labels class");
    assert!(many["labels"]["classes"] == 4 && of(&many, "7")["label"].is_null(), "{many}");
    good(at, "pack two.svm -o two.safetensors");
    assert_eq!(json(at, "describe two.safetensors"), two);
}

#[test]
fn ratings_have_users_items_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let row = |i: u32| format!("u{}\ti{}\t{}\n", i % 10, if i < 50 { 0 } else { i % 20 }, if i.is_multiple_of(4) { 5 } else { 1 });
    fs::write(at.join("r.tsv"), (0..200).map(row).collect::<String>()).unwrap();
    let found = json(at, "describe r.tsv --top 1");
    assert!(found["ratings"] == 200 && found["users"]["count"] == 10 && found["items"]["count"] == 20, "{found}");
    assert!(close(&found["density"], 1.0) && close(&found["values"]["mean"], 2.0), "{found}");
    assert!(found["frequent_values"][0]["rating"] == 1.0 && found["frequent_values"][0]["count"] == 150, "{found}");
    assert!(found["items"]["frequent"][0]["name"] == "i0" && found["items"]["most"].as_u64().unwrap() > 50, "{found}");
    assert!(good(at, "describe r.tsv").contains("10 users: ratings of each 20 to 20, median 20"));
    fs::write(at.join("none.svm"), "1:1 2:1\n").unwrap();
    for (line, says) in [("describe missing.tsv", "missing.tsv"), ("describe none.svm", "none.svm:1:1: the label is missing")] {
        let (code, out, told) = parts(&given(at, line, ""));
        assert!(code == Some(2) && out.is_empty() && told.contains(says), "{line}: {told}");
    }
}
