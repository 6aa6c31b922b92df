//! Features hashed to numbers below a power of two: the same in training and in prediction, in every format.
use crate::support::{
    command::{good, hogwild, message, said},
    data::{read_as, rows_of},
};
use hogwild::data::{Data, PackSettings, Preparation, Rows};
use std::fs;

fn hashed(bits: u32) -> PackSettings {
    PackSettings { prepare: Preparation { hash_bits: Some(bits), ..Preparation::default() }, ..PackSettings::default() }
}

fn rows(text: &str, settings: &PackSettings) -> Rows {
    let Ok((_, Data::Rows(rows))) = read_as(text, settings) else { panic!("{text}") };
    rows
}

#[test]
fn features_fall_into_so_many_columns_and_add_up() {
    // Numbers by Python's package xxhash.
    let csv = rows("y,city,age\n1,Rome,30\n0,Oslo,\n", &hashed(18));
    let found = rows_of(&csv);
    let rome = found[0].1.iter().find(|(id, _)| *id == 84_554);
    assert!(rome.is_some_and(|(_, value)| *value == 1.0) && found[0].1.len() == 2 && found[1].1.len() == 1, "{found:?}");
    assert_eq!(rows_of(&rows("1 7:0.5\n", &hashed(18))), [(1.0, vec![(104_111, 0.5)])]);
    // Of two columns all features share them, and nothing is lost.
    for text in
        ["1 1:1 2:2 3:4 4:8\n", "1 | a b:2 c:4 d:8\n", "y,a,b,c,d\n1,1,2,4,8\n", "{\"y\": 1, \"a\": 1, \"b\": 2, \"c\": 4, \"d\": 8}\n"]
    {
        let found = rows_of(&rows(text, &hashed(1)));
        let (ids, sum) = (found[0].1.iter().all(|(id, _)| *id < 2), found[0].1.iter().map(|(_, value)| value).sum::<f32>());
        assert!(ids && found[0].1.len() <= 2 && sum == 15.0, "{text}: {found:?}");
    }
    // What stands twice is still refused, and what is large is hashed too.
    let told = read_as("1 3:1 3:2\n", &hashed(18)).unwrap_err().to_string();
    assert!(told.contains("repeated"), "{told}");
    assert!(rows_of(&rows("1 18446744073709551615:1 16777216:1\n", &hashed(30)))[0].1.len() == 2);
    for (text, says) in [("1 0:1:1 1:2:1\n", "libffm rows"), ("1 2 3\n", "these are ratings")] {
        let told = read_as(text, &hashed(9)).unwrap_err().to_string();
        assert!(told.contains("`hash_bits` 9") && told.contains(says), "{told}");
    }
}

#[test]
fn memory_is_bounded_and_collisions_are_told() {
    let text: String = (0..60_000).map(|i| format!("{} |u u{i} |w x{}\n", i % 2, i % 10)).collect();
    let (report, data) = read_as(&text, &hashed(14)).unwrap();
    let Data::Rows(data) = data else { panic!() };
    assert!(data.columns() == 1 << 14 || data.columns() > 15_000, "{}", data.columns());
    let told = report.notes.join("\n");
    assert!(told.contains("of 16384 columns: about ") && told.contains("% share one") || told.contains("all 16384"), "{told}");
    // Rare columns are left out by what fell into them.
    let prepare = Preparation { hash_bits: Some(14), min_count: Some(1000), ..Preparation::default() };
    let Data::Rows(data) = read_as(&text, &PackSettings { prepare, ..PackSettings::default() }).unwrap().1 else { panic!() };
    assert_eq!(data.columns(), 10);
}

#[test]
fn a_model_of_hashes_hashes_what_it_scores() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let text: String = (0..300).map(|i| format!("{},{},x{},{}\n", ["no", "yes"][i % 2], ["bad", "good"][i % 2], i % 7, i % 5)).collect();
    fs::write(at.join("t.csv"), format!("label,word,other,n\n{text}")).unwrap();
    let told = said(at, "train t.csv --hash-bits 12 --cross word:other --epochs 20 --out m.safetensors");
    assert!(told.contains("of 4096 columns"), "{told}");
    let shown = good(at, "inspect m.safetensors");
    assert!(shown.contains("  hash_bits 12\n") && shown.contains("names not kept"), "{shown}");
    fs::write(at.join("new.csv"), "n,word,other\n1,good,x1\n2,bad,x9\n").unwrap();
    let scores: Vec<f32> = good(at, "predict m.safetensors new.csv").lines().map(|line| line.parse().unwrap()).collect();
    assert!(scores[0] > 0.8 && scores[1] < 0.2, "{scores:?}");
    let told = message(&hogwild(at, "predict m.safetensors new.csv --hash-bits 13"));
    assert!(told.contains("the model keeps what was done"), "{told}");
    good(at, "pack t.csv -o other.safetensors --hash-bits 13");
    let told = message(&hogwild(at, "eval m.safetensors other.safetensors"));
    assert!(told.contains("features are hashed by 13 bits, and were hashed by 12 bits in training"), "{told}");
    // Rows of numbers too.
    fs::write(at.join("t.svm"), (0..200).map(|i| format!("{} {}:1 9:1\n", i % 2, 1 + i % 2)).collect::<String>()).unwrap();
    good(at, "train t.svm --hash-bits 10 --epochs 20 --out n.safetensors");
    fs::write(at.join("new.svm"), "2:1\n1:1\n").unwrap();
    let scores: Vec<f32> = good(at, "predict n.safetensors new.svm").lines().map(|line| line.parse().unwrap()).collect();
    assert!(scores[0] > 0.8 && scores[1] < 0.2, "{scores:?}");
}
