//! Clipping, noise, L1 and averaging: what each is for, with linear models and factorization, on one thread and on two.
use crate::support::{
    alone,
    data::{a9a, ratings, sparse, synthetic},
    training::{factors, held_out, linear, linear_model, logistic_objective},
};
use hogwild::{
    Ended, LinearModel, Loss, Normalize, Rule, Schedule, Settings, Transforms,
    data::{Data, Ratings, Rows},
    synth::{Kind, Synth},
    train_factorization,
};
use std::path::Path;

fn rows(folder: &Path, rows: u64, start_row: u64) -> Rows {
    sparse(folder, "rows.svm", &synthetic(&Synth { rows, start_row, features: 2000, ..Synth::default() }))
}

fn some_ratings(folder: &Path) -> Ratings {
    let synth = Synth { kind: Kind::Ratings, rows: 20_000, users: 400, exponent: 0.5, ..Synth::default() };
    ratings(folder, "ratings.tsv", &synthetic(&synth))
}

/// Columns and values, and a label.
type Example = (Vec<(usize, f64)>, f64);

/// Fifteen features in overlapping groups, of which five tell of the label.
fn small(folder: &Path) -> (Rows, Vec<Example>) {
    let row = |i: usize| {
        let features: Vec<(usize, f64)> =
            (0..15).filter(|j| (i * 7 + j * j) % 5 < 2).map(|j| (j, 1.0 + (i * (j + 3) % 7) as f64 / 7.0)).collect();
        let z: f64 = features.iter().filter(|f| f.0 < 5).map(|&(j, x)| (j as f64 - 1.5) * x).sum();
        (features, if z + ((i * 31) % 17) as f64 / 4.0 > 2.0 { 1.0 } else { -1.0 })
    };
    let rows: Vec<_> = (0..2000).map(row).collect();
    let line =
        |(features, label): &Example| label.to_string() + &features.iter().map(|(j, x)| format!(" {j}:{x}")).collect::<String>() + "\n";
    (sparse(folder, "small.svm", &rows.iter().map(line).collect::<String>()), rows)
}

#[test]
fn l1_reaches_the_optimum() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rows) = small(folder.path());
    let l1 = 0.02;
    // Rules that divide by an average of few gradients have an optimum of their own.
    for rule in ["sgd", "adagrad", "adagrad-rowwise"].map(|name| Rule::named(name).unwrap()) {
        let transforms = Transforms { l1, ..Transforms::default() };
        let settings =
            Settings { rule, transforms, threads: 1, epochs: 60, lr: Some(0.03), schedule: Schedule::Linear, ..Settings::default() };
        let settings = Settings { lr: Some(if rule.name().contains("adagrad") { 1.0 } else { 0.03 }), ..settings };
        let outcome = linear(&data, None, &settings);
        let model = linear_model(&outcome);
        let mut weights = [0.0f64; 15];
        (0..model.weights.len()).for_each(|i| weights[model.ids.name(i).parse::<usize>().unwrap()] = model.weights[i] as f64);
        // At the optimum the mean gradient is -l1 sign(w) where w is not 0, and within l1 where it is.
        let mut gradient = [0.0f64; 15];
        for (features, y) in &rows {
            let z = model.bias as f64 + features.iter().map(|&(j, x)| weights[j] * x).sum::<f64>();
            let slope = -y / (1.0 + (y * z).exp());
            features.iter().for_each(|&(j, x)| gradient[j] += slope * x / rows.len() as f64);
        }
        // A frequent feature's weight near 0 keeps being kicked off it by single examples.
        for (w, g) in weights.iter().zip(gradient) {
            let off = if w.abs() < 0.02 { (g.abs() - l1).max(0.0) } else { (g + l1 * w.signum()).abs() };
            assert!(off < 0.15 * l1, "{}: weight {w} has gradient {g}", rule.name());
        }
        assert!(weights.iter().filter(|w| w.abs() < 0.02).count() >= 3, "{}: {weights:?}", rule.name());
    }
}

#[test]
fn l1_sets_weights_of_rare_features_to_exactly_0() {
    let folder = tempfile::tempdir().unwrap();
    let data = rows(folder.path(), 5_000, 0);
    for (rule, threads) in Rule::ALL.into_iter().filter(Rule::takes_l1).flat_map(|rule| [(rule, 1), (rule, 2)]) {
        let zeros = |l1| {
            let transforms = Transforms { l1, ..Transforms::default() };
            let settings = Settings { rule, transforms, threads, lr: Some(rule.default_rate(1.0)), ..Settings::default() };
            linear_model(&linear(&data, None, settings)).weights.iter().filter(|&&w| w == 0.0).count()
        };
        let (without, with) = (zeros(0.0), zeros(1e-3));
        assert!(with > without + data.columns() / 4, "{rule}, {threads} threads: {with} of {}, {without}", data.columns());
    }
}

#[test]
fn averages_reach_the_optimum_sooner() {
    let folder = tempfile::tempdir().unwrap();
    let Some(data) = a9a(folder.path()) else { return };
    let Data::Rows(rows) = &data else { panic!("not sparse") };
    let _alone = alone();
    let (l2, optimum) = (1e-4, 0.324413044);
    for threads in [1, 2] {
        let gap = |rule: &str, average| {
            let transforms = Transforms { average, ..Transforms::default() };
            let rule = Rule::named(rule).unwrap();
            let settings = Settings { rule, transforms, l2, threads, lr: Some(0.02), epochs: 10, ..Settings::default() };
            logistic_objective(&linear(rows, None, settings), &data, l2) - optimum
        };
        let (last, averaged) = (gap("sgd", None), gap("sgd", Some(0.5)));
        // On two threads the hot weights, which are all here, go by exchanges too.
        let times = if threads == 1 { 10.0 } else { 2.0 };
        assert!(averaged < last / times, "{threads} threads: {averaged} above the optimum, {last} without");
    }
}

#[test]
fn averages_of_rare_and_hot_features_are_those_of_the_path() {
    let _alone = alone();
    // Squared loss towards 1 by SGD: the weight of a feature that occurs in each row is the same at any thread count but for sharing.
    let folder = tempfile::tempdir().unwrap();
    let data = rows(folder.path(), 5_000, 0);
    let model = |threads, hot_rows| {
        let transforms = Transforms { average: Some(0.0), ..Transforms::default() };
        let settings =
            Settings { transforms, threads, hot_rows, lr: Some(0.5), epochs: 3, exchange_every: Some(16), ..Settings::default() };
        linear_model(&linear(&data, None, settings)).weights.to_vec()
    };
    let one = model(1, Some(0));
    let norm = |x: &[f32]| x.iter().map(|x| (*x as f64).powi(2)).sum::<f64>().sqrt();
    for (threads, hot) in [(1, 500), (2, 0), (2, 500)] {
        let other = model(threads, Some(hot));
        let apart: Vec<f32> = one.iter().zip(other).map(|(a, b)| a - b).collect();
        let ratio = norm(&apart) / norm(&one);
        assert!(ratio < 0.1, "{threads} threads, {hot} hot rows: {ratio}");
    }
}

/// Weights that two workers step at once lose steps; their averages are to be those of the way the weights took nevertheless.
#[test]
fn averages_follow_weights_that_workers_fight_over() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (dense, _) = small(folder.path());
    let rated = some_ratings(folder.path());
    let sgd = Rule::named("sgd").unwrap();
    let loss = |average, threads| {
        let transforms = Transforms { average, ..Transforms::default() };
        let settings = Settings { rule: sgd, transforms, threads, hot_rows: Some(0), lr: Some(0.05), epochs: 60, ..Settings::default() };
        let outcome = linear(&dense, Some(&dense), settings);
        let schedule = Schedule::Constant;
        let settings = Settings {
            rule: sgd,
            transforms,
            threads,
            rank: 5,
            lr: Some(0.03),
            epochs: 40,
            schedule,
            holdout: 0.1,
            ..Settings::for_ratings()
        };
        [outcome, factors(&rated, None, settings)].map(|outcome| held_out(&outcome))
    };
    for threads in [2, 8] {
        let (last, averaged) = (loss(None, threads), loss(Some(0.5), threads));
        for (last, averaged) in last.into_iter().zip(averaged) {
            assert!(averaged < 1.02 * last, "{threads} threads: {averaged} averaged, {last} at the end");
        }
    }
}

#[test]
fn clipping_holds_what_would_diverge() {
    let folder = tempfile::tempdir().unwrap();
    let text = "1 1:1 2:1\n-1 1:-1\n".repeat(500) + "1e6 2:3000\n" + &"1 1:1 2:1\n-1 1:-1\n".repeat(500);
    let data = sparse(folder.path(), "spike.svm", &text);
    let rule = Rule::named("sgd").unwrap();
    let settings = Settings {
        loss: Loss::Squared,
        rule,
        lr: Some(0.05),
        epochs: 20,
        standardize: false,
        normalize: Normalize::None,
        ..Settings::default()
    };
    assert!(matches!(linear(&data, None, &settings).ended, Ended::Diverged(_)));
    for transforms in
        [Transforms { clip_norm: Some(1.0), ..Transforms::default() }, Transforms { clip_value: Some(1.0), ..Transforms::default() }]
    {
        let outcome = linear(&data, None, Settings { transforms, ..settings.clone() });
        let LinearModel { bias, weights, .. } = linear_model(&outcome);
        let second = bias - weights[0];
        assert!(matches!(outcome.ended, Ended::Finished) && (second + 1.0).abs() < 0.3, "{transforms:?}: {bias} {weights:?}");
    }
}

#[test]
fn noise_repeats_and_training_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = rows(folder.path(), 5_000, 0);
    let run = |noise, seed| {
        let settings = Settings {
            transforms: Transforms { noise, ..Transforms::default() },
            threads: 1,
            seed,
            lr: Some(0.5),
            epochs: 3,
            ..Settings::default()
        };
        let outcome = linear(&data, None, settings);
        (linear_model(&outcome).weights.to_vec(), outcome.epochs[2].loss < outcome.epochs[0].loss)
    };
    let noisy = run(0.01, 1);
    assert!(noisy.1 && noisy == run(0.01, 1) && noisy.0 != run(0.0, 1).0 && noisy.0 != run(0.01, 2).0);
}

#[test]
fn factorization_takes_all_but_l1() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let data = some_ratings(folder.path());
    let run = |rule: &str, transforms, threads| {
        let rule = Rule::named(rule).unwrap();
        let settings = Settings { rule, transforms, threads, rank: 5, holdout: 0.1, lr: Some(0.1), ..Settings::for_ratings() };
        held_out(&factors(&data, None, settings))
    };
    for rule in ["adagrad-rowwise", "adagrad"] {
        let [plain, plain_two] = [1, 2].map(|threads| run(rule, Transforms::default(), threads));
        for transforms in [
            Transforms { clip_value: Some(2.0), ..Transforms::default() },
            Transforms { clip_norm: Some(4.0), ..Transforms::default() },
            Transforms { noise: 1e-4, ..Transforms::default() },
            Transforms { average: Some(0.7), ..Transforms::default() },
        ] {
            let (one, two) = (run(rule, transforms, 1), run(rule, transforms, 2));
            assert!(one != plain && (one / plain - 1.0).abs() < 0.1, "{rule} {transforms:?}: {one}, {plain} without");
            assert!((two / plain_two - 1.0).abs() < 0.15, "{rule} {transforms:?}: {two}, {plain_two} without, on two threads");
        }
    }
    let settings = Settings { transforms: Transforms { l1: 0.1, ..Transforms::default() }, ..Settings::for_ratings() };
    let error = train_factorization(&data, None, &settings, &mut (), &Default::default()).unwrap_err().to_string();
    assert!(error.contains("`l1`") && error.contains("`l2`"), "{error}");
}

#[test]
fn what_is_out_of_range_or_does_not_go_together_is_named() {
    let check = |transforms, rule: &str| {
        Settings { transforms, rule: Rule::named(rule).unwrap(), ..Settings::default() }.check().unwrap_err().to_string()
    };
    let off = Transforms::default();
    for (transforms, rule, parts) in [
        (Transforms { clip_value: Some(0.0), ..off }, "sgd", ["`clip_value`", "above 0"]),
        (Transforms { clip_norm: Some(f32::NAN), ..off }, "sgd", ["`clip_norm`", "above 0"]),
        (Transforms { noise: -1.0, ..off }, "sgd", ["`noise`", "from 0"]),
        (Transforms { average: Some(1.0), ..off }, "sgd", ["`average`", "below 1"]),
        (Transforms { l1: 0.1, ..off }, "momentum", ["`rule` momentum", "adagrad"]),
    ] {
        let message = check(transforms, rule);
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}
