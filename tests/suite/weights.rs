//! Examples that do not count alike: weights as every format has them, what they mean to training and metrics, weights of classes.
use crate::support::{
    alone,
    command::{good, hogwild, message},
    data::{named_rows, read_as, rows_of, sparse, text_like},
    isa,
    training::{held_out, linear, linear_and_searches, linear_model, weights},
};
use hogwild::{
    Batch, ClassWeight, Loss, Metric, Normalize, Order, Outcome, Parallel, Rule, Settings,
    data::{Data, Format, OnBadRow, PackSettings, Preparation, Rows, RowsCsr},
    rules::Sgd,
    train_fm,
};
use std::{collections::BTreeMap, fmt::Write, fs, sync::atomic::Ordering::Relaxed};

/// Packs a text that is rows.
fn rows(text: &str, settings: &PackSettings) -> Rows {
    match read_as(text, settings) {
        Ok((_, Data::Rows(rows))) => rows,
        other => panic!("{text:?}: {other:?}"),
    }
}

fn by_column(format: Format) -> PackSettings {
    let prepare = Preparation { weight: Some("n".into()), ..Preparation::default() };
    PackSettings { format: Some(format), prepare, ..PackSettings::default() }
}

fn own_weights(rows: &Rows) -> Option<Vec<f32>> {
    rows.weight_cells().map(|cells| cells.iter().map(|bits| f32::from_bits(bits.load(Relaxed))).collect())
}

#[test]
fn every_format_has_weights_of_its_own() {
    let plain = PackSettings::default();
    for (text, settings) in [
        ("+1:2 1:1 2:1\n-1:0 1:1 9:1\n-1 2:1\n0.0:0.5 1:1\n", &plain),
        ("1 2 |n a b\n-1 0 |n a z\n-1 |n b\n0 0.5 'tag |n a\n", &plain),
        ("y,n,a,b\n1,2,1,1\n-1,0,9,9\n-1,1,,1\n0,0.5,1,\n", &by_column(Format::Csv)),
        ("y\tn\ta\n1\t2\t1\n-1\t0\t9\n-1\t1\t\n0\t0.5\t1\n", &by_column(Format::Tsv)),
        (
            "{\"y\":1,\"n\":2,\"a\":1}\n{\"y\":-1,\"n\":0,\"z\":1}\n{\"y\":-1,\"n\":\"1\"}\n{\"y\":0,\"n\":0.5,\"a\":1}\n",
            &by_column(Format::Jsonl),
        ),
    ] {
        let data = rows(text, settings);
        assert_eq!(own_weights(&data), Some(vec![2.0, 1.0, 0.5]), "{text}");
        let labels: Vec<f32> = (0..3).map(|row| data.label(row)).collect();
        assert_eq!(labels, [1.0, -1.0, 0.0], "{text}");
        // Of an example that counts for nothing nothing is counted.
        assert!((1..=2).contains(&data.columns()), "{text}: {:?}", data.feature_ids());
    }
    // Where all count alike nothing is kept.
    assert_eq!(own_weights(&rows("y,n,a\n1,1,3\n-1,1,4\n", &by_column(Format::Csv))), None);
}

#[test]
fn weights_that_are_none_are_named() {
    let skip = PackSettings { on_bad_row: OnBadRow::Skip, ..by_column(Format::Csv) };
    for (format, text, place, says) in [
        (Format::Csv, "y,n,a\n1,-2,1\n", "input:2:3", "the weight of the example is below 0"),
        (Format::Csv, "y,n,a\n1,x,1\n", "input:2:3", "the weight of the example is no finite number"),
        (Format::Csv, "y,n,a\n1,,1\n", "input:2:3", "the weight of the example is missing"),
        (Format::Csv, "y,n,a\n1,1e39,1\n", "input:2:3", "the weight of the example is no finite number"),
        (Format::Csv, "y,m,a\n1,2,1\n", "input:1:1", "no column is called `n`"),
        (Format::Jsonl, "{\"y\":1,\"n\":-1}\n", "input:1:1", "the weight of the example is below 0"),
        (Format::Jsonl, "{\"y\":1,\"a\":1}\n", "input:1:1", "the weight of the example is missing"),
        (Format::Jsonl, "{\"y\":1,\"n\":true}\n", "input:1:1", "the weight of the example is no finite number"),
    ] {
        let told = read_as(text, &by_column(format)).unwrap_err().to_string();
        assert!(told.contains(place) && told.contains(says), "{told}");
    }
    let (report, Data::Rows(data)) = read_as("y,n,a\n1,-2,1\n1,2,1\n-1,,1\n", &skip).unwrap() else { panic!("rows") };
    assert_eq!((report.skipped, own_weights(&data)), (2, Some(vec![2.0])));
    let none = read_as("y,n,a\n1,0,1\n", &by_column(Format::Csv)).unwrap_err().to_string();
    assert!(none.contains("holds no examples at all besides 1 of weight 0"), "{none}");
}

#[test]
fn an_example_of_weight_0_says_nothing_of_the_columns() {
    for (format, with, without) in [
        (Format::Csv, "y,n,a\nno,1,3\nyes,2,4\nmaybe,0,oops\n", "y,n,a\nno,1,3\nyes,2,4\n"),
        (
            Format::Jsonl,
            "{\"y\":\"no\",\"n\":1,\"a\":3}\n{\"y\":\"yes\",\"n\":2,\"a\":4}\n{\"y\":\"maybe\",\"n\":0,\"a\":\"oops\"}\n",
            "{\"y\":\"no\",\"n\":1,\"a\":3}\n{\"y\":\"yes\",\"n\":2,\"a\":4}\n",
        ),
    ] {
        let [(report, Data::Rows(with)), (_, Data::Rows(without))] = [with, without].map(|text| read_as(text, &by_column(format)).unwrap())
        else {
            panic!("rows")
        };
        assert_eq!((with.recipe(), named_rows(&with)), (without.recipe(), named_rows(&without)));
        assert!(report.notes.iter().any(|note| note == "left out: 1 examples of weight 0"), "{:?}", report.notes);
    }
    // A field within others may say it.
    let prepare = Preparation { weight: Some("m.n".into()), ..Preparation::default() };
    let settings = PackSettings { format: Some(Format::Jsonl), prepare, ..PackSettings::default() };
    let data = rows("{\"y\":1,\"m\":{\"n\":2,\"a\":1}}\n{\"y\":-1,\"m\":{\"n\":\"0.5\"}}\n", &settings);
    assert_eq!((own_weights(&data), data.columns()), (Some(vec![2.0, 0.5]), 1));
}

#[test]
fn weights_in_memory_are_those_of_a_text() {
    let text = rows("+1:2 1:1 2:3\n-1:0 1:1 9:1\n-1 2:1\n", &PackSettings::default());
    let csr = RowsCsr {
        labels: &[1.0, -1.0, -1.0],
        row_start: &[0, 2, 4, 5],
        columns: &[1, 2, 1, 9, 2],
        values: Some(&[1.0, 3.0, 1.0, 1.0, 1.0]),
        weights: Some(&[2.0, 0.0, 1.0]),
        ids: None,
        fields: None,
    };
    let memory = Rows::from_csr(csr).unwrap();
    assert_eq!((rows_of(&memory), own_weights(&memory)), (rows_of(&text), own_weights(&text)));
    assert_eq!(memory.feature_counts().unwrap(), text.feature_counts().unwrap());
    for (weights, says) in [
        (&[1.0, -1.0, 1.0][..], "weight of row 1 (from 0) is -1"),
        (&[1.0, 1.0, f32::NAN], "weight of row 2 (from 0) is NaN"),
        (&[1.0], "1 weights of 3 rows"),
        (&[0.0; 3], "all have the weight 0"),
    ] {
        let told = Rows::from_csr(RowsCsr { weights: Some(weights), ..csr }).unwrap_err().to_string();
        assert!(told.contains(says), "{told}");
    }
}

/// Rows of two dozen features, each with a weight of 1 to 3 (`label:weight`), and the same with rows as often as they count.
fn twice(count: u64) -> [String; 2] {
    let (mut weighted, mut repeated) = (String::new(), String::new());
    for (i, line) in text_like(count, 0).lines().enumerate() {
        let (label, features) = line.split_once(' ').unwrap();
        let label = if label.starts_with('-') { "-1" } else { "+1" };
        let mut kept: Vec<&str> = features.split(' ').filter(|pair| pair.split(':').next().unwrap().len() < 3).collect();
        kept.sort_by_key(|pair| pair.split(':').next().unwrap().parse::<u64>().unwrap());
        let (weight, features) = (1 + i * i % 3, kept.join(" "));
        writeln!(weighted, "{label}:{weight} {features}").unwrap();
        (0..weight).for_each(|_| writeln!(repeated, "{label} {features}").unwrap());
    }
    [weighted, repeated]
}

#[test]
fn an_example_of_weight_two_is_the_same_as_two_examples() {
    let folder = tempfile::tempdir().unwrap();
    let [weighted, repeated] = twice(400);
    let [weighted, repeated] = [("w", weighted), ("r", repeated)].map(|(name, text)| sparse(folder.path(), name, &text));
    assert!(weighted.weight_cells().is_some() && repeated.weight_cells().is_none());
    for (loss, rule, l2) in [
        (Loss::Logistic, Rule::Sgd(Sgd), 1e-3),
        (Loss::Squared, Rule::Sgd(Sgd), 1e-3),
        (Loss::Logistic, Rule::parse("momentum").unwrap(), 1e-3),
        (Loss::Logistic, Rule::parse("adagrad").unwrap(), 0.0),
    ] {
        // By whole gradients both are the same path.
        let settings = Settings { loss, l2, lr: Some(0.1), epochs: 60, threads: 1, batch: Batch::Full, rule, ..Settings::default() };
        let settings = Settings { normalize: Normalize::None, ..settings };
        let (one, other) = (linear(&weighted, None, &settings), linear(&repeated, None, &settings));
        // Columns are numbered by how often features occur, which is not the same.
        let by_id = |outcome: &Outcome| -> BTreeMap<String, f32> {
            let model = linear_model(outcome);
            model.weights.iter().enumerate().map(|(i, &weight)| (model.ids.name(i), weight)).collect()
        };
        let (found, expected) = (by_id(&one), by_id(&other));
        assert_eq!(found.len(), expected.len());
        for ((id, a), b) in found.into_iter().zip(expected.into_values()) {
            assert!((a - b).abs() < 2e-4 * (1.0 + a.abs()), "{loss:?} {} {id} {a} {b}", settings.rule.name());
        }
        let [a, b] = [&one, &other].map(|outcome| outcome.epochs.last().unwrap().loss);
        assert!((a / b - 1.0).abs() < 1e-4, "{loss:?}: {a} {b}");
    }
}

/// Settings of one worker at a known rate.
fn settings() -> Settings {
    Settings { lr: Some(0.2), epochs: 3, threads: 1, ..Settings::default() }
}

/// A model's numbers, by their bits.
fn bits(outcome: &Outcome) -> Vec<u32> {
    weights(outcome).iter().map(|weight| weight.to_bits()).collect()
}

#[test]
fn weights_that_are_all_alike_change_no_bit() {
    let folder = tempfile::tempdir().unwrap();
    let text = text_like(3000, 0);
    let alike: String =
        text.lines().map(|line| line.split_once(' ').map(|(y, x)| format!("{:.1}:4 {x}\n", y.parse::<f32>().unwrap())).unwrap()).collect();
    let [plain, alike] = [("p", text), ("a", alike)].map(|(name, text)| sparse(folder.path(), name, &text));
    assert_eq!(own_weights(&alike), Some(vec![4.0; 3000]));
    let batch = Settings { batch: Batch::Size(64), ..settings() };
    let partitioned = Settings { parallel: Parallel::Partitioned, ..settings() };
    let clipped = Settings { transforms: hogwild::Transforms { clip_norm: Some(0.5), ..Default::default() }, ..settings() };
    for settings in [settings(), batch, partitioned, clipped, Settings { l2: 1e-4, ..settings() }] {
        assert_eq!(bits(&linear(&plain, None, &settings)), bits(&linear(&alike, None, &settings)));
    }
}

/// Rows of which every other has the wrong label and counts `little`.
fn half_wrong(count: u64, little: f32) -> String {
    let line = |(i, line): (usize, &str)| {
        let (label, features) = line.split_once(' ').unwrap();
        let label = if label.starts_with('-') { -1.0 } else { 1.0 };
        let (label, weight) = if i % 2 == 0 { (label, 1.0) } else { (-label, little) };
        format!("{label:.1}:{weight} {features}\n")
    };
    text_like(count, 0).lines().enumerate().map(line).collect()
}

#[test]
fn what_counts_for_little_is_hardly_learnt_whatever_the_way() {
    let _turn = alone();
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "d", &half_wrong(40_000, 1e-3));
    let lines: Vec<String> = text_like(40_000, 0).lines().step_by(2).map(|line| format!("{line}\n")).collect();
    let good = sparse(folder.path(), "g", &lines.concat());
    let test = sparse(folder.path(), "t", &text_like(4000, 40_000));
    let by_good = held_out(&linear(&good, Some(&test), Settings { lr: Some(0.5), ..settings() }));
    for parallel in [Parallel::Hogwild, Parallel::Partitioned, Parallel::Mean, Parallel::Elastic, Parallel::Downpour] {
        let settings = Settings { parallel, threads: 2, lr: Some(0.5), epochs: 3, ..Settings::default() };
        let loss = held_out(&linear(&data, Some(&test), settings));
        // As many effective examples as there are good ones: half the steps are hardly any.
        assert!(loss < 1.05 * by_good, "{parallel:?}: {loss} against {by_good}");
    }
    // The search for a rate and held-out shares go by weights too.
    let (outcome, searches) = linear_and_searches(&data, None, Settings { holdout: 0.2, threads: 1, epochs: 3, ..Settings::default() });
    let valid = outcome.epochs.last().unwrap().valid.unwrap();
    assert!(searches.len() == 1 && valid.accuracy.unwrap() > 0.7, "{valid:?}");
    // And factorization machines.
    let settings = Settings { lr: Some(0.2), epochs: 3, threads: 1, ..Settings::for_fm() };
    let machine = |data| train_fm(data, Some(&test), &isa::forced_in(&settings), &mut (), &Default::default()).unwrap();
    let (one, by_good) = (held_out(&machine(&data)), held_out(&machine(&good)));
    assert!(one < 1.05 * by_good, "{one} against {by_good}");
}

#[test]
fn what_is_told_of_losses_goes_by_weights() {
    let folder = tempfile::tempdir().unwrap();
    // One in ten counts a hundred times as much, and is +1.
    let line = |(i, line): (usize, &str)| {
        let (label, features) = line.split_once(' ').unwrap();
        if i % 10 == 0 { format!("+1:100 {features}\n") } else { format!("{:.1}:1 {features}\n", label.parse::<f32>().unwrap()) }
    };
    let data = sparse(folder.path(), "d", &text_like(6000, 0).lines().enumerate().map(line).collect::<String>());
    // A run that learns nothing loses what a constant does in every epoch, whichever examples that has: most weight is of +1.
    let settings = Settings { order: Order::Curriculum, pace: Some(1.0), lr: Some(1e-7), standardize: false, epochs: 6, ..settings() };
    let outcome = linear(&data, None, &settings);
    assert!(outcome.epochs.iter().all(|epoch| (epoch.loss - std::f64::consts::LN_2).abs() < 1e-3), "{:?}", outcome.epochs);
    // One epoch at a rate that was searched is no worse than a constant, and is not taken for it.
    let settings = Settings { class_weight: Some(ClassWeight::Balanced), epochs: 1, threads: 1, ..Settings::default() };
    let (outcome, _) = linear_and_searches(&data, None, settings);
    assert!(outcome.settings.lr > 1e-3 && outcome.epochs.len() == 1, "{}", outcome.settings.lr);
}

#[test]
fn weights_may_be_in_any_unit() {
    let folder = tempfile::tempdir().unwrap();
    let weighted = |rows: u64, start: u64, weight: &str| {
        let line = |line: &str| line.split_once(' ').map(|(y, x)| format!("{:.1}:{weight} {x}\n", y.parse::<f32>().unwrap())).unwrap();
        sparse(folder.path(), &format!("{start}-{weight}"), &text_like(rows, start).lines().map(line).collect::<String>())
    };
    let data = sparse(folder.path(), "d", &text_like(3000, 0));
    let rate = |weight: &str| {
        let valid = weighted(300, 3000, weight);
        linear_and_searches(&data, Some(&valid), Settings { threads: 1, epochs: 2, ..Settings::default() }).0.settings.lr
    };
    assert_eq!([rate("1e-4"), rate("3e38"), rate("1e-40")], [rate("1.0"); 3]);
    let [tiny, plain] = ["1e-40", "1.0"].map(|weight| weights(&linear(&weighted(2000, 0, weight), None, settings())));
    assert!(tiny.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-5 * (1.0 + b.abs())));
}

#[test]
fn held_out_metrics_go_by_weights() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "d", &text_like(4000, 0));
    let [weighted, repeated] = twice(600);
    let [weighted, repeated] = [("w", weighted), ("r", repeated)].map(|(name, text)| sparse(folder.path(), name, &text));
    let outcome = linear(&data, Some(&weighted), settings());
    let model = outcome.model.as_ref().unwrap();
    let of = |rows: &Rows| model.score(rows).unwrap().metrics(model.loss);
    let (one, other) = (of(&weighted), of(&repeated));
    for metric in [Metric::Loss, Metric::Auc, Metric::Accuracy] {
        assert!((one.get(metric).unwrap() - other.get(metric).unwrap()).abs() < 1e-9, "{metric:?}");
    }
    assert!((held_out(&outcome) / one.loss - 1.0).abs() < 1e-9 && one.examples == 600, "{} {one:?}", held_out(&outcome));
}

#[test]
fn classes_count_as_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    // A tenth is +1.
    let text: String = text_like(6000, 0)
        .lines()
        .enumerate()
        .filter(|(i, line)| line.starts_with('-') || i % 9 == 0)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    let data = sparse(folder.path(), "d", &text);
    let plus = data.labels().plus as f64;
    let (n, minus) = (data.rows() as f64, data.rows() as f64 - plus);
    let by_hand: String = text
        .lines()
        .map(|line| {
            let (label, features) = line.split_once(' ').unwrap();
            let weight = if label.starts_with('-') { n / (2.0 * minus) } else { n / (2.0 * plus) };
            format!("{:.1}:{weight} {features}\n", label.parse::<f32>().unwrap())
        })
        .collect();
    let by_hand = sparse(folder.path(), "h", &by_hand);
    let settings = |class_weight| Settings { class_weight, batch: Batch::Full, epochs: 20, ..settings() };
    let given = ClassWeight::Given(vec![("+1".into(), minus / plus)]);
    let expected = weights(&linear(&by_hand, None, settings(None)));
    for class_weight in [ClassWeight::Balanced, given] {
        let found = weights(&linear(&data, None, settings(Some(class_weight))));
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4 * (1.0 + a.abs())));
    }
    // So many more of the rare class are found.
    let valid = sparse(folder.path(), "v", &text_like(2000, 6000));
    let recall = |outcome: &Outcome| {
        let scored = outcome.model.as_ref().unwrap().score(&valid).unwrap();
        scored.scores.iter().filter(|(z, y)| *y > 0.0 && *z > 0.0).count()
    };
    let run =
        |class_weight| recall(&linear(&data, None, Settings { class_weight, lr: Some(0.2), epochs: 3, threads: 1, ..Settings::default() }));
    assert!(run(Some(ClassWeight::Balanced)) > 2 * run(None));
    let refused = |settings: &Settings| hogwild::train_linear(&data, None, settings, &mut (), &Default::default()).unwrap_err().to_string();
    let of = |text: &str| Settings { class_weight: Some(ClassWeight::parse(text).unwrap()), ..settings(None) };
    assert!(refused(&of("3=2")).contains("`class_weight` 3: is none of the labels, which are -1 and 1"));
    assert!(refused(&Settings { loss: Loss::Squared, ..of("balanced") }).contains("of a loss of two classes"));
}

#[test]
fn the_command_keeps_weights_and_asks_for_none_where_nothing_depends_on_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "y,n,a,b\n".to_owned();
    for i in 0..400 {
        writeln!(text, "{},{},{},{}", if i % 3 == 0 { "yes" } else { "no" }, 1 + i % 4, i % 3, i % 7).unwrap();
    }
    fs::write(folder.path().join("d.csv"), text).unwrap();
    fs::write(folder.path().join("raw.csv"), "a,b\n0,1\n1,2\n").unwrap();
    good(folder.path(), "pack d.csv --weight n --out d.safetensors");
    let inspected = good(folder.path(), "inspect d.safetensors");
    assert!(inspected.contains("n weight"), "{inspected}");
    good(folder.path(), "train d.csv --weight n --class-weight yes=2 --epochs 2 --lr 0.1 --out m.safetensors");
    assert_eq!(good(folder.path(), "predict m.safetensors raw.csv").lines().count(), 2);
    // Where the column is missing, all count alike, which is told; another one may be named.
    assert!(good(folder.path(), "eval m.safetensors d.csv").contains("examples 400"));
    fs::write(folder.path().join("other.csv"), "y,a,b,w\nyes,0,1,3\nno,1,2,1\n").unwrap();
    let loss = |line: &str| {
        let output = hogwild(folder.path(), line);
        let [said, printed] = [message(&output), String::from_utf8(output.stdout).unwrap()];
        (said, printed.lines().find_map(|line| line.strip_prefix("logloss ")?.parse::<f64>().ok()).unwrap())
    };
    let (said, alike) = loss("eval m.safetensors other.csv");
    assert!(said.contains("column `n` is missing, so all examples count alike"), "{said}");
    let (said, weighted) = loss("eval m.safetensors other.csv --weight w");
    assert!(!said.contains("is missing") && weighted != alike, "{said}");
    let refused = hogwild(folder.path(), "eval m.safetensors other.csv --weight b");
    assert!(message(&refused).contains("--weight b: is a feature of the model"), "{}", message(&refused));
    good(folder.path(), "train d.csv --ignore n --class-weight -1=2,+1=1 --epochs 1 --lr 0.1");
    let svm = "1 1:1\n-1 2:1\n";
    fs::write(folder.path().join("d.svm"), svm).unwrap();
    let refused = hogwild(folder.path(), "pack d.svm --weight n --out e.safetensors");
    assert!(refused.status.code() == Some(2) && message(&refused).contains("--weight"), "{}", message(&refused));
}
