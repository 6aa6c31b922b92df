//! Workers that own parts of the parameters: the same bits on any number of threads, and one worker's loss.
use crate::support::{
    alone,
    data::{ratings, sparse, synthetic},
    training::{factors, linear},
};
use hogwild::{
    Batch, Ended, Error, Loss, Normalize, Order, Outcome, Parallel, Rule, Schedule, Settings, Transforms, Window,
    synth::{Kind, Synth},
};

fn partitioned(parts: usize, settings: Settings) -> Settings {
    Settings { parallel: Parallel::Partitioned, parts: Some(parts), ..settings }
}

pub fn of_ratings() -> Settings {
    Settings { lr: Some(0.05), threads: 1, epochs: 3, holdout: 0.2, rank: 8, ..Settings::for_ratings() }
}

/// The bits of all tensors.
pub fn bits(outcome: &Outcome) -> Vec<u32> {
    let model = outcome.model.as_ref().unwrap().last();
    model.0.iter().flat_map(|tensor| tensor.numbers.iter()).map(|x| x.to_bits()).collect()
}

fn losses(outcome: &Outcome) -> Vec<f64> {
    outcome.epochs.iter().filter_map(|epoch| epoch.valid).map(|valid| valid.loss).collect()
}

pub fn best(outcome: &Outcome) -> f64 {
    losses(outcome).into_iter().fold(f64::INFINITY, f64::min)
}

#[test]
fn ratings_train_to_the_same_bits_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let data = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 20_000, ..Synth::default() }));
    let noisy = Transforms { noise: 0.01, clip_norm: Some(1.0), average: Some(0.5), ..Transforms::default() };
    let curriculum = Settings { order: Order::Curriculum, ..of_ratings() };
    for (what, settings) in [
        ("plain", of_ratings()),
        ("transforms", Settings { transforms: noisy, ..of_ratings() }),
        ("curriculum", curriculum),
        ("adam", Settings { rule: Rule::named("adam").unwrap(), lr: Some(0.002), ..of_ratings() }),
        ("ftrl", Settings { rule: Rule::named("ftrl").unwrap(), schedule: Schedule::Constant, ..of_ratings() }),
    ] {
        // One block, some, and more than there are users of a block.
        for parts in [3, 7, 40] {
            let of = |threads, seed| bits(&factors(&data, None, Settings { threads, seed, ..partitioned(parts, settings.clone()) }));
            let one = of(1, 1);
            assert!(one.iter().any(|&x| x != 0), "{what} {parts}");
            for threads in [1, 2, 3, 2] {
                assert!(of(threads, 1) == one, "{what}: {parts} parts, {threads} threads");
            }
            assert!(of(1, 2) != one, "{what} {parts}: the seed changes nothing");
        }
    }
}

#[test]
fn ratings_reach_one_workers_loss_with_any_number_of_parts() {
    let folder = tempfile::tempdir().unwrap();
    let data = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 60_000, ..Synth::default() }));
    let _turn = alone();
    let settings = Settings { epochs: 8, lr: Some(0.1), ..of_ratings() };
    let one = best(&factors(&data, None, settings.clone()));
    for parts in [1, 2, 16, 64] {
        let loss = best(&factors(&data, None, partitioned(parts, settings.clone())));
        assert!((loss / one - 1.0).abs() < 0.01, "{parts} parts: {loss}, one worker {one}");
    }
    let left_open = Settings { parts: None, threads: 2, ..partitioned(1, settings) };
    let loss = best(&factors(&data, None, left_open));
    assert!((loss / one - 1.0).abs() < 0.01, "as many parts as suit: {loss}, one worker {one}");
}

#[test]
fn more_parts_than_rows_leave_some_without_ratings() {
    let folder = tempfile::tempdir().unwrap();
    // One user with most of the ratings, of a handful of items.
    let text: String = (0..300).map(|i| format!("{}\t{}\t{}\n", if i % 5 > 0 { 0 } else { i % 7 }, i % 3 + i / 100, 1 + i % 5)).collect();
    let data = ratings(folder.path(), "few.tsv", &text);
    let settings = Settings { holdout: 0.0, ..of_ratings() };
    for parts in [1, 2, 50, 1024] {
        let run = factors(&data, None, partitioned(parts, settings.clone()));
        assert!(run.epochs.iter().all(|epoch| epoch.examples == data.len() as u64 && epoch.loss.is_finite()), "{parts}");
        let two = factors(&data, None, Settings { threads: 2.min(parts), ..partitioned(parts, settings.clone()) });
        assert_eq!(bits(&run), bits(&two), "{parts}");
    }
}

#[test]
fn ratings_learn_by_every_rule_but_one_that_tunes_itself() {
    let folder = tempfile::tempdir().unwrap();
    let data = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 20_000, ..Synth::default() }));
    for rule in Rule::ALL {
        let lr = Some(rule.default_rate(1.0).min(0.05) * 0.2);
        let mut settings = Settings { rule, lr, threads: 2, ..partitioned(5, of_ratings()) };
        settings.choose_schedule();
        if rule.learns() {
            let error = hogwild::train_factorization(&data, None, &settings, &mut (), &Default::default()).err().unwrap();
            assert!(error.to_string().contains("tunes itself by whole ones"), "{error}");
            continue;
        }
        let losses = losses(&factors(&data, None, settings));
        assert!(losses.len() == 3 && losses.iter().all(|loss| loss.is_finite()) && losses[2] <= losses[0] * 1.001, "{rule}: {losses:?}");
    }
}

#[test]
fn what_parts_can_not_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 500, ..Synth::default() }));
    let parts = partitioned(4, of_ratings());
    for (settings, says) in [
        (Settings { parallel: Parallel::Hogwild, ..parts.clone() }, "is of `parallel` partitioned"),
        (Settings { parallel: Parallel::Mean, ..parts.clone() }, "is of `parallel` partitioned"),
        (Settings { replicas: Some(2), ..parts.clone() }, "try `parallel` mean"),
        (Settings { elasticity: Some(0.5), ..parts.clone() }, "is of `parallel` elastic"),
        (Settings { parts: Some(0), ..parts.clone() }, "from 1 to 1024"),
        (Settings { threads: 5, ..parts.clone() }, "is less than `threads`"),
        (Settings { batch: Batch::Size(32), ..parts.clone() }, "leave out `batch`"),
        (Settings { exchange_every: Some(10), ..parts.clone() }, "none has"),
        (Settings { hot_rows: Some(10), ..parts.clone() }, "one owner"),
        (Settings { order: Order::Sequential, ..parts.clone() }, "an order of their own"),
    ] {
        let error = hogwild::train_factorization(&data, None, &settings, &mut (), &Default::default()).err().unwrap();
        assert!(matches!(error, Error::BadSetting { .. }) && error.to_string().contains(says), "{error}");
    }
}

fn of_rows() -> Settings {
    Settings { lr: Some(0.05), threads: 1, epochs: 3, holdout: 0.2, ..Settings::default() }
}

#[test]
fn rows_train_to_the_same_bits_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &synthetic(&Synth { rows: 2000, ..Synth::default() }));
    let adjusted = Transforms { noise: 0.01, clip_value: Some(0.5), average: Some(0.5), ..Transforms::default() };
    let named = |name: &str| Settings { rule: Rule::named(name).unwrap(), ..of_rows() };
    for (what, settings) in [
        ("plain", of_rows()),
        ("penalties", Settings { l2: 1e-4, transforms: Transforms { l1: 1e-5, ..Transforms::default() }, ..of_rows() }),
        ("l2", Settings { l2: 1e-4, ..of_rows() }),
        ("transforms", Settings { transforms: adjusted, ..of_rows() }),
        ("scaled", Settings { normalize: Normalize::MaxAbs, ..of_rows() }),
        ("row by row", Settings { normalize: Normalize::Row, order: Order::Sequential, ..of_rows() }),
        ("curriculum", Settings { order: Order::Curriculum, ..of_rows() }),
        ("sgd", named("sgd")),
        ("adam", named("adam")),
        ("ftrl", named("ftrl")),
    ] {
        for (parts, batch, in_flight) in [(3, Batch::One, None), (3, Batch::Size(7), Some(3)), (65, Batch::One, Some(1))] {
            let settings = Settings { batch, in_flight, ..partitioned(parts, settings.clone()) };
            let of = |threads, seed| bits(&linear(&data, None, Settings { threads, seed, ..settings.clone() }));
            let one = of(1, 1);
            assert!(one.iter().any(|&x| x != 0), "{what} {parts}");
            for threads in [1, 2, 3, 2] {
                assert!(of(threads, 1) == one, "{what}: {parts} parts, {threads} threads");
            }
            if what != "row by row" {
                assert!(of(1, 2) != one, "{what} {parts}: the seed changes nothing");
            }
        }
    }
}

#[test]
fn one_example_in_flight_is_a_run_without_parts() {
    let folder = tempfile::tempdir().unwrap();
    let dense = Synth { kind: Kind::Uniform, rows: 600, features: 12, nonzeros: 12, ..Synth::default() };
    for (what, text) in [("dense", synthetic(&dense)), ("text", synthetic(&Synth { rows: 600, ..Synth::default() }))] {
        let data = sparse(folder.path(), "a.svm", &text);
        for (name, l2) in [("adagrad", 0.0), ("adagrad", 1e-3), ("adam", 0.0), ("ftrl", 0.0), ("adaptive-revision", 0.0)] {
            let settings = Settings { rule: Rule::named(name).unwrap(), l2, lr: Some(0.02), ..of_rows() };
            let plain = linear(&data, None, settings.clone());
            let numbers = |outcome: &Outcome| bits(outcome).into_iter().map(f32::from_bits).collect::<Vec<_>>();
            for parts in [1, 2, 5] {
                let run = linear(&data, None, Settings { in_flight: Some(1), ..partitioned(parts, settings.clone()) });
                // Scores are summed in another order.
                let apart = numbers(&plain).iter().zip(&numbers(&run)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(apart < 2e-4, "{what} {name}, L2 {l2}, {parts} parts: weights {apart} apart");
                let counts = |outcome: &Outcome| outcome.epochs.iter().map(|epoch| (epoch.examples, epoch.nonzeros)).collect::<Vec<_>>();
                assert_eq!(counts(&plain), counts(&run));
            }
        }
    }
}

#[test]
fn rows_reach_one_workers_loss_with_any_number_of_parts() {
    let folder = tempfile::tempdir().unwrap();
    let synth = Synth { kind: Kind::Clicks, rows: 20_000, features: 10_000, ..Synth::default() };
    let data = sparse(folder.path(), "c.svm", &synthetic(&synth));
    let _turn = alone();
    let one = best(&linear(&data, None, of_rows()));
    for (parts, threads, batch) in [(2, 2, Batch::One), (2, 1, Batch::Size(64)), (16, 1, Batch::One), (64, 1, Batch::One)] {
        let loss = best(&linear(&data, None, Settings { threads, batch, ..partitioned(parts, of_rows()) }));
        assert!(loss <= one * 1.01, "{parts} parts, {batch} a batch: {loss}, one worker {one}");
    }
}

#[test]
fn rows_learn_by_every_rule_but_one_that_tunes_itself() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &synthetic(&Synth { rows: 6000, ..Synth::default() }));
    for rule in Rule::ALL {
        let lr = Some(rule.default_rate(1.0).min(0.05));
        let settings = Settings { rule, lr, threads: 2, ..partitioned(3, of_rows()) };
        if rule.learns() {
            let error = hogwild::train_linear(&data, None, &settings, &mut (), &Default::default()).err().unwrap();
            assert!(error.to_string().contains("tunes itself by whole ones"), "{error}");
            continue;
        }
        let run = linear(&data, None, settings);
        // A constant's loss is .693; Adadelta is slow to begin, and momentum overshoots at first where gradients are late.
        assert!(losses(&run).iter().all(|loss| loss.is_finite()) && best(&run) < 0.692, "{rule}: {:?}", losses(&run));
    }
}

#[test]
fn few_features_and_few_rows_leave_parts_without_work() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { holdout: 0.0, ..of_rows() };
    for (what, text) in [
        ("one feature", "1 1:1\n-1\n1 1:1\n-1\n".repeat(5)),
        ("one row a class", "1 1:1 2:1 3:1\n-1 9:1\n".into()),
        ("no features but one", "1 5:2\n-1\n".into()),
    ] {
        let data = sparse(folder.path(), "few.svm", &text);
        for parts in [1, 2, 50] {
            for in_flight in [1, 1024] {
                let settings = Settings { in_flight: Some(in_flight), threads: 2.min(parts), ..partitioned(parts, settings.clone()) };
                let run = linear(&data, None, settings);
                assert!(
                    run.epochs.iter().all(|epoch| epoch.examples == data.rows() as u64 && epoch.loss.is_finite()),
                    "{what} {parts} {in_flight}"
                );
            }
        }
    }
}

#[test]
fn a_run_in_parts_ends_when_it_is_asked_to_and_when_it_diverges() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &synthetic(&Synth { rows: 3000, ..Synth::default() }));
    let rated = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 20_000, ..Synth::default() }));
    for threads in [1, 2] {
        let far = Settings { rule: Rule::named("sgd").unwrap(), loss: Loss::Squared, lr: Some(1e30), threads, ..of_rows() };
        let run = linear(&data, None, Settings { standardize: false, ..partitioned(3, far) });
        assert!(matches!(run.ended, Ended::Diverged(_)), "{threads}");
        let far = Settings { rule: Rule::named("sgd").unwrap(), lr: Some(1e30), threads, ..of_ratings() };
        assert!(matches!(factors(&rated, None, partitioned(3, far)).ended, Ended::Diverged(_)), "{threads}");
    }
}

#[test]
fn what_parts_of_rows_can_not_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &synthetic(&Synth { rows: 500, ..Synth::default() }));
    let parts = partitioned(4, of_rows());
    let large = sparse(folder.path(), "large.svm", &synthetic(&Synth { rows: 40_000, ..Synth::default() }));
    let windowed = Settings { window: Window::Bytes(4 << 20), ..parts.clone() };
    let error = hogwild::train_linear(&large, None, &windowed, &mut (), &Default::default()).err().unwrap();
    assert!(error.to_string().contains("use `window` off"), "{error}");
    let clipped = Transforms { clip_norm: Some(1.0), ..Transforms::default() };
    for (settings, says) in [
        (Settings { in_flight: Some(2), parts: None, parallel: Parallel::Hogwild, ..parts.clone() }, "is of `parallel` partitioned"),
        (Settings { in_flight: Some(0), ..parts.clone() }, "from 1 to 1024"),
        (Settings { transforms: clipped, ..parts.clone() }, "use `clip_value`"),
        (Settings { normalize: Normalize::Online, ..parts.clone() }, "parts are scaled once"),
        (Settings { batch: Batch::Full, ..parts.clone() }, "give `batch` a number"),
        (Settings { batch: Batch::Size(4), batch_growth: 2.0, ..parts.clone() }, "leave out `batch_growth`"),
        (Settings { batch: Batch::Size(10_000), in_flight: Some(1000), ..parts.clone() }, "examples; give less"),
    ] {
        let error = hogwild::train_linear(&data, None, &settings, &mut (), &Default::default()).err().unwrap();
        assert!(matches!(error, Error::BadSetting { .. }) && error.to_string().contains(says), "{error}");
    }
}

#[test]
fn what_was_left_open_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &synthetic(&Synth { rows: 500, ..Synth::default() }));
    let rated = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 20_000, ..Synth::default() }));
    let left_open = |settings: Settings| Settings { parts: None, ..partitioned(1, settings) };
    let of = |settings: Settings| linear(&data, None, left_open(settings)).settings.describe();
    let (open, given) = (of(of_rows()), of(Settings { batch: Batch::Size(4), in_flight: Some(5), ..of_rows() }));
    let told = |all: &serde_json::Value| ["parts", "batch", "in_flight"].map(|name| all[name].to_string());
    assert_eq!(told(&open), ["2", "\"16\"", "2"]);
    assert_eq!(told(&given), ["2", "\"4\"", "5"]);
    let rated = factors(&rated, None, left_open(of_ratings())).settings.describe();
    // Of 16,000 ratings, 2,048 to a cell.
    assert_eq!(told(&rated), ["2", "\"1\"", "null"]);
}
