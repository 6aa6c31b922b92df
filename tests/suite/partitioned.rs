//! Workers that own parts of the parameters: the same bits on any number of threads, and one worker's loss.
use crate::support::{
    alone,
    data::{ratings, sparse, synthetic},
    training::factors,
};
use hogwild::{
    Batch, Error, Order, Outcome, Parallel, Rule, Schedule, Settings, Transforms,
    synth::{Kind, Synth},
};

fn partitioned(parts: usize, settings: Settings) -> Settings {
    Settings { parallel: Parallel::Partitioned, parts: Some(parts), ..settings }
}

fn of_ratings() -> Settings {
    Settings { lr: Some(0.05), threads: 1, epochs: 3, holdout: 0.2, rank: 8, ..Settings::for_ratings() }
}

/// The bits of all tensors.
fn bits(outcome: &Outcome) -> Vec<u32> {
    let model = outcome.model.as_ref().unwrap().last();
    model.0.iter().flat_map(|tensor| tensor.numbers.iter()).map(|x| x.to_bits()).collect()
}

fn losses(outcome: &Outcome) -> Vec<f64> {
    outcome.epochs.iter().filter_map(|epoch| epoch.valid).map(|valid| valid.loss).collect()
}

fn best(outcome: &Outcome) -> f64 {
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
