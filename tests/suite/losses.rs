//! Losses with settings, and a user's own: they train on several threads, and their models are kept.
use crate::support::{
    alone,
    data::{ratings, sparse},
    shared,
    training::{held_out, weights},
};
use hogwild::{
    Loss, Outcome, Rule, Settings, TrainedModel,
    data::{Data, Rows},
    loss::{EpsilonInsensitive, Focal, Huber, Link, Meaning, OwnLoss, Quantile, Standardise, Tweedie},
    train_factorization, train_linear,
};
use std::{ops::Range, path::Path};

/// The formulas of squared loss.
const SQUARES: OwnLoss = OwnLoss { name: "squares", value: |z, y| (z - y) * (z - y) * 0.5, slope: |z, y| z - y, meaning: Meaning::NUMBER };
/// Counts, by the logarithm of their mean.
const POISSON: OwnLoss = OwnLoss {
    name: "poisson",
    value: |z, y| z.exp() - y * z,
    slope: |z, y| z.exp() - y,
    meaning: Meaning { link: Link::Log, standardise: Standardise::No, ..Meaning::NUMBER },
};
/// The exponential loss of boosting.
const EXPONENTIAL: OwnLoss =
    OwnLoss { name: "exponential", value: |z, y| (-y * z).exp(), slope: |z, y| -y * (-y * z).exp(), meaning: Meaning::CLASS };

/// From 0 to 1.
fn uniform(i: u32, k: u32) -> f32 {
    let x = (i.wrapping_mul(2_654_435_761) ^ k.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B);
    ((x ^ (x >> 15)).wrapping_mul(0xC2B2_AE35) >> 8) as f32 / (1 << 24) as f32
}

/// Rows of three features with labels of a value that they determine, and noise of some size.
fn rows(folder: &Path, name: &str, from: u32, noise: f32, label: impl Fn(f32) -> f32) -> Rows {
    some_rows(folder, name, from..from + 6_000, noise, label)
}

/// The same of so many.
fn some_rows(folder: &Path, name: &str, which: Range<u32>, noise: f32, label: impl Fn(f32) -> f32) -> Rows {
    let line = |i: u32| {
        let x = |k| uniform(i, k);
        let y = 2.0 * x(1) - 3.0 * x(2) + x(3) + noise * (x(4) - 0.5);
        format!("{} 1:{} 2:{} 3:{}\n", label(y), x(1), x(2), x(3))
    };
    sparse(folder, &format!("{name}{}.svm", which.start), which.map(line).collect::<String>().as_bytes())
}

fn run(data: &Rows, valid: Option<&Rows>, settings: &Settings) -> Outcome {
    let _turn = shared();
    train_linear(data, valid, settings, &mut (), &Default::default()).unwrap()
}

#[test]
fn an_own_loss_steps_as_the_built_in_one_of_its_formulas() {
    let folder = tempfile::tempdir().unwrap();
    let data = rows(folder.path(), "a", 0, 0.2, |y| y);
    let stars: String = (0..3_000).map(|i| format!("u{} i{} {}\n", i % 40, (i * 7) % 31, 1 + i % 5)).collect();
    let stars = ratings(folder.path(), "stars.txt", stars.as_bytes());
    for batch in [hogwild::Batch::One, hogwild::Batch::Size(64)] {
        let settings = |loss| Settings { loss, batch, lr: Some(0.1), standardize: false, threads: 1, ..Settings::default() };
        let [own, built_in] = [Loss::Own(SQUARES), Loss::Squared].map(|loss| weights(&run(&data, None, &settings(loss))));
        assert!(own == built_in && own.iter().any(|w| *w != 0.0), "{own:?} {built_in:?}");
        let factors = |loss| {
            let settings = Settings { rank: 4, rule: Rule::named("adagrad-rowwise").unwrap(), ..settings(loss) };
            weights(&train_factorization(&stars, None, &settings, &mut (), &Default::default()).unwrap())
        };
        assert_eq!(factors(Loss::Own(SQUARES)), factors(Loss::Squared));
    }
}

#[test]
fn an_own_loss_on_two_threads_reaches_the_loss_of_the_built_in_one() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    // In any unit: labels are standardised for it too.
    for unit in [1.0, 1e4] {
        let data = |from| rows(folder.path(), &format!("u{unit}-"), from, 0.2, |y| unit * (y + 5.0));
        let (train, test) = (data(0), data(100_000));
        let held = |loss, threads| held_out(&run(&train, Some(&test), &Settings { loss, threads, ..Settings::default() }));
        let (own, built_in) = (held(Loss::Own(SQUARES), 2), held(Loss::Squared, 1));
        // Of noise there is .2^2 / 24.
        assert!((own / built_in - 1.0).abs() < 0.02 && built_in < 0.0018 * (unit as f64).powi(2), "{unit}: {own} {built_in}");
    }
}

#[test]
fn own_losses_of_counts_and_of_classes_learn_on_two_threads() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let settings = |loss| Settings { loss, threads: 2, ..Settings::default() };
    // Counts whose mean is e^(1 + y): rounded up or down by chance.
    let counts = |from| rows(folder.path(), "counts", from, 0.0, |y| ((1.0 + y).exp() + uniform(y.to_bits(), 9)).floor());
    let (train, test) = (counts(0), counts(100_000));
    let outcome = run(&train, Some(&test), &settings(Loss::Own(POISSON)));
    let model = outcome.model.as_ref().unwrap();
    let metrics = outcome.epochs.last().unwrap().valid.unwrap();
    // The rounding's error is .5 at most, .3 or so on average; the constant's error is over 2.
    assert!(metrics.mae.unwrap() < 0.5 && metrics.rmse.unwrap() < 0.6, "{metrics:?}");
    let linear = model.linear().unwrap();
    assert!((linear.bias - 1.0).abs() < 0.2, "{}", linear.bias);

    // So many that an epoch lasts longer than the system suspends a worker for: at the rate that is found two are off with old weights.
    let signs = |from| some_rows(folder.path(), "signs", from..from + 60_000, 0.2, |y| if y > 0.0 { 7.0 } else { 3.0 });
    let (train, test) = (signs(0), signs(1_000_000));
    let accuracy = |loss| run(&train, Some(&test), &settings(loss)).epochs.last().unwrap().valid.unwrap().accuracy.unwrap();
    let [own, built_in] = [Loss::Own(EXPONENTIAL), Loss::Logistic].map(accuracy);
    assert!(own > 0.95 && (own - built_in).abs() < 0.02, "{own} {built_in}");
}

#[test]
fn a_model_of_an_own_loss_is_opened_with_the_loss_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = rows(folder.path(), "a", 0, 0.2, |y| if y > 0.0 { 7.0 } else { 3.0 });
    let path = folder.path().join("m.safetensors");
    let outcome = run(&data, None, &Settings { loss: Loss::Own(EXPONENTIAL), lr: Some(0.1), threads: 1, ..Settings::default() });
    let model = outcome.model.unwrap();
    assert_eq!(model.settings["loss"], "own:exponential");
    model.save(&path).unwrap();
    let refused = TrainedModel::open(&path).unwrap_err().to_string();
    assert!(refused.contains("m.safetensors") && refused.contains("with `exponential`") && refused.contains("open_with"), "{refused}");
    let other = TrainedModel::open_with(&path, SQUARES).unwrap_err().to_string();
    assert!(other.contains("with `exponential`") && other.contains("given `squares`"), "{other}");
    let opened = TrainedModel::open_with(&path, EXPONENTIAL).unwrap();
    assert_eq!((opened.loss, opened.classes), (model.loss, model.classes));
    let data = Data::Rows(data);
    let (scores, before) = (opened.score(&data).unwrap(), model.score(&data).unwrap());
    assert_eq!((&scores.scores, scores.metrics(opened.loss)), (&before.scores, before.metrics(model.loss)));
    // A model of a listed loss is opened as ever.
    let outcome = run(
        &sparse(folder.path(), "b.svm", b"1 1:1\n2 1:2\n"),
        None,
        &Settings { loss: Huber { delta: 2.0 }.into(), ..Settings::default() },
    );
    outcome.model.unwrap().save(&path).unwrap();
    for opened in [TrainedModel::open(&path), TrainedModel::open_with(&path, SQUARES)] {
        assert_eq!(opened.unwrap().loss, Loss::Huber(Huber { delta: 2.0 }));
    }
}

#[test]
fn a_quantile_has_its_share_of_the_labels_below() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    for (name, unit, shift) in [("plain", 1.0, 0.0), ("small", 1e-6, 0.0), ("far", 100.0, 1e4)] {
        let data = |from| rows(folder.path(), name, from, 4.0, |y| unit * y + shift);
        let (train, test) = (data(0), data(100_000));
        for tau in [0.1, 0.5, 0.9] {
            let settings = Settings { loss: Quantile { tau }.into(), threads: 2, epochs: 10, ..Settings::default() };
            let outcome = run(&train, Some(&test), &settings);
            let scored = outcome.model.as_ref().unwrap().score(&Data::Rows(data(100_000))).unwrap();
            let below = scored.scores.iter().filter(|(z, y)| y <= z).count() as f32 / scored.scores.len() as f32;
            assert!((below - tau).abs() < 0.03, "{name} {tau}: {below}");
            // The noise is even, 4 wide: its pinball loss is 4 tau (1 - tau) / 2.
            let loss = held_out(&outcome) / unit as f64;
            let noise = 2.0 * tau as f64 * (1.0 - tau as f64);
            assert!((loss / noise - 1.0).abs() < 0.06, "{name} {tau}: {loss} {noise}");
        }
    }
}

#[test]
fn settings_of_a_loss_are_checked_with_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "b.svm", b"1 1:1\n2 1:2\n");
    let own = OwnLoss { meaning: Meaning { link: Link::Log, ..Meaning::NUMBER }, ..POISSON };
    for (loss, parts) in [
        (Loss::Quantile(Quantile { tau: 1.5 }), ["`loss` 1.5", "from 0.001 to 0.999"]),
        (Loss::Huber(Huber { delta: f32::NAN }), ["`loss` NaN", "from 0.001"]),
        (Loss::Own(own), ["own:poisson", "as they are"]),
    ] {
        let settings = Settings { loss, lr: Some(0.1), ..Settings::default() };
        let message = train_linear(&data, None, &settings, &mut (), &Default::default()).unwrap_err().to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}

#[test]
fn means_of_counts_and_amounts_are_found() {
    let folder = tempfile::tempdir().unwrap();
    // Counts and amounts of mean e^(1 + y / 2); amounts are 0 half of the time.
    let mean = |y: f32| (1.0 + y / 2.0).exp();
    let counts = |from| rows(folder.path(), "counts", from, 0.0, |y| (mean(y) + uniform(y.to_bits(), 9)).floor());
    let amounts = |from| rows(folder.path(), "amounts", from, 0.0, |y| if uniform(y.to_bits(), 8) < 0.5 { 0.0 } else { 2.0 * mean(y) });
    let tweedie = Loss::from(Tweedie { power: 1.3 });
    for (loss, data) in [(Loss::Poisson, [counts(0), counts(100_000)]), (tweedie, [amounts(0), amounts(100_000)])] {
        let [train, test] = &data;
        let settings = Settings { loss, threads: 1, epochs: 10, ..Settings::default() };
        let outcome = run(train, Some(test), &settings);
        let valid = outcome.epochs.last().unwrap().valid.unwrap();
        let linear = outcome.model.as_ref().unwrap().linear().unwrap();
        // What the data were made by: weights 1, -1.5 and .5, and a bias of 1, but that amounts are scattered.
        for (w, truth) in linear.weights.iter().zip([1.0, -1.5, 0.5]) {
            assert!((w - truth).abs() < 0.3, "{loss}: {:?}", linear.weights);
        }
        assert!((linear.bias - 1.0).abs() < 0.3, "{loss}: {}", linear.bias);
        // Twice the loss above the least: the least is the loss of the labels themselves.
        let scored = outcome.model.as_ref().unwrap().score(&Data::Rows(if loss == tweedie { amounts(100_000) } else { counts(100_000) }));
        let deviance = |&(z, y): &(f32, f32)| {
            let (m, y) = ((z as f64).exp(), y as f64);
            match loss {
                Loss::Poisson => 2.0 * (if y > 0.0 { y * (y / m).ln() } else { 0.0 } - (y - m)),
                _ => {
                    let (one, two) = (1.0 - 1.3, 2.0 - 1.3);
                    2.0 * (y.powf(two) / (one * two) - y * m.powf(one) / one + m.powf(two) / two)
                }
            }
        };
        let scores = scored.unwrap().scores;
        let expected = scores.iter().map(deviance).sum::<f64>() / scores.len() as f64;
        assert!((valid.deviance.unwrap() / expected - 1.0).abs() < 1e-3, "{loss}: {valid:?} {expected}");
    }
    // No label below 0.
    for label in ["-1", "-0.5"] {
        let data = sparse(folder.path(), "below.svm", format!("1 1:1\n0 2:1\n{label} 1:2\n").as_bytes());
        let settings = Settings { loss: Loss::Poisson, lr: Some(0.1), ..Settings::default() };
        let error = train_linear(&data, None, &settings, &mut (), &Default::default()).err().unwrap().to_string();
        assert!(error.contains(&format!("row 3 is {label}")) && error.contains("numbers from 0 up"), "{error}");
    }
    let data = ratings(folder.path(), "below.tsv", b"a b 3\na c -2\n");
    let settings = Settings { loss: Loss::Poisson, lr: Some(0.1), ..Settings::for_ratings() };
    let error = train_factorization(&data, None, &settings, &mut (), &Default::default()).err().unwrap().to_string();
    assert!(error.contains("rating 2 is -2"), "{error}");
}

#[test]
fn classes_and_numbers_are_learnt_by_the_other_losses() {
    let folder = tempfile::tempdir().unwrap();
    let signs = |from| rows(folder.path(), "signs", from, 0.2, |y| if y > 0.0 { 1.0 } else { -1.0 });
    let (train, test) = (signs(0), signs(100_000));
    let accuracy = |loss| {
        let outcome = run(&train, Some(&test), &Settings { loss, threads: 1, ..Settings::default() });
        outcome.epochs.last().unwrap().valid.unwrap().accuracy.unwrap()
    };
    let logistic = accuracy(Loss::Logistic);
    for loss in [Loss::ModifiedHuber, Focal::DEFAULT.into()] {
        assert!(accuracy(loss) > logistic - 0.02, "{loss}: {} {logistic}", accuracy(loss));
    }
    // Without a gamma it is logistic loss, but for rounding.
    let plain = accuracy(Focal { gamma: 0.0 }.into());
    assert!((plain - logistic).abs() < 0.01, "{plain} {logistic}");
    // In any unit; the noise has a mean absolute value of a quarter of its width.
    for unit in [1.0, 1e4] {
        let data = |from| rows(folder.path(), &format!("n{unit}-"), from, 0.4, |y| unit * (y + 5.0));
        let (train, test) = (data(0), data(100_000));
        for loss in [Loss::LogCosh, EpsilonInsensitive::DEFAULT.into()] {
            let outcome = run(&train, Some(&test), &Settings { loss, threads: 1, epochs: 10, ..Settings::default() });
            let mae = outcome.epochs.last().unwrap().valid.unwrap().mae.unwrap() / unit as f64;
            assert!(mae < 0.12, "{loss} {unit}: {mae}");
        }
    }
}
