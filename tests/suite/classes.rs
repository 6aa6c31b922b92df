//! Labels of any two values: which is +1, what the model keeps of that, and what is said of labels that do not fit.
use crate::support::{
    command::{self, parts},
    data::sparse,
};
use hogwild::{Classes, Ended, Loss, Settings, TrainedModel, data::Data, train_linear};
use std::{fs, path::Path};

/// Rows of two labels that their features tell apart, but not every time.
fn text(low: &str, high: &str) -> String {
    let rows = [(high, "1:1 3:0.5"), (low, "2:1"), (high, "1:1"), (low, "2:1 3:1"), (high, "2:1")];
    let line = |i: usize| format!("{} {}\n", rows[i % rows.len()].0, rows[i % rows.len()].1);
    (0..200).map(line).collect()
}

fn trained(low: &str, high: &str, positive: Option<f32>, loss: Loss) -> hogwild::Result<TrainedModel> {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "text", &text(low, high));
    let settings = Settings { loss, positive, lr: Some(0.3), threads: 1, epochs: 3, ..Settings::default() };
    let outcome = train_linear(&data, None, &settings, &mut (), &Default::default())?;
    assert!(matches!(outcome.ended, Ended::Finished));
    Ok(outcome.model.unwrap())
}

fn weights(model: &TrainedModel) -> (f32, Vec<f32>) {
    let linear = model.linear().unwrap();
    (linear.bias, linear.weights.to_vec())
}

#[test]
fn any_two_labels_are_the_classes_and_train_to_the_same_bits() {
    let usual = trained("-1", "1", None, Loss::Logistic).unwrap();
    assert_eq!(usual.classes, Some(Classes::SIGNS));
    for (low, high) in [("0", "1"), ("1", "2"), ("0", "2"), ("-1", "0"), ("-7.5", "16777216"), ("-3", "-2")] {
        let model = trained(low, high, None, Loss::Logistic).unwrap();
        assert_eq!(weights(&model), weights(&usual), "{low} {high}");
        let classes = model.classes.unwrap();
        assert_eq!(classes.names(), [low, high]);
        // The other way round, all is the other way round.
        let turned = trained(low, high, Some(low.parse().unwrap()), Loss::Hinge).unwrap();
        let straight = trained(low, high, Some(high.parse().unwrap()), Loss::Hinge).unwrap();
        let negated = |(bias, weights): (f32, Vec<f32>)| (-bias, weights.iter().map(|w| -w).collect::<Vec<_>>());
        assert_eq!(weights(&turned), negated(weights(&straight)), "{low} {high}");
        assert_eq!(turned.classes.unwrap().names(), [high, low]);
    }
    let other = trained("1", "2", Some(3.0), Loss::Logistic).unwrap_err().to_string();
    assert!(other.contains("`positive` 3") && other.contains("1, 2"), "{other}");
    for (positive, loss) in [(1.0, Loss::Squared), (f32::NAN, Loss::Logistic)] {
        assert!(trained("1", "2", Some(positive), loss).unwrap_err().to_string().starts_with("`positive`"));
    }
    // A loss for numbers has no classes.
    assert_eq!(trained("1", "2", None, Loss::Squared).unwrap().classes, None);
}

#[test]
fn the_classes_are_kept_in_the_file_and_go_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let model = trained("1", "2", None, Loss::Logistic).unwrap();
    model.save(&path).unwrap();
    assert!(String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(r#"\"classes\":[\"1\",\"2\"]"#));
    let opened = TrainedModel::open(&path).unwrap();
    assert_eq!(opened.classes, Some(Classes { negative: Some(1.0), positive: 2.0 }));
    let check = |model: &TrainedModel, text: &str| model.check_labels(&Data::Rows(sparse(folder.path(), "text", text)));
    assert!(check(&opened, "1 1:1\n2 2:1\n").is_ok() && check(&opened, "2 2:1\n").is_ok());
    let error = check(&opened, "1 1:1\n2 2:1\n0 1:1\n").unwrap_err().to_string();
    assert!(error.contains("row 3 has label 0") && error.contains("1 and 2"), "{error}");
    let scored = opened.score(&Data::Rows(sparse(folder.path(), "text", "1 2:1\n2 1:1\n"))).unwrap();
    assert_eq!(scored.scores.iter().map(|score| score.1).collect::<Vec<_>>(), [-1.0, 1.0]);
    // The part that scores takes labels alike, by the classes it is given.
    let (linear, data) = (opened.linear().unwrap(), sparse(folder.path(), "text", "1 2:1\n2 1:1\n"));
    assert_eq!(linear.score(opened.loss, opened.classes, &data).unwrap().scores, scored.scores);
    let labels = |loss, classes| linear.score(loss, classes, &data).unwrap().scores.iter().map(|score| score.1).collect::<Vec<_>>();
    assert_eq!((labels(Loss::Logistic, None), labels(Loss::Squared, opened.classes)), (vec![1.0, -1.0], vec![1.0, 2.0]));

    // A model of an earlier version: -1 or 0, and +1.
    let old = TrainedModel { classes: None, ..opened.clone() };
    old.save(&path).unwrap();
    let old = TrainedModel::open(&path).unwrap();
    assert_eq!(old.classes, Some(Classes::SIGNS));
    for (text, fits) in [("-1 1:1\n1 2:1\n", true), ("0 1:1\n1 2:1\n", true), ("0 1:1\n-1 2:1\n", false), ("1 1:1\n2 2:1\n", false)] {
        assert_eq!(check(&old, text).is_ok(), fits, "{text}");
    }
    // Two names that are one are no classes.
    TrainedModel { classes: Some(Classes { negative: Some(2.0), positive: 2.0 }), ..opened }.save(&path).unwrap();
    assert!(TrainedModel::open(&path).unwrap_err().to_string().contains("no two labels"));
    // What they are called is kept; one name is no two.
    let named = |names: &[&str]| TrainedModel { class_names: names.iter().map(|&name| name.into()).collect(), ..old.clone() }.save(&path);
    named(&["no", "yes"]).unwrap();
    assert_eq!(TrainedModel::open(&path).unwrap().class_names, ["no", "yes"]);
    for wrong in [&["no"][..], &["no", "no"], &["no", "yes", "maybe"]] {
        named(wrong).unwrap();
        assert!(TrainedModel::open(&path).unwrap_err().to_string().contains("no two texts"));
    }
}

#[test]
fn one_class_is_trained_on_and_has_its_meaning() {
    for (label, positive, negative, high) in [
        ("1", None, Some(-1.0), 1.0),
        ("-1", None, Some(-1.0), 1.0),
        ("0", None, Some(0.0), 1.0),
        ("5", None, None, 5.0),
        ("5", Some(5.0), None, 5.0),
        ("0", Some(1.0), Some(0.0), 1.0),
        ("-1", Some(1.0), Some(-1.0), 1.0),
    ] {
        let model = trained(label, label, positive, Loss::Logistic).unwrap();
        assert_eq!(model.classes, Some(Classes { negative, positive: high }), "{label}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.safetensors");
        model.save(&path).unwrap();
        assert_eq!(TrainedModel::open(&path).unwrap().classes, model.classes);
        let data = Data::Rows(sparse(folder.path(), "text", &format!("{label} 1:1\n")));
        assert!(model.check_labels(&data).is_ok());
        let metrics = model.score(&data).unwrap().metrics(model.loss);
        assert_eq!((metrics.accuracy, metrics.auc), (Some(1.0), None), "{label}");
    }
    // What no row is and none can be meant by is a slip, for which all rows would be -1.
    for (label, positive) in [("1", 5.0), ("5", 7.0), ("5", 1.0), ("-1", 0.0), ("0", -1.0), ("0", 5.0)] {
        let error = trained(label, label, Some(positive), Loss::Logistic).unwrap_err().to_string();
        assert!(error.starts_with(&format!("`positive` {positive}")) && error.contains(&format!("are all {label};")), "{error}");
    }
}

fn hogwild(folder: &Path, line: &str) -> (Option<i32>, String, String) {
    parts(&command::hogwild(folder, line))
}

#[test]
fn the_command_says_which_class_is_plus_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("two.svm"), text("1", "2")).unwrap();
    fs::write(at.join("signs.svm"), text("-1", "1")).unwrap();
    fs::write(at.join("three.svm"), text("1", "2") + "3 1:1\n").unwrap();
    fs::write(at.join("one.svm"), text("1", "1")).unwrap();
    fs::write(at.join("other.svm"), "2 7:1\n1 8:1\n").unwrap();
    let train = "--lr 0.3 --threads 1 --epochs 2 --out m.safetensors";
    let (code, _, said) = hogwild(at, &format!("train two.svm --valid two.svm {train}"));
    assert!(code == Some(0) && said.contains("labels are 1 and 2: 2 is +1 (the larger; --positive chooses)"), "{said}");
    let (_, shown, _) = hogwild(at, "inspect m.safetensors");
    assert!(shown.contains("\nclasses 1, 2\npositive_class 2\n"), "{shown}");
    let (code, metrics, _) = hogwild(at, "eval m.safetensors two.svm --json");
    assert!(code == Some(0) && metrics.contains("\"accuracy\":0.8"), "{metrics}");
    let (_, _, said) = hogwild(at, "predict m.safetensors two.svm --check always");
    assert!(!said.contains("knows no feature"), "{said}");
    let (code, _, said) = hogwild(at, "eval m.safetensors signs.svm");
    assert!(code == Some(2) && said.contains("signs.svm: row 2 has label -1"), "{said}");
    let (code, _, said) = hogwild(at, &format!("train signs.svm --valid two.svm {train}"));
    assert!(code == Some(2) && said.contains("two.svm: row 1 has label 2"), "{said}");
    let (code, _, said) = hogwild(at, &format!("train two.svm --positive 1 {train}"));
    assert!(code == Some(0) && said.contains("1 is +1 (as chosen)"), "{said}");
    let (code, _, said) = hogwild(at, &format!("train signs.svm {train}"));
    assert!(code == Some(0) && !said.contains("labels are"), "{said}");
    let (code, _, said) = hogwild(at, &format!("train three.svm {train}"));
    assert!(code == Some(2) && said.contains("more than two classes (1, 2, 3)") && said.contains("--loss squared"), "{said}");
    let (code, _, said) = hogwild(at, &format!("train one.svm {train}"));
    assert!(code == Some(0) && said.contains("one.svm: all labels are +1: the model can only predict that class"), "{said}");
    let (code, _, said) = hogwild(at, &format!("train two.svm --valid other.svm {train}"));
    assert!(code == Some(0) && said.contains("other.svm: no feature of these rows occurs in the training data"), "{said}");
    let (code, _, said) = hogwild(at, "eval m.safetensors other.svm");
    assert!(code == Some(0) && said.contains("other.svm: the model knows no feature of these rows"), "{said}");
    let (code, _, said) = hogwild(at, &format!("train two.svm --quiet {train}"));
    assert!(code == Some(0) && said.is_empty(), "{said}");
    let ratings = "train DATA/ratings.train.tsv --loss logistic --positive 1";
    assert_eq!(hogwild(at, ratings).0, Some(2));
}

#[test]
fn words_of_two_classes_are_those_that_the_model_knows() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (name, low, high) in [("words", "no", "yes"), ("others", "zero", "yes"), ("signs", "-1", "1")] {
        let line = |i: usize| if i.is_multiple_of(3) { format!("{high},1,0.5\n") } else { format!("{low},0,{}\n", i % 5) };
        let lines: String = (0..200).map(line).collect();
        fs::write(at.join(format!("{name}.csv")), format!("label,a,b\n{lines}")).unwrap();
    }
    let (code, _, said) = hogwild(at, "train words.csv --lr 0.3 --threads 1 --epochs 2 --out m.safetensors");
    assert_eq!(code, Some(0), "{said}");
    let path = at.join("m.safetensors");
    let model = TrainedModel::open(&path).unwrap();
    assert!(model.class_words() == ["no", "yes"] && model.class_names.is_empty());
    // As from a program that has no text: names, and no recipe that reads labels.
    let named = TrainedModel { class_names: vec!["no".into(), "yes".into()], recipe: None, ..model };
    named.save(&path).unwrap();
    assert_eq!(named.class_words(), ["no", "yes"]);
    for data in ["words.csv", "signs.csv"] {
        let (code, metrics, said) = hogwild(at, &format!("eval m.safetensors {data} --json"));
        assert!(code == Some(0) && metrics.contains("\"accuracy\":1.0"), "{metrics}{said}");
    }
    // Here yes is the lesser of two.
    let (code, _, said) = hogwild(at, "eval m.safetensors others.csv");
    assert!(code == Some(2) && said.contains("others.csv: the labels are yes and zero, and were no and yes in training; write"), "{said}");
}

#[test]
fn ratings_of_a_classification_loss_are_two_classes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let write = |name: &str, rating: &dyn Fn(usize) -> String| {
        let line = |i: usize| format!("{}\t{}\t{}\n", i % 30, 100 + i / 30, rating(i));
        fs::write(at.join(name), (0..300).map(line).collect::<String>()).unwrap();
    };
    let sign = |i: usize| (i * 7919 % 5 < 2) as i32;
    write("signs.tsv", &|i| (2 * sign(i) - 1).to_string());
    write("bits.tsv", &|i| sign(i).to_string());
    write("ones.tsv", &|_| "1".into());
    write("shares.tsv", &|i| format!("{}", (i % 100) as f32 / 100.0));
    write("stars.tsv", &|i| (i % 2 + 1).to_string());
    write("late.tsv", &|i| if i == 250 { "0.25".into() } else { sign(i).to_string() });
    write("three.tsv", &|i| (i as i32 % 3 - 1).to_string());
    let train = "--lr 0.1 --epochs 2 --rank 2 --threads 1 --out m.safetensors";
    for name in ["signs.tsv", "bits.tsv", "ones.tsv"] {
        for valid in ["signs.tsv", "bits.tsv"] {
            let (code, _, said) = hogwild(at, &format!("train {name} --valid {valid} --loss logistic {train}"));
            assert_eq!(code, Some(0), "{name} {valid}: {said}");
        }
    }
    // As -1 or as 0, the model is the same.
    let model = |name: &str| {
        hogwild(at, &format!("train {name} --loss logistic {train}"));
        hogwild(at, "predict m.safetensors bits.tsv").1
    };
    assert_eq!(model("signs.tsv"), model("bits.tsv"));
    for (name, found) in [
        ("shares.tsv", "rating 2 is 0.01"),
        ("stars.tsv", "rating 2 is 2"),
        ("late.tsv", "rating 251 is 0.25"),
        ("three.tsv", "rating 1 is -1 and rating 2 is 0"),
    ] {
        for loss in ["logistic", "hinge", "squared-hinge"] {
            let refused =
                format!("{name}: {found}, and the {loss} loss takes two classes: ratings 1 and 0, or 1 and -1; use --loss squared");
            for line in [
                format!("train {name} --loss {loss} {train}"),
                format!("train bits.tsv --valid {name} --loss {loss} {train}"),
                // What a check found before is kept in a record.
                format!("train {name} --loss {loss} {train} --check always"),
            ] {
                let (code, _, said) = hogwild(at, &line);
                assert!(code == Some(2) && said.contains(&refused), "{line}: {said}");
            }
        }
        let (code, _, said) = hogwild(at, &format!("eval m.safetensors {name}"));
        assert!(code == Some(2) && said.contains(&format!("{name}: {found}")), "{said}");
        // What is to be predicted needs no ratings.
        assert_eq!(hogwild(at, &format!("predict m.safetensors {name}")).0, Some(0));
        let (code, _, said) = hogwild(at, &format!("train {name} {}", train.replace("m.safe", "other.safe")));
        assert_eq!(code, Some(0), "{said}");
    }
}

#[test]
fn a_target_far_from_all_others_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let rows = |odd: &str| {
        (0..60).map(|i| format!("{} 1:{}\n", if i == 41 { odd.into() } else { format!("{}", i % 9) }, i % 9)).collect::<String>()
    };
    fs::write(at.join("far.svm"), rows("1e9")).unwrap();
    fs::write(at.join("near.svm"), rows("30")).unwrap();
    let train = "--loss squared --lr 0.001 --threads 1 --epochs 1";
    let (_, _, said) = hogwild(at, &format!("train far.svm {train}"));
    assert!(
        said.contains("the label of row 42 is 1000000000, ")
            && said.contains("from the mean of the others (")
            && said.contains("--loss huber"),
        "{said}"
    );
    let (code, _, said) = hogwild(at, &format!("train near.svm {train}"));
    assert!(code == Some(0) && !said.contains("deviations"), "{said}");
}
