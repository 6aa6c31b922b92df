//! Several classes as the command has them: by name, any number a row, raw and packed, and what does not go together.
use crate::support::{
    command::{good, hogwild, message, said},
    data::topics,
};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use std::{fmt::Write, fs};

/// Words for the classes of [`topics`].
fn in_words(text: &str) -> String {
    const NAMES: [&str; 3] = ["apple", "kiwi", "plum"];
    text.lines().map(|line| format!("{}{}\n", NAMES[line[..1].parse::<usize>().unwrap()], &line[1..])).collect()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_command_tells_classes_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("a.svm"), in_words(&topics(3_000, 3, 1))).unwrap();
    fs::write(folder.join("b.svm"), in_words(&topics(500, 3, 2))).unwrap();
    let told = said(folder, "train a.svm --valid b.svm --model softmax --epochs 3 --patience 2 --stop-metric macro-f1 --out m.safetensors");
    assert!(told.contains("labels of 3 classes") && told.contains("macro-f1 0."), "{told}");
    let names = good(folder, "predict m.safetensors b.svm");
    assert!(names.lines().count() == 500 && names.lines().all(|name| ["apple", "kiwi", "plum"].contains(&name)), "{names}");
    let top = good(folder, "predict m.safetensors b.svm --top 2");
    let first: Vec<&str> = top.lines().next().unwrap().split('\t').collect();
    let [best, p, _, q] = first[..] else { panic!("{first:?}") };
    let [p, q] = [p, q].map(|p| p.parse::<f32>().unwrap());
    assert!(best == names.lines().next().unwrap() && p >= q && p + q <= 1.0001, "{first:?}");
    // Rows without labels are scored alike.
    let bare: String =
        fs::read_to_string(folder.join("b.svm")).unwrap().lines().map(|line| format!("{}\n", line.split_once(' ').unwrap().1)).collect();
    fs::write(folder.join("bare.svm"), bare).unwrap();
    assert_eq!(good(folder, "predict m.safetensors bare.svm"), names);
    let metrics = json(&good(folder, "eval m.safetensors b.svm --json --top 2"));
    let right = names.lines().zip(fs::read_to_string(folder.join("b.svm")).unwrap().lines()).filter(|(a, b)| b.starts_with(a)).count();
    assert_eq!(metrics["accuracy"].as_f64(), Some(right as f64 / 500.0));
    assert!(metrics["top"]["accuracy"].as_f64() > metrics["accuracy"].as_f64() && metrics["unseen_labels"] == 0, "{metrics}");
    let f1s: Vec<f64> = ["apple", "kiwi", "plum"].iter().map(|name| metrics["classes"][name]["f1"].as_f64().unwrap()).collect();
    assert!((f1s.iter().sum::<f64>() / 3.0 - metrics["macro-f1"].as_f64().unwrap()).abs() < 1e-9);
    let table = good(folder, "eval m.safetensors b.svm");
    assert!(table.contains("precision") && table.lines().filter(|line| line.ends_with("kiwi")).count() == 1, "{table}");
    let inspected = json(&good(folder, "inspect m.safetensors --top 2 --json"));
    assert!(inspected["by_class"]["plum"]["heaviest"].as_object().is_some_and(|all| all.len() == 2), "{inspected}");
    // A packed file serves as well, and other labels are found by name.
    good(folder, "pack b.svm -o b.safetensors --labels class");
    assert_eq!(json(&good(folder, "eval m.safetensors b.safetensors --json"))["logloss"], metrics["logloss"]);
    fs::write(folder.join("c.svm"), "plum 1:1\nfig 2:1\napple 3:1\n").unwrap();
    let output = hogwild(folder, "eval m.safetensors c.svm --json");
    assert!(
        output.status.success() && message(&output).contains("1 label is of classes that the model does not know (fig)"),
        "{}",
        message(&output)
    );
    let unseen = json(&String::from_utf8_lossy(&output.stdout));
    assert!(
        unseen["unseen_labels"] == 1 && unseen["accuracy"].as_f64().unwrap() < 0.67 && unseen["logloss"].as_f64().is_some(),
        "{unseen}"
    );
    let simulated = good(folder, "simulate a.svm --model softmax --lr 0.2 --epochs 1 --workers 2 --log -");
    assert!(simulated.lines().any(|line| json(line)["workers"] == 2), "{simulated}");
}

#[test]
fn rows_with_any_number_of_labels_are_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Words 1 to 20 bring topic red, 21 to 40 blue; each row has none, one or both.
    let mut random = Xoshiro256PlusPlus::seed_from_u64(4);
    let mut text = String::new();
    for _ in 0..2_000 {
        let has = [random.random::<bool>(), random.random::<bool>()];
        let names: Vec<&str> = ["red", "blue"].into_iter().zip(has).filter(|(_, has)| *has).map(|(name, _)| name).collect();
        let word = |topic: u32, random: &mut Xoshiro256PlusPlus| format!(" {}:1", 20 * topic + random.random_range(1..=20));
        let words: Vec<String> = (0..2).filter(|&topic| has[topic]).map(|topic| word(topic as u32, &mut random)).collect();
        writeln!(text, "{}{} 50:1", names.join(","), words.concat()).unwrap();
    }
    fs::write(folder.join("a.svm"), &text).unwrap();
    let told = said(folder, "train a.svm --model ovr --holdout 0.2 --threads 1 --out m.safetensors");
    assert!(told.contains("any number of 2 labels a row") && told.contains("micro-f1 1.0"), "{told}");
    let predicted = good(folder, "predict m.safetensors a.svm");
    let own = text.lines().map(|line| line.split(' ').next().unwrap());
    let sorted = |names: &str| {
        let mut names: Vec<&str> = names.split(',').collect();
        names.sort_unstable();
        names.join(",")
    };
    assert!(predicted.lines().zip(own).all(|(a, b)| sorted(a) == sorted(b)), "{predicted}");
    let metrics = json(&good(folder, "eval m.safetensors a.svm --json"));
    assert_eq!((metrics["micro-f1"].as_f64(), metrics["accuracy"].as_f64()), (Some(1.0), Some(1.0)));
    // The same by a packed file, and by fastText's lines.
    good(folder, "pack a.svm -o a.safetensors --labels classes");
    assert_eq!(json(&good(folder, "eval m.safetensors a.safetensors --json")), metrics);
    let output = hogwild(folder, "train a.safetensors --model softmax --lr 0.1");
    assert!(output.status.code() == Some(2) && message(&output).contains("labels, and softmax takes one"), "{}", message(&output));
    let output = hogwild(folder, "train a.safetensors --lr 0.1");
    assert!(output.status.code() == Some(2) && message(&output).contains("use --model ovr"), "{}", message(&output));
}

#[test]
fn what_does_not_go_together_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("a.svm"), topics(200, 3, 1)).unwrap();
    fs::write(folder.join("words.svm"), in_words(&topics(200, 3, 1))).unwrap();
    fs::write(folder.join("one.svm"), "x 1:1\nx 2:1\n").unwrap();
    good(folder, "pack words.svm -o words.safetensors --labels class");
    for (flags, says) in [
        ("a.svm --model softmax --parallel partitioned", "needs all scores at once"),
        ("a.svm --model softmax --l1 0.1", "a feature has a row of them, one a class; use --l2"),
        ("a.svm --model softmax --positive 1", "all classes are alike here"),
        ("a.svm --model ovr --class-weight balanced", "is of a loss of two classes"),
        ("a.svm --model softmax --loss hinge", "softmax has its own"),
        ("a.svm --model ovr --loss squared", "labels are classes here"),
        ("a.svm --model softmax --holdout 0.1 --patience 1 --stop-metric auc", "is of two classes"),
        ("a.svm --model softmax --holdout 0.1 --patience 1 --stop-metric micro-f1", "is the accuracy"),
        ("a.svm --holdout 0.1 --loss squared --patience 1 --stop-metric macro-f1", "is of models of several classes"),
        ("a.svm --model softmax --factor-rate 0.1", "this model has none"),
        ("one.svm --model softmax", "has one class, x"),
        ("words.safetensors", "classes by name (apple, kiwi, plum)"),
        ("words.safetensors --loss squared", "use --model softmax or ovr"),
        ("words.safetensors --model fm", "classes by name"),
    ] {
        let output = hogwild(folder, &format!("train {flags} --lr 0.1"));
        assert!(output.status.code() == Some(2) && message(&output).contains(says), "{flags}: {}", message(&output));
    }
    good(folder, "train a.svm --loss squared --lr 0.1 --out m.safetensors");
    for (line, says) in
        [("predict m.safetensors a.svm --top 2", "--top: is of models of several classes"), ("eval m.safetensors a.svm --top 2", "--top")]
    {
        let output = hogwild(folder, line);
        assert!(!output.status.success() && message(&output).contains(says), "{line}: {}", message(&output));
    }
}

#[test]
fn raw_rows_are_predicted_whatever_their_labels_say() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let write =
        |name: &str, line: &dyn Fn(usize) -> String| fs::write(at.join(name), (0..60).map(|i| line(i) + "\n").collect::<String>()).unwrap();
    write("several.svm", &|i| format!("{} {}:1 {}:1", ["1,2", "2", ""][i % 3], 3 + i % 3, 9));
    write("one.svm", &|i| format!("{} {}:1", 1 + i % 2, 3 + i % 3));
    write("several.txt", &|i| format!("{}w{} x", ["__label__a __label__b ", "__label__b ", "__label__a "][i % 3], i % 3));
    write("one.txt", &|i| format!("__label__{} w{}", ["a", "b"][i % 2], i % 3));
    for (train, others) in [("several.svm", "one.svm"), ("several.txt", "one.txt")] {
        good(at, &format!("train {train} --model ovr --epochs 3 --lr 0.3 --threads 1 --out m.safetensors"));
        for data in [train, others] {
            assert_eq!(good(at, &format!("predict m.safetensors {data}")).lines().count(), 60, "{train} {data}");
        }
        // Packed rows are not asked for their labels either; metrics are by the model's own kind of labels.
        good(at, &format!("pack {others} --labels class --out packed.safetensors"));
        assert_eq!(good(at, "predict m.safetensors packed.safetensors"), good(at, &format!("predict m.safetensors {others}")));
        let metrics = |data: &str| good(at, &format!("eval m.safetensors {data}"));
        assert_eq!(metrics("packed.safetensors"), metrics(others));
    }
    // A model of one label a row takes no others in metrics, and predicts all the same.
    good(at, "train one.svm --model softmax --epochs 1 --lr 0.3 --threads 1 --out m.safetensors");
    good(at, "pack several.svm --labels classes --out packed.safetensors");
    assert_eq!(good(at, "predict m.safetensors packed.safetensors").lines().count(), 60);
    let refused = hogwild(at, "eval m.safetensors packed.safetensors");
    assert!(refused.status.code() == Some(2) && message(&refused).contains("row 1 has 2 labels"), "{}", message(&refused));
}
