//! `hogwild explain`: terms of every family add up to the score, and are named.
use crate::support::{
    command::{given, good, parts},
    data::{classes, ratings, sparse, text_like, topics},
    shared,
    training::factors,
};
use hogwild::{Explain, Explained, Normalize, Settings, TrainedModel, Trainer, data::Labelling};
use std::fs;

fn all(model: &TrainedModel, data: &hogwild::AnyData<'_>, top: usize, class: Option<&str>) -> Vec<Explained> {
    model.explain(*data, &Explain { rows: 0..50, top, class: class.map(str::to_owned) }).unwrap()
}

/// Whether terms and the rest are the score, the heaviest first.
fn check(explained: &Explained, top: usize) {
    let sum: f64 = explained.terms.iter().map(|term| term.adds).sum::<f64>() + explained.others.1;
    assert!((sum - explained.score).abs() < 1e-9 && explained.terms.len() <= top, "{explained:?}");
    assert!(explained.terms.windows(2).all(|pair| pair[0].adds.abs() >= pair[1].adds.abs()), "{explained:?}");
}

#[test]
fn terms_of_rows_add_up_to_the_score() {
    let folder = tempfile::tempdir().unwrap();
    let (data, other) = (sparse(folder.path(), "a.svm", &text_like(300, 0)), sparse(folder.path(), "b.svm", &text_like(60, 9_000)));
    let _turn = shared();
    let linear = Trainer::linear().lr(0.1).threads(1).fit(&data).unwrap();
    let unit = Trainer::linear().lr(0.1).threads(1).normalize(Normalize::Row).fit(&data);
    let fm = Trainer::factorization_machine().lr(0.1).threads(1).rank(3).fit(&data).unwrap();
    for outcome in [Ok(linear), unit, Ok(fm)].into_iter().flatten() {
        let model = outcome.trained().unwrap();
        let scores = model.score(&other).unwrap().scores;
        for top in [0, 3, 100_000] {
            let explained = all(model, &(&other).into(), top, None);
            assert_eq!(explained.len(), 50);
            for one in &explained {
                check(one, top);
                let (score, n) = (f64::from(scores[one.row].0), other.row_range(one.row).len() as u64);
                assert!((one.score - score).abs() < 1e-4 * (1.0 + score.abs()), "{one:?} {score}");
                assert!((one.prediction - model.loss.predict(score as f32)).abs() < 1e-4);
                let known = n - one.unknown;
                let pairs = if model.family == "fm" { known * known.saturating_sub(1) / 2 } else { 0 };
                assert_eq!((one.terms.len() + one.others.0) as u64, 1 + known + pairs);
            }
            if top > 3 {
                assert!(explained[0].terms.iter().any(|term| term.name == "bias"));
                assert_eq!(explained[0].terms.iter().any(|term| term.name.contains(" * ")), model.family == "fm");
            }
        }
    }
}

#[test]
fn terms_of_classes_are_of_the_winner_or_of_the_one_named() {
    let data = classes(&topics(300, 5, 3), Labelling::Class);
    let _turn = shared();
    for trainer in [Trainer::softmax(), Trainer::one_vs_rest()] {
        let outcome = trainer.lr(0.2).threads(1).fit(&data).unwrap();
        let model = outcome.trained().unwrap();
        let scored = model.score(&data).unwrap().classes.unwrap();
        let names = model.ids("class").unwrap();
        for (class, name) in [None, Some(2)].into_iter().map(|class: Option<usize>| (class, class.map(|class| names.name(class)))) {
            for one in all(model, &(&data).into(), 4, name.as_deref()) {
                check(&one, 4);
                let class = class.unwrap_or_else(|| scored.predicted(one.row)[0] as usize);
                assert_eq!(one.class, Some(names.name(class)));
                assert!((one.score - f64::from(scored.scores(one.row)[class])).abs() < 1e-4);
                assert!((one.prediction - scored.probabilities(one.row)[class]).abs() < 1e-5);
            }
        }
        let refused = model.explain(&data, &Explain { rows: 0..1, top: 1, class: Some("x".into()) }).unwrap_err().to_string();
        assert!(refused.contains("is no class of the model, which has 0, 1, 2, 3, 4"), "{refused}");
    }
}

#[test]
fn terms_of_ratings_are_mean_biases_and_product() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..300u32).map(|i| format!("u{}\ti{}\t{}\n", i % 20, i * 7 % 30, 1 + i % 5)).collect();
    let data = ratings(folder.path(), "r.tsv", &text);
    let model = factors(&data, None, Settings { lr: Some(0.1), threads: 1, rank: 4, ..Settings::for_ratings() }).model.unwrap();
    let other = ratings(folder.path(), "o.tsv", "u1\ti3\t1\nnew\ti3\t1\nu1\tnew\t1\nnew\tnew\t2\n");
    let scores = model.score(&other).unwrap().scores;
    let names = [vec!["item i3", "mean", "user u1", "user u1 * item i3"], vec!["item i3", "mean"], vec!["mean", "user u1"], vec!["mean"]];
    for (one, names) in all(&model, &(&other).into(), 9, None).iter().zip(names) {
        check(one, 9);
        let mut found: Vec<&str> = one.terms.iter().map(|term| term.name.as_str()).collect();
        found.sort_unstable();
        assert_eq!((found, one.unknown), (names, [0, 1, 1, 2][one.row]));
        assert!((one.score - f64::from(scores[one.row].0)).abs() < 1e-5);
    }
}

#[test]
fn the_command_explains_raw_rows() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let table: String = (0..200).map(|i| format!("{},{},{}\n", u8::from(i % 3 == 0), ["Rome", "Oslo", "Bonn"][i % 3], i % 7)).collect();
    fs::write(at.join("t.csv"), format!("click,city,age\n{table}")).unwrap();
    good(at, "train t.csv --lr 0.3 --threads 1 --quiet --out m.safetensors");
    let text = good(at, "explain m.safetensors t.csv --rows 2 --top 2");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() == 8 && lines[0].starts_with("row 1  score ") && lines[4].starts_with("row 2  score "), "{text}");
    assert!(lines[3].ends_with("  1 other terms") || lines[3].ends_with("other terms"), "{text}");
    let objects = good(at, "explain m.safetensors t.csv --rows 5-6 --jsonl");
    let objects: Vec<serde_json::Value> = objects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names = |one: &serde_json::Value| {
        one["terms"].as_array().unwrap().iter().map(|term| term["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(objects.iter().map(|one| one["row"].as_u64().unwrap()).collect::<Vec<_>>(), [5, 6]);
    assert!(names(&objects[0]).contains(&"city=Oslo".to_owned()) && names(&objects[1]).contains(&"age".to_owned()), "{objects:?}");
    let predicted: Vec<f64> = good(at, "predict m.safetensors t.csv").lines().map(|line| line.parse().unwrap()).collect();
    assert!(objects.iter().zip(&predicted[4..]).all(|(one, p)| (one["prediction"].as_f64().unwrap() - p).abs() < 1e-5));
    for (line, says) in [
        ("--rows 0", "must be how many"),
        ("--rows 9-3", "must be how many"),
        ("--rows 300-400", "--rows 300-400: there are 200 examples"),
        ("--class x", "--class x: is of models of several classes"),
        ("--out t.csv", "is an input"),
    ] {
        let (code, _, told) = parts(&given(at, &format!("explain m.safetensors t.csv {line}"), ""));
        assert!(code == Some(2) && told.contains(says), "{line}: {told}");
    }
}

/// Rows that could not be read merely keep their places.
#[test]
fn bad_rows_are_told_and_not_explained() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.svm"), topics(200, 2, 3)).unwrap();
    good(at, "train a.svm --lr 0.2 --epochs 1 --quiet --out m.safetensors");
    fs::write(at.join("bad.svm"), "1 1:1\n1 1:x\n0 2:1\n").unwrap();
    let text = good(at, "explain m.safetensors bad.svm --on-bad-row skip");
    assert!(text.contains("row 2  could not be read\nrow 3  score "), "{text}");
}
