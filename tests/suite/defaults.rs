//! The defaults on data of many kinds: the first run is a sensible model, whatever the labels' unit, the features' sizes, the signal.
use crate::support::{
    data::{ratings, sparse, text_like},
    training::{factors, held_out_error, linear, linear_and_searches, weights},
};
use hogwild::{Loss, Normalize, Settings, loss::Huber};

/// From 0 to 1, for each number of each example (the finalizer of splitmix64).
fn uniform(example: u64, number: u64) -> f64 {
    let mut x = (example + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(number.wrapping_mul(0xD1B5_4A32_D192_ED03));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[test]
fn factors_form_with_biases_and_without_in_any_unit() {
    let folder = tempfile::tempdir().unwrap();
    // Of rank 1: the product of a user's number and an item's, without and with biases as large.
    let number = |i: u64| 2.0 * uniform(i, 0) - 1.0;
    let ratings_of = |name: &str, biases: f64, unit: f64, shift: f64, from: u64| {
        let line = |i: u64| {
            let (user, item) = ((200.0 * uniform(i, 1)) as u64, (150.0 * uniform(i, 2)) as u64);
            let rating = 3.0 * number(user) * number(item + 1_000) + biases * (number(user + 5_000) + number(item + 9_000));
            format!("{user} {item} {}\n", rating * unit + shift)
        };
        ratings(folder.path(), &format!("{name}-{from}.tsv"), &(from..from + 12_000).map(line).collect::<String>())
    };
    for biases in [0.0, 2.0] {
        let error = |name: &str, unit: f64, shift: f64| {
            let (train, test) = (ratings_of(name, biases, unit, shift, 0), ratings_of(name, biases, unit, shift, 20_000));
            let settings = Settings { rank: 8, threads: 1, ..Settings::for_ratings() };
            let error = held_out_error(&factors(&train, Some(&test), settings)) / unit;
            let deviation = (1.0 + biases * biases * 2.0 / 3.0f64).sqrt();
            assert!(error < 0.5 * deviation, "{biases} {name}: {error} beside {deviation}");
            error
        };
        let plain = error("plain", 1.0, 0.0);
        for (name, unit, shift) in [("percent", 20.0, 50.0), ("tiny", 1e-6, 0.0), ("shifted", 1.0, 1e5)] {
            let other = error(name, unit, shift);
            assert!((other / plain - 1.0).abs() < 0.05, "{biases} {name}: {other} beside {plain}");
        }
    }
}

#[test]
fn the_unit_of_labels_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let data = |name: &str, unit: f64, shift: f64, from: u64| {
        let line = |i: u64| {
            let x = |k| uniform(i, k);
            let y = 2.0 * x(1) - 3.0 * x(2) + x(3) + 0.2 * (x(4) - 0.5);
            format!("{} 1:{} 2:{} 3:{}\n", y * unit + shift, x(1), x(2), x(3))
        };
        sparse(folder.path(), &format!("{name}-{from}.svm"), &(from..from + 4_000).map(line).collect::<String>())
    };
    for loss in [Loss::Squared, Loss::Huber(Huber::DEFAULT)] {
        let error = |name: &str, unit: f64, shift: f64| {
            let (train, test) = (data(name, unit, shift, 0), data(name, unit, shift, 100_000));
            let (outcome, _) = linear_and_searches(&train, Some(&test), Settings { loss, threads: 1, ..Settings::default() });
            held_out_error(&outcome) / unit
        };
        let plain = error("plain", 1.0, 0.0);
        assert!(plain < 0.1, "{plain}"); // of noise there is .058, of labels 1.1
        for (name, unit, shift) in [("small", 1e-6, 0.0), ("large", 1e9, 0.0), ("shifted", 1.0, 1e5)] {
            let other = error(name, unit, shift);
            assert!((other / plain - 1.0).abs() < if shift > 0.0 { 0.02 } else { 0.01 }, "{loss:?} {name}: {other} beside {plain}");
        }
    }
}

#[test]
fn data_that_can_be_separated_get_no_rate_of_hundreds() {
    let folder = tempfile::tempdir().unwrap();
    let data = |rows: u64, from: u64| {
        let line = |i: u64| {
            let x = |k| 2.0 * uniform(i, k) - 1.0;
            let label = if x(1) + x(2) - x(3) > 0.0 { 1 } else { -1 };
            format!("{label} 1:{} 2:{} 3:{} 4:{}\n", x(1), x(2), x(3), x(4))
        };
        sparse(folder.path(), &format!("{rows}-{from}.svm"), &(from..from + rows).map(line).collect::<String>())
    };
    let test = data(2_000, 100_000);
    for (rows, most) in [(400, 0.15), (9, 1.0)] {
        for seed in 0..3 {
            let settings = Settings { threads: 1, seed, ..Settings::default() };
            let (outcome, searches) = linear_and_searches(&data(rows, 0), None, settings);
            let model = outcome.model.unwrap();
            let model = model.linear().unwrap();
            let loss = model.score(Loss::Logistic, None, &test).unwrap().metrics(Loss::Logistic).loss;
            assert!(loss < most && searches[0].chosen < 100.0, "{rows} rows, seed {seed}: {loss} at {}", searches[0].chosen);
        }
    }
}

#[test]
fn labels_that_follow_from_nothing_get_a_model_no_worse_than_a_constant() {
    let folder = tempfile::tempdir().unwrap();
    let text = |from: u64| -> String {
        let any = |i: u64, k: u64| (300.0 * uniform(i, k)) as u64;
        let line = |i: u64| format!("{} {}:1 {}:1\n", if uniform(i, 0) < 0.3 { 1 } else { -1 }, 1 + any(i, 1), 301 + any(i, 2));
        (from..from + 5_000).map(line).collect()
    };
    let (train, test) = (sparse(folder.path(), "noise.svm", &text(0)), sparse(folder.path(), "more.svm", &text(50_000)));
    let (outcome, searches) = linear_and_searches(&train, Some(&test), Settings { threads: 1, ..Settings::default() });
    let constant = 0.7 * -0.7f64.ln() + 0.3 * -0.3f64.ln();
    assert!(!searches[0].helped && held_out_error(&outcome) < 1.005 * constant, "{} {:?}", held_out_error(&outcome), searches[0]);
}

#[test]
fn features_of_unlike_sizes_are_scaled_unasked_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let text = |large: f64| -> String {
        let line = |i: u64| {
            let x = |k| uniform(i, k);
            format!("{} 1:{} 2:{} 3:{}\n", if x(1) + x(2) - x(3) > 0.5 { 1 } else { -1 }, x(1) * large, x(2), x(3) / large)
        };
        (0..4_000).map(line).collect()
    };
    let settings = Settings { threads: 1, holdout: 0.2, ..Settings::default() };
    let (wide, even) = (sparse(folder.path(), "wide.svm", &text(1e4)), sparse(folder.path(), "even.svm", &text(2.0)));
    let ((wide, _), (even, _)) = (linear_and_searches(&wide, None, settings.clone()), linear_and_searches(&even, None, settings));
    assert_eq!((wide.settings.normalize, even.settings.normalize), (Normalize::MaxAbs, Normalize::None));
    assert!(held_out_error(&wide) < 1.05 * held_out_error(&even), "{} {}", held_out_error(&wide), held_out_error(&even));
}

/// Ten features of one size, far below the bias.
#[test]
fn features_short_beside_the_bias_are_scaled() {
    let folder = tempfile::tempdir().unwrap();
    let data = |size: f64, from: u64| {
        let line = |i: u64| {
            let x = |k| 2.0 * uniform(i, k) - 1.0;
            let score: f64 = (1..=10).map(|k| x(k) * if k % 2 == 0 { 2.0 } else { -1.0 }).sum();
            let label = if uniform(i, 0) < 1.0 / (1.0 + (-score).exp()) { 1 } else { -1 };
            format!("{label}{}\n", (1..=10).map(|k| format!(" {k}:{:e}", size * x(k))).collect::<String>())
        };
        sparse(folder.path(), &format!("{size}-{from}.svm"), &(from..from + 4_000).map(line).collect::<String>())
    };
    let of = |size: f64| linear_and_searches(&data(size, 0), Some(&data(size, 50_000)), Settings { threads: 1, ..Settings::default() }).0;
    let well = of(1.0);
    for size in [3e-3, 1e-3, 1e-5] {
        let small = of(size);
        assert!(
            small.settings.normalize == Normalize::MaxAbs && held_out_error(&small) < 1.03 * held_out_error(&well),
            "{size}: {} {}",
            held_out_error(&small),
            held_out_error(&well)
        );
    }
}

/// A handful of held-out rows, or such as the model knows nothing of, do not steer the run.
#[test]
fn held_out_data_that_tell_nothing_leave_the_run_alone() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: u64| format!("{} {}:1 {}:1\n", if uniform(i, 1) < 0.5 { 1 } else { -1 }, 1 + (uniform(i, 1) * 20.0) as u64, 21 + i % 7);
    let train = sparse(folder.path(), "train.svm", &(0..3_000).map(row).collect::<String>());
    for (name, text) in [("few.svm", "1 20:1\n-1 1:1\n1 19:1\n".to_string()), ("strange.svm", "-1 9001:1\n1 9002:1\n".repeat(200))] {
        let (outcome, searches) =
            linear_and_searches(&train, Some(&sparse(folder.path(), name, &text)), Settings { threads: 1, ..Settings::default() });
        assert_eq!(outcome.settings.lr, searches[0].chosen, "{name}");
        assert!(outcome.epochs[4].loss < 0.2, "{name}: {:?}", outcome.epochs[4]);
    }
}

/// Standardised weights are finite; those for labels and features as they are would not be.
#[test]
fn a_model_that_would_not_be_finite_is_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let line = |i: u64| format!("{:e} 1:{:e}\n", 1e30 * uniform(i, 0), 1e-12 * (0.5 + uniform(i, 0)));
    let data = sparse(folder.path(), "odd.svm", &(0..500).map(line).collect::<String>());
    let (outcome, _) = linear_and_searches(&data, None, Settings { loss: Loss::Squared, threads: 1, ..Settings::default() });
    assert!(outcome.model.is_none() && matches!(outcome.ended, hogwild::Ended::Diverged(_)), "{:?}", outcome.ended);
}

#[test]
fn few_data_get_one_worker_unasked_and_many_more() {
    let folder = tempfile::tempdir().unwrap();
    let few = sparse(folder.path(), "few", &text_like(2000, 0));
    let outcome = linear(&few, None, Settings { epochs: 1, lr: Some(0.1), ..Settings::default() });
    assert_eq!(outcome.settings.threads, 1);
    let again = linear(&few, None, Settings { epochs: 1, lr: Some(0.1), threads: 1, ..Settings::default() });
    assert_eq!(weights(&outcome), weights(&again));
    let many = sparse(folder.path(), "many", &text_like(50_000, 0));
    let worth = (1 + many.nonzeros() / 2_000_000) as usize;
    let outcome = linear(&many, None, Settings { epochs: 1, lr: Some(0.1), ..Settings::default() });
    assert_eq!(outcome.settings.threads, worth.min(hogwild::Threads::all().count()));
}
