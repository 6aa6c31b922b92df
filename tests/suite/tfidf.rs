//! Words weighed by tf-idf: as scikit-learn weighs them, in lines and in lists, and raw text by the documents of training.
use crate::support::{
    command::{good, hogwild, message},
    data::{NamedRow, named_rows, read_as},
};
use hogwild::data::{Data, Format, PackSettings, Preparation, Recipe, Rows, Sampling, Share, TermFrequency};
use std::{fmt::Write, fs};

const DOCUMENTS: [&str; 4] = ["a good good film", "a bad film", "a good", "bad bad bad a x"];

/// Rows of `TfidfVectorizer(token_pattern=r"\S+", ...)` of scikit-learn 1.9.
type Golden = [&'static [(&'static str, f32)]; 4];

fn rows(text: &str, settings: &PackSettings) -> Rows {
    let Ok((_, Data::Rows(rows))) = read_as(text, settings) else { panic!("{text}") };
    rows
}

fn check(found: &[NamedRow], golden: &Golden) {
    for ((_, row), golden) in found.iter().zip(golden) {
        let names: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, golden.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        for ((name, value), (_, golden)) in row.iter().zip(*golden) {
            assert!((value - golden).abs() < 2e-6, "{name}: {value} {golden}");
        }
    }
}

fn weighed(tfidf: TermFrequency) -> Preparation {
    Preparation { tfidf: Some(tfidf), ..Preparation::default() }
}

const COUNT: Golden = [
    &[("a", 0.283833), ("film", 0.428821), ("good", 0.857643)],
    &[("a", 0.423897), ("bad", 0.640434), ("film", 0.640434)],
    &[("a", 0.551939), ("good", 0.833884)],
    &[("a", 0.199143), ("bad", 0.902613), ("x", 0.381617)],
];
const SUBLINEAR: Golden = [
    &[("a", 0.319012), ("film", 0.481971), ("good", 0.816048)],
    &[("a", 0.423897), ("bad", 0.640434), ("film", 0.640434)],
    &[("a", 0.551939), ("good", 0.833884)],
    &[("a", 0.260598), ("bad", 0.826261), ("x", 0.499381)],
];
const PAIRS: Golden = [
    &[("a", 0.26086), ("a good", 0.394113), ("film", 0.394113), ("good", 0.788227)],
    &[("a", 0.423897), ("bad", 0.640434), ("film", 0.640434)],
    &[("a", 0.423897), ("a good", 0.640434), ("good", 0.640434)],
    &[("a", 0.215448), ("bad", 0.976515)],
];

#[test]
fn words_are_weighed_as_by_scikit_learn() {
    let lines: String = DOCUMENTS.iter().zip(["p", "n", "p", "n"]).map(|(line, label)| format!("__label__{label} {line}\n")).collect();
    let pairs = Preparation { ngrams: Some(2), min_count: Some(2), ..weighed(TermFrequency::Count) };
    for (prepare, golden) in [(weighed(TermFrequency::Count), &COUNT), (weighed(TermFrequency::Sublinear), &SUBLINEAR), (pairs, &PAIRS)] {
        let data = rows(&lines, &PackSettings { prepare, ..PackSettings::default() });
        check(&named_rows(&data), golden);
        assert!(data.idf().unwrap().iter().all(|idf| *idf >= 1.0));
    }
}

#[test]
fn each_list_of_a_table_is_weighed_by_itself() {
    let mut table = "y,age,text,tags\n".to_owned();
    let mut lines = String::new();
    for (i, line) in DOCUMENTS.iter().enumerate() {
        let tags = ["u|v", "", "u", "u|u|w"][i];
        writeln!(table, "{},{},{line},{tags}", i % 2, 20 + i).unwrap();
        writeln!(lines, r#"{{"y": {}, "age": {}, "text": "{line}", "tags": "{tags}"}}"#, i % 2, 20 + i).unwrap();
    }
    let list = vec![("text".into(), " ".into()), ("tags".into(), "|".into())];
    let settings = PackSettings { prepare: Preparation { list, ..weighed(TermFrequency::Count) }, ..PackSettings::default() };
    for text in [&table, &lines] {
        let found = named_rows(&rows(text, &settings));
        let of = |front: &str| -> Vec<NamedRow> {
            let part = |(label, row): &NamedRow| {
                let cells = row.iter().filter_map(|(name, value)| Some((name.strip_prefix(front)?.to_owned(), *value)));
                (*label, cells.collect())
            };
            found.iter().map(part).collect()
        };
        check(&of("text="), &COUNT);
        let tags = of("tags=");
        // ln(5 / 4) + 1 for u of three rows, ln(5 / 2) + 1 for v and w of one.
        let (u, v) = (1.25f32.ln() + 1.0, 2.5f32.ln() + 1.0);
        for (row, values) in [(0, vec![u, v]), (2, vec![u]), (3, vec![2.0 * u, v])] {
            let length = values.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!(tags[row].1.iter().zip(&values).all(|((_, value), x)| (value - x / length).abs() < 1e-6), "{tags:?}");
        }
        assert_eq!(of("age")[3].1, [(String::new(), 23.0)]);
    }
}

#[test]
fn raw_text_is_weighed_by_the_documents_of_training() {
    let lines: String = DOCUMENTS.iter().zip(["p", "n", "p", "n"]).map(|(line, label)| format!("__label__{label} {line}\n")).collect();
    let settings = PackSettings { prepare: weighed(TermFrequency::Count), ..PackSettings::default() };
    let recipe = rows(&lines, &settings).whole_recipe().unwrap();
    let of_model = PackSettings { recipe, unlabelled: true, format: Some(Format::Fasttext), ..PackSettings::default() };
    let data = rows("good film new new a a\nnew\n", &of_model);
    let found = named_rows(&data);
    let golden: &[(&str, f32)] = &[("a", 0.683379), ("film", 0.516233), ("good", 0.516233)];
    for (name, value) in &found[0].1 {
        let expected = golden.iter().find(|(golden, _)| golden == name).map_or(0.0, |(_, value)| *value);
        assert!((value - expected).abs() < 2e-6, "{name} {value} {expected}");
    }
    assert_eq!((found[0].1.len(), &found[1].1[..]), (4, &[("new".to_owned(), 0.0)][..]));
    // A recipe that has lost the documents of its text weighs nothing.
    let lost = of_model.recipe.map(|recipe| Recipe::from_json(&recipe.to_json()).unwrap());
    let told = read_as("good\n", &PackSettings { recipe: lost, unlabelled: true, ..PackSettings::default() }).unwrap_err().to_string();
    assert!(told.contains("lacks the idf of its words"), "{told}");
}

#[test]
fn a_model_weighs_what_it_scores() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let line = |i: usize| {
        let words = [["dull", "poor"], ["fine", "great"]][i % 2];
        format!("__label__{} the film is {} the the n{} m{}\n", ["no", "yes"][i % 2], words[i / 2 % 2], i % 7, i * i % 11)
    };
    let text: String = (0..400).map(line).collect();
    let (train, test) = text.split_at(text.len() / 2 / 8 * 8);
    let cut = train.rfind('\n').unwrap() + 1;
    fs::write(at.join("train.txt"), &text[..cut]).unwrap();
    fs::write(at.join("test.txt"), [&train[cut..], test].concat()).unwrap();
    good(at, "train train.txt --valid test.txt --ngrams 2 --tfidf --out m.safetensors --epochs 10");
    assert!(good(at, "inspect m.safetensors").contains("  tfidf count\n"));
    good(at, "pack train.txt -o train.safetensors --ngrams 2 --tfidf");
    // The training text scores as its packed form does, whose numbers were made in training.
    let scores = |data: &str| good(at, &format!("predict m.safetensors {data}"));
    assert_eq!(scores("train.txt"), scores("train.safetensors"));
    // So does a part of it, in which words are as frequent as they are.
    let first: String = text.lines().take(3).map(|line| format!("{line}\n")).collect();
    fs::write(at.join("first.txt"), first).unwrap();
    assert_eq!(scores("first.txt").lines().collect::<Vec<_>>(), scores("train.txt").lines().take(3).collect::<Vec<_>>());
    let told = good(at, "eval m.safetensors test.txt --json");
    assert!(told.contains("\"accuracy\":1.0"), "{told}");
    // Another file by itself has other documents.
    good(at, "pack test.txt -o test.safetensors --ngrams 2 --tfidf");
    let told = message(&hogwild(at, "eval m.safetensors test.safetensors"));
    assert!(told.contains("words are weighed by other documents"), "{told}");
    // Text by name has the weights, and no idf.
    good(at, "export m.safetensors --format tsv --out m.tsv");
    good(at, "import m.tsv --out again.safetensors");
    let told = message(&hogwild(at, "predict again.safetensors test.txt"));
    assert!(told.contains("lacks the idf of its words"), "{told}");
    assert_eq!(good(at, "predict again.safetensors train.safetensors").lines().count(), text[..cut].lines().count());
}

#[test]
fn what_has_no_bags_is_not_weighed() {
    let of = |prepare: Preparation| PackSettings { prepare, ..PackSettings::default() };
    let lists = |prepare: Preparation| Preparation { list: vec![("a".into(), " ".into())], ..prepare };
    let plain = weighed(TermFrequency::Count);
    for (text, prepare, says) in [
        ("1 3:1\n", plain.clone(), "`tfidf` count: is of lines of words"),
        ("y,a\n1,u v\n", plain.clone(), "or of columns that `list` names, and these are csv rows"),
        ("y,a\n1,u v\n", Preparation { hash_bits: Some(9), ..lists(plain.clone()) }, "does not go with `hash_bits`"),
        ("y,a,b\n1,u v,1\n", Preparation { cross: vec![vec!["a".into(), "b".into()]], ..lists(plain.clone()) }, "`a` is crossed"),
        (
            "1 2 3\n",
            Preparation { sample: Some(Sampling::Negatives(Share::new(0.5).unwrap())), ..Preparation::default() },
            "of two classes",
        ),
    ] {
        let told = read_as(text, &of(prepare)).unwrap_err().to_string();
        assert!(told.contains(says), "{told}");
    }
}
