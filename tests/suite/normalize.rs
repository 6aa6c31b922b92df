//! The scaling of features: what is learnt on badly scaled data, and that the model takes features as they are in the file.
use crate::support::{
    alone,
    data::{open, ratings, synthetic},
    training::{held_out, linear, linear_model},
};
use hogwild::{
    Batch, InstructionSet, Loss, Normalize, Outcome, Rule, Settings, TrainedModel,
    data::{Data, Rows},
    synth::{Kind, Synth},
    train_factorization,
};
use std::path::Path;

const BY_FEATURE: [Normalize; 3] = [Normalize::MaxAbs, Normalize::Std, Normalize::Online];

// Where two threads are to agree with one, no rows are private: with private ones, scaled or not, two threads come out up to 3% better
// on so few rows, the more so the more evenly they share the work. Without, within .4% in 25 runs each.

/// Labelled rows in memory: what is written as text may be scaled.
type Table = Vec<(String, Vec<(u64, f64)>)>;

fn synthetic_rows(rows: u64, start_row: u64) -> Table {
    let feature = |word: &str| word.split_once(':').map(|(index, value)| (index.parse().unwrap(), value.parse().unwrap())).unwrap();
    let row = |line: &str| {
        let mut words = line.split(' ');
        (words.next().unwrap().to_string(), words.map(feature).collect())
    };
    synthetic(&Synth { rows, start_row, features: 500, exponent: 0.8, ..Synth::default() }).lines().map(row).collect()
}

fn scaled(folder: &Path, name: &str, rows: &Table, scale: impl Fn(usize, u64) -> f64) -> Data {
    let features = |i: usize, row: &[(u64, f64)]| row.iter().map(|&(j, x)| format!(" {j}:{}", x * scale(i, j))).collect::<String>();
    open(folder, name, &rows.iter().enumerate().map(|(i, (label, row))| format!("{label}{}\n", features(i, row))).collect::<String>())
}

fn rows(data: &Data) -> &Rows {
    let Data::Rows(data) = data else { panic!("not sparse") };
    data
}

fn run(data: &Data, valid: Option<&Data>, settings: Settings) -> Outcome {
    linear(rows(data), valid.map(rows), settings)
}

/// From 1e-3 to 1e3, by feature.
fn factor(j: u64) -> f64 {
    10f64.powf((j * 7919 % 601) as f64 / 100.0 - 3.0)
}

/// The median of three runs: a worker that the system suspends for long puts back old values when it goes on, which on so small data can
/// cost a single run more than the bound.
fn median(mut run: impl FnMut() -> f64) -> f64 {
    let mut three = [run(), run(), run()];
    three.sort_by(f64::total_cmp);
    three[1]
}

/// Saved and opened again, a model gives the loss that was told in training.
fn reopened(outcome: &Outcome, folder: &Path, test: &Data) -> f64 {
    let path = folder.join("m.safetensors");
    outcome.model.as_ref().unwrap().save(&path).unwrap();
    let model = TrainedModel::open(&path).unwrap();
    model.score(test).unwrap().metrics(model.loss).loss
}

#[test]
fn badly_scaled_features_cost_no_more_than_a_fiftieth() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (train, test) = (synthetic_rows(20_000, 0), synthetic_rows(5_000, 1 << 40));
    let (good, good_test) = (scaled(at, "good.svm", &train, |_, _| 1.0), scaled(at, "good.test.svm", &test, |_, _| 1.0));
    let (bad, bad_test) = (scaled(at, "bad.svm", &train, |_, j| factor(j)), scaled(at, "bad.test.svm", &test, |_, j| factor(j)));
    // As the command does it, without any setting but the scaling. (Std is 5% behind then.)
    for epochs in [5, 10] {
        let loss =
            |normalize, train, test| held_out(&run(train, Some(test), Settings { normalize, epochs, threads: 1, ..Settings::default() }));
        let well_scaled = loss(Normalize::None, &good, &good_test);
        for normalize in [Normalize::MaxAbs, Normalize::Online] {
            let loss = loss(normalize, &bad, &bad_test);
            println!("{}, rates tried, {epochs} epochs: {loss:.4}, well scaled {well_scaled:.4}", normalize.name());
            assert!(loss < 1.02 * well_scaled, "{}, {epochs} epochs: {loss} {well_scaled}", normalize.name());
        }
    }
    // At the rules' default rates, which go by the scaled rows' length; batches, for which no rate is tried, have them, 8 times.
    let lr = |normalize| {
        let by = if normalize == Normalize::Online { Normalize::MaxAbs } else { normalize };
        let batch = run(&good, None, Settings { normalize: by, batch: Batch::Size(256), epochs: 1, ..Settings::default() });
        Some(batch.settings.lr / 8.0)
    };
    let settings = |normalize, threads| Settings { normalize, threads, lr: lr(normalize), epochs: 10, ..Settings::default() };
    let well_scaled = held_out(&run(&good, Some(&good_test), settings(Normalize::None, 1)));
    // Without scaling they cost much, or training diverges.
    let plain = run(&bad, Some(&bad_test), settings(Normalize::None, 1));
    assert!(plain.epochs.is_empty() || held_out(&plain) > 1.1 * well_scaled, "{}", held_out(&plain));
    for normalize in BY_FEATURE {
        let one = run(&bad, Some(&bad_test), settings(normalize, 1));
        let same = held_out(&run(&good, Some(&good_test), settings(normalize, 1)));
        let two = || held_out(&run(&bad, Some(&bad_test), Settings { hot_rows: Some(0), ..settings(normalize, 2) }));
        let private = || held_out(&run(&bad, Some(&bad_test), settings(normalize, 2)));
        let loss = held_out(&one);
        println!("{}: {loss:.4}, well scaled {same:.4}, that without scaling {well_scaled:.4}", normalize.name());
        assert!(loss < 1.02 * same && loss < 1.02 * well_scaled, "{}: {loss} {same} {well_scaled}", normalize.name());
        let (two, private) = (median(two), median(private));
        assert!((two / loss - 1.0).abs() < 0.01, "{}: two threads {two}, one {loss}", normalize.name());
        assert!(private < 1.01 * loss, "{}: hot rows private {private}, one thread {loss}", normalize.name());
        assert!((reopened(&one, at, &bad_test) / loss - 1.0).abs() < 1e-9, "{}", normalize.name());
    }
}

/// Weights are those that data scaled by hand give, divided by the scale; with L2, which is of scaled features.
#[test]
fn weights_equal_those_of_data_scaled_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let train: Table = synthetic_rows(2_000, 0)
        .into_iter()
        .map(|(label, row)| (label, row.into_iter().map(|(j, x)| (j, x * factor(j))).collect()))
        .collect();
    let raw = scaled(folder.path(), "raw.svm", &train, |_, _| 1.0);
    // Feature 0 is in every row and always the same.
    let of = |j: u64| train.iter().flat_map(move |(_, row)| row.iter().filter(move |f| f.0 == j).map(|f| f.1));
    let most: Vec<f64> = (0..=500).map(|j| of(j).fold(0.0, |most: f64, x| most.max(x.abs()))).collect();
    let n = train.len() as f64;
    let deviation: Vec<f64> = (0..=500)
        .map(|j| {
            let (sum, squares) = of(j).fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
            (squares / n - (sum / n).powi(2)).sqrt()
        })
        .collect();
    for (normalize, scales) in [(Normalize::MaxAbs, &most), (Normalize::Std, &deviation)] {
        let by_hand = scaled(folder.path(), &format!("{}.svm", normalize.name()), &train, |_, j| 1.0 / scales[j as usize]);
        for l2 in [0.0, 1e-3] {
            let settings = Settings { threads: 1, lr: Some(0.05), l2, epochs: 2, ..Settings::default() };
            let (a, b) = (run(&by_hand, None, settings.clone()), run(&raw, None, Settings { normalize, ..settings }));
            let (a, b) = (linear_model(&a), linear_model(&b));
            assert!((a.bias - b.bias).abs() < 1e-4);
            for i in 0..a.weights.len() {
                let j: usize = a.ids.name(i).parse().unwrap();
                assert_eq!(a.ids.name(i), b.ids.name(i));
                let back = b.weights[i] as f64 * scales[j];
                assert!(
                    (a.weights[i] as f64 - back).abs() < 1e-4 * (1.0 + back.abs()),
                    "{} {j}: {} {back}",
                    normalize.name(),
                    a.weights[i]
                );
            }
        }
    }
}

/// The order of the file, one step: the weight learnt at a small scale keeps what it adds to a score when the scale grows.
#[test]
fn a_growing_scale_leaves_scores_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let data = |name: &str, rows: &[f64]| {
        scaled(folder.path(), name, &rows.iter().map(|&x| ("1".to_string(), vec![(1, x)])).collect(), |_, _| 1.0)
    };
    let settings = Settings {
        normalize: Normalize::Online,
        order: hogwild::Order::Sequential,
        loss: Loss::Squared,
        rule: Rule::named("sgd").unwrap(),
        lr: Some(0.25),
        epochs: 1,
        threads: 1,
        standardize: false,
        ..Settings::default()
    };
    // Step 1: 1 (scaled) and the bias each move by 1/4 of the miss, 1; step 2, at eight times the scale: score 1/2, miss 1/2.
    let outcome = run(&data("grows.svm", &[0.5, 4.0]), None, settings.clone());
    assert_eq!((linear_model(&outcome).weights[0] * 4.0, linear_model(&outcome).bias), (0.375, 0.375));
    // A smaller value later is scaled by the largest before it: a score of 1/4 + 1/32, and its own part of the step.
    let outcome = run(&data("falls.svm", &[4.0, 0.5]), None, settings);
    let miss = 1.0 - 0.25 - 0.25 / 8.0;
    assert_eq!((linear_model(&outcome).weights[0] * 4.0, linear_model(&outcome).bias), (0.25 + 0.25 * miss / 8.0, 0.25 + 0.25 * miss));
}

#[test]
fn rows_of_any_length_are_as_rows_of_length_1() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (train, test) = (synthetic_rows(20_000, 0), synthetic_rows(5_000, 1 << 40));
    let length = |row: &[(u64, f64)]| row.iter().map(|f| f.1 * f.1).sum::<f64>().sqrt();
    let unit = |rows: &Table, name: &str| scaled(at, name, rows, |i, _| 1.0 / length(&rows[i].1));
    let any = |rows: &Table, name: &str| scaled(at, name, rows, |i, _| 10f64.powi(i as i32 % 7 - 3));
    let (by_hand, by_hand_test) = (unit(&train, "unit.svm"), unit(&test, "unit.test.svm"));
    let (raw, raw_test) = (any(&train, "raw.svm"), any(&test, "raw.test.svm"));
    for threads in [1, 2] {
        let settings = Settings { threads, hot_rows: Some(0), ..Settings::default() };
        let within = if threads == 1 { 1e-4 } else { 0.01 };
        let ratio = || {
            let one = run(&by_hand, Some(&by_hand_test), settings.clone());
            let other = run(&raw, Some(&raw_test), Settings { normalize: Normalize::Row, ..settings.clone() });
            assert!(linear_model(&other).unit_rows && !linear_model(&one).unit_rows);
            assert!((reopened(&other, at, &raw_test) / held_out(&other) - 1.0).abs() < 1e-9);
            held_out(&other) / held_out(&one)
        };
        let ratio = median(ratio);
        assert!((ratio - 1.0).abs() < within, "{threads} threads: {ratio}");
    }
    // Held-out rows of the same file are scored alike.
    let outcome = run(&raw, None, Settings { normalize: Normalize::Row, holdout: 0.3, threads: 1, ..Settings::default() });
    let same = run(&by_hand, None, Settings { holdout: 0.3, threads: 1, ..Settings::default() });
    assert!((held_out(&outcome) / held_out(&same) - 1.0).abs() < 1e-4);
}

#[test]
fn every_rule_trains_on_scaled_features() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let data = scaled(folder.path(), "a.svm", &synthetic_rows(3_000, 0), |_, j| factor(j));
    for rule in Rule::ALL {
        for normalize in [Normalize::MaxAbs, Normalize::Std, Normalize::Row, Normalize::Online] {
            let outcome = run(&data, None, Settings { rule, normalize, threads: 2, epochs: 4, ..Settings::default() });
            let losses: Vec<f64> = outcome.epochs.iter().map(|epoch| epoch.loss).collect();
            assert!(losses.len() == 4 && losses[3] < losses[0], "{} {}: {losses:?}", rule.name(), normalize.name());
        }
    }
}

#[test]
fn one_thread_repeats_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let data = scaled(folder.path(), "a.svm", &synthetic_rows(3_000, 0), |_, j| factor(j));
    for normalize in Normalize::ALL {
        let weights = |isa| {
            let outcome = run(&data, None, Settings { normalize, threads: 1, isa: Some(isa), holdout: 0.1, ..Settings::default() });
            (linear_model(&outcome).weights.to_vec(), linear_model(&outcome).bias, outcome.settings.lr)
        };
        for isa in InstructionSet::available() {
            assert_eq!(weights(isa), weights(InstructionSet::Portable), "{} {}", normalize.name(), isa.name());
        }
    }
}

#[test]
fn extreme_and_zero_values_give_finite_models() {
    let folder = tempfile::tempdir().unwrap();
    let row = |label: &str, features: &[(u64, f64)]| (label.to_string(), features.to_vec());
    let rows: Table = [
        row("1", &[(1, 1e38), (2, 1e-38), (3, 0.0), (4, 1.0)]),
        row("-1", &[(1, -1e38), (2, -1e-38), (3, 0.0), (4, 1.0)]),
        row("1", &[]),
        row("-1", &[(3, 0.0)]),
    ]
    .into_iter()
    .cycle()
    .take(400)
    .collect();
    let data = scaled(folder.path(), "extreme.svm", &rows, |_, _| 1.0);
    for normalize in [Normalize::MaxAbs, Normalize::Std, Normalize::Row, Normalize::Online] {
        let outcome = run(&data, Some(&data), Settings { normalize, ..Settings::default() });
        assert_eq!(outcome.epochs.len(), 5, "{}: {:?}", normalize.name(), outcome.ended);
        let loss = held_out(&outcome);
        assert!(loss < 0.69 && (reopened(&outcome, folder.path(), &data) / loss - 1.0).abs() < 1e-9, "{}: {loss}", normalize.name());
    }
}

#[test]
fn ratings_have_no_features_to_scale() {
    let folder = tempfile::tempdir().unwrap();
    let data = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, ..Synth::default() }));
    let settings = Settings { normalize: Normalize::Std, ..Settings::for_ratings() };
    let message = train_factorization(&data, None, &settings, &mut (), &Default::default()).unwrap_err().to_string();
    assert!(message.starts_with("`normalize` std"), "{message}");
}
