//! Rare words of tables: one feature a column in training, and the same for words that training data did not have.
use crate::support::{
    command::good,
    data::{NamedRow, named_rows, read_as},
};
use hogwild::data::{Data, PackReport, PackSettings, Preparation};
use std::fs;

fn read(text: &str, settings: &PackSettings) -> (PackReport, Vec<NamedRow>) {
    match read_as(text, settings) {
        Ok((report, Data::Rows(data))) => (report, named_rows(&data)),
        other => panic!("{text:?}: {other:?}"),
    }
}

fn row(label: f32, features: &[(&str, f32)]) -> NamedRow {
    let mut features: Vec<_> = features.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
    features.sort_by(|a, b| a.0.cmp(&b.0));
    (label, features)
}

fn rare(least: u32) -> Preparation {
    Preparation { min_count: Some(least), list: vec![("tags".into(), "|".into())], ..Preparation::default() }
}

#[test]
fn rare_words_become_one_feature_a_column() {
    // `n` stands in one row only, and is no word.
    let csv = "y,city,tags,n\n1,Rome,a|b|c,\n0,Rome,a,\n1,Oslo,d,7\n0,Bern,,\n";
    let json = "{\"y\":1,\"city\":\"Rome\",\"tags\":[\"a\",\"b\",\"c\"]}\n{\"y\":0,\"city\":\"Rome\",\"tags\":\"a\"}\n\
                {\"y\":1,\"city\":\"Oslo\",\"tags\":\"d\",\"n\":7}\n{\"y\":0,\"city\":\"Bern\"}\n";
    let expected = [
        row(1.0, &[("city=Rome", 1.0), ("tags=a", 1.0), ("tags=<rare>", 2.0)]),
        row(0.0, &[("city=Rome", 1.0), ("tags=a", 1.0)]),
        row(1.0, &[("city=<rare>", 1.0), ("tags=<rare>", 1.0)]),
        row(0.0, &[("city=<rare>", 1.0)]),
    ];
    for text in [csv, json] {
        let (report, found) = read(text, &PackSettings { prepare: rare(2), ..PackSettings::default() });
        assert_eq!(found, expected, "{text}");
        let told = report.notes.join("\n");
        assert!(told.contains("5 words that occur in fewer than 2 examples are the feature `name=<rare>`"), "{told}");
        assert!(told.contains("1 features that occur in fewer than 2 examples are left out"), "{told}");
        assert_eq!((report.columns, report.nonzeros), (4, 8));
    }
    // Crosses are left out, and a word that is called so is a rare one.
    let prepare = Preparation { min_count: Some(2), cross: vec![vec!["a".into(), "b".into()]], ..Preparation::default() };
    let text = "y,a,b\n1,u,p\n0,u,q\n1,v,q\n0,<rare>,p\n1,<rare>,p\n";
    let (_, found) = read(text, &PackSettings { prepare, ..PackSettings::default() });
    assert_eq!(found[2], row(1.0, &[("a=<rare>", 1.0), ("b=q", 1.0)]));
    assert_eq!(found[4], row(1.0, &[("a=<rare>", 1.0), ("b=p", 1.0), ("a=<rare>^b=p", 1.0)]));
    // Bins are words; of rows without columns what is rare goes.
    let bins = Preparation { bins: vec![("x".into(), 2)], min_count: Some(3), ..Preparation::default() };
    let (_, found) = read("y,x\n1,1\n0,5\n1,5\n0,5\n", &PackSettings { prepare: bins, ..PackSettings::default() });
    assert_eq!(found[..2], [row(1.0, &[("x=<rare>", 1.0)]), row(0.0, &[("x>=5", 1.0)])]);
    let prepare = Preparation { min_count: Some(2), ..Preparation::default() };
    let (_, found) = read("1 |f a=b c\n0 |f c\n", &PackSettings { prepare, ..PackSettings::default() });
    assert_eq!(found, [row(1.0, &[("f^c", 1.0)]), row(0.0, &[("f^c", 1.0)])]);
}

#[test]
fn unseen_words_are_rare_ones() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // Cities that come once are always of +1.
    let line = |i: usize| if i.is_multiple_of(2) { format!("0,big,{}\n", i % 3) } else { format!("1,town{i},{}\n", i % 3) };
    let text: String = (0..300).map(line).collect();
    fs::write(at.join("t.csv"), format!("label,city,n\n{text}")).unwrap();
    for data in ["t.csv", "t.csv --model fm --rank 4"] {
        good(at, &format!("train {data} --min-count 2 --epochs 20 --out m.safetensors"));
        fs::write(at.join("new.csv"), "city,n\nbig,1\nvillage,1\n\"town1\",1\n,1\n").unwrap();
        let scores: Vec<f32> = good(at, "predict m.safetensors new.csv").lines().map(|line| line.parse().unwrap()).collect();
        assert!(scores[0] < 0.2 && scores[1] > 0.8, "{scores:?}");
        assert_eq!(scores[1], scores[2]);
        good(at, "pack t.csv -o t.safetensors --min-count 2");
        let of = |data: &str| good(at, &format!("predict m.safetensors {data}"));
        assert_eq!(of("t.csv"), of("t.safetensors"));
    }
    // The names are in what is exported, so that it goes by them too.
    good(at, "train t.csv --min-count 2 --out m.safetensors");
    good(at, "export m.safetensors --format npz --out m.npz");
    good(at, "import m.npz --out again.safetensors");
    assert_eq!(good(at, "predict m.safetensors new.csv"), good(at, "predict again.safetensors new.csv"));
}
