//! Downpour: replicas that push gradients to parameter servers and fetch what has changed, at periods of their own.
use crate::support::{
    data::{ratings, sparse, synthetic},
    shared,
    training::{factors, held_out, linear},
};
use hogwild::{
    Ended, EpochProgress, Error, Loss, Outcome, Parallel, Rule, Settings, Transforms, Watch,
    data::Rows,
    synth::{Kind, Synth},
};
use std::ops::ControlFlow;

fn downpour() -> Settings {
    Settings { parallel: Parallel::Downpour, replicas: Some(3), lr: Some(0.05), threads: 1, epochs: 3, holdout: 0.2, ..Settings::default() }
}

fn clicks(folder: &std::path::Path) -> Rows {
    sparse(folder, "c.svm", &synthetic(&Synth { kind: Kind::Clicks, rows: 8000, features: 3000, ..Synth::default() }))
}

fn bits(outcome: &Outcome, tensors: &[&str]) -> Vec<u32> {
    let model = outcome.model.as_ref().unwrap().last();
    tensors.iter().flat_map(|name| model.numbers(name)).map(|x| x.to_bits()).collect()
}

#[test]
fn one_replica_that_pushes_each_example_learns_what_one_worker_does() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rated) = (
        clicks(folder.path()),
        ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 4000, ..Synth::default() })),
    );
    // Each push is one gradient, and so the server's steps are the worker's own. (Ratings are cut into other units for replicas.)
    let replica = Settings { parallel: Parallel::Mean, replicas: Some(1), exchange_every: Some(1), epochs: 1, ..downpour() };
    let one = Settings { parallel: Parallel::Hogwild, replicas: None, exchange_every: Some(1), epochs: 1, ..downpour() };
    let pushed = Settings { replicas: Some(1), push_every: Some(1), exchange_every: Some(1), epochs: 1, ..downpour() };
    let close = |a: &Outcome, b: &Outcome| (held_out(a) - held_out(b)).abs() < 1e-5 * held_out(a);
    for rule in ["sgd", "adagrad", "adaptive-revision", "momentum", "adam"] {
        let rule = Rule::named(rule).unwrap();
        let lr = Some(rule.default_rate(1.0).min(0.05));
        let [a, b] = [&one, &pushed].map(|settings| linear(&data, None, Settings { rule, lr, ..settings.clone() }));
        assert!(close(&a, &b), "{rule}: {} {}", held_out(&a), held_out(&b));
        let [a, b] = [&replica, &pushed].map(|settings| {
            let settings = Settings { rule, lr: lr.map(|lr| lr * 0.2), loss: Loss::Squared, rank: 8, ..settings.clone() };
            factors(&rated, None, settings)
        });
        assert!(close(&a, &b), "{rule}, ratings: {} {}", held_out(&a), held_out(&b));
    }
}

#[test]
fn any_number_of_servers_gives_the_same_bits_on_one_thread() {
    let folder = tempfile::tempdir().unwrap();
    let data = clicks(folder.path());
    let of = |servers| {
        let settings = Settings { servers: Some(servers), push_every: Some(64), fetch_every: Some(256), ..downpour() };
        bits(&linear(&data, None, settings), &["bias", "weight"])
    };
    let one = of(1);
    assert!(one.iter().any(|&x| x != 0) && of(2) == one && of(7) == one && of(1000) == one);
    // The steps of Adam go by how many there were. Small pushes have nothing for some of the three blocks of features.
    let by_adam = |servers| {
        let settings =
            Settings { servers: Some(servers), push_every: Some(4), rule: Rule::named("adam").unwrap(), epochs: 1, ..downpour() };
        bits(&linear(&data, None, Settings { lr: Some(0.001), ..settings }), &["bias", "weight"])
    };
    let one = by_adam(1);
    assert!(one.iter().any(|&x| x != 0) && by_adam(2) == one && by_adam(3) == one && by_adam(7) == one);
    let rated = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 6000, ..Synth::default() }));
    for rule in ["adagrad", "adagrad-rowwise", "sgd"] {
        // Rank 32 has loops of its own.
        for rank in [5, 32] {
            let of = |servers| {
                let settings = Settings { servers: Some(servers), push_every: Some(64), rank, loss: Loss::Squared, ..downpour() };
                bits(
                    &factors(&rated, None, Settings { rule: Rule::named(rule).unwrap(), lr: Some(0.01), ..settings }),
                    &["user_bias", "item_factor"],
                )
            };
            assert_eq!(of(1), of(5), "{rule} {rank}");
        }
    }
}

#[test]
fn pushes_and_fetches_may_be_rare_and_unlike() {
    let folder = tempfile::tempdir().unwrap();
    let data = clicks(folder.path());
    let constant =
        held_out(&linear(&data, None, Settings { epochs: 1, lr: Some(1e-9), parallel: Parallel::Hogwild, replicas: None, ..downpour() }));
    let never = u32::MAX;
    // What never comes in an epoch comes at its end; few pushes and many fetches, and the other way.
    for (replicas, push, fetch) in [(3, 16, 300), (3, 300, 16), (1, 64, 64), (1, never, never)] {
        let settings = Settings { replicas: Some(replicas), push_every: Some(push), fetch_every: Some(fetch), ..downpour() };
        let loss = held_out(&linear(&data, None, settings));
        assert!(loss < 0.99 * constant, "{replicas} replicas, push {push}, fetch {fetch}: {loss}, a constant {constant}");
    }
    // Replicas that see nothing of each other for long step too far together, but all numbers stay finite; some have no block at all.
    for (replicas, push, fetch) in [(3, never, 64), (3, 64, never), (3, never, never), (500, 8, 8)] {
        let settings = Settings { replicas: Some(replicas), push_every: Some(push), fetch_every: Some(fetch), ..downpour() };
        let outcome = linear(&data, None, settings);
        let loss = held_out(&outcome);
        assert!(outcome.epochs.len() == 3 && loss.is_finite(), "{replicas} replicas, push {push}, fetch {fetch}: {loss}");
    }
}

#[test]
fn one_slot_beside_the_bias_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..200).map(|i| if i % 2 == 0 { "+1 7:1\n" } else { "-1 7:-1\n" }).collect();
    let data = sparse(folder.path(), "one.svm", &text);
    let outcome = linear(&data, None, Settings { holdout: 0.0, servers: Some(4), push_every: Some(8), ..downpour() });
    let weight = outcome.model.unwrap().last().numbers("weight")[0];
    assert!(weight > 0.1, "{weight}");
}

/// Ends a run within an epoch, once this many examples have begun.
struct After(u64);

impl Watch for After {
    fn progress(&mut self, progress: EpochProgress) -> ControlFlow<()> {
        if progress.examples > self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn a_run_that_is_stopped_pushes_what_its_replicas_have_learnt() {
    let folder = tempfile::tempdir().unwrap();
    const ROWS: u64 = 60_000;
    // Each example has a feature of its own, whose weight is other than 0 once the example's gradient was pushed.
    let text: String = (1..=ROWS).map(|i| format!("{} {i}:1\n", if i % 2 == 0 { "+1" } else { "-1" })).collect();
    let data = sparse(folder.path(), "own.svm", &text);
    for (replicas, threads) in [(1, 1), (3, 1), (3, 2), (2, 3)] {
        // Nothing is pushed but at the end. To fetch after each example takes so long that the end comes within the epoch.
        let settings = Settings { replicas: Some(replicas), threads, push_every: Some(u32::MAX), fetch_every: Some(1), ..downpour() };
        let settings = Settings { holdout: 0.0, epochs: 1, ..settings };
        let _turn = shared();
        let outcome = hogwild::train_linear(&data, None, &settings, &mut After(100), &Default::default()).unwrap();
        let learnt = outcome.model.as_ref().unwrap().last().numbers("weight").iter().filter(|&&w| w != 0.0).count() as u64;
        assert!(matches!(outcome.ended, Ended::Interrupted), "{replicas} {threads}: {:?}", outcome.ended);
        assert!((1..ROWS).contains(&learnt) && learnt == outcome.epochs[0].examples, "{replicas} {threads}: {learnt}");
    }
}

#[test]
fn weights_of_a_machine_step_as_without_replicas() {
    let folder = tempfile::tempdir().unwrap();
    let data = clicks(folder.path());
    let _turn = shared();
    let train = |settings: Settings| hogwild::train_fm(&data, None, &settings, &mut (), &Default::default()).unwrap();
    let base = Settings { rank: 8, lr: Some(0.05), threads: 1, epochs: 1, holdout: 0.2, exchange_every: Some(1), ..Settings::for_fm() };
    for rule in ["adagrad-rowwise", "adagrad", "sgd"] {
        let base = Settings { rule: Rule::named(rule).unwrap(), ..base.clone() };
        let one = train(Settings { parallel: Parallel::Hogwild, ..base.clone() });
        let pushed = train(Settings { parallel: Parallel::Downpour, replicas: Some(1), push_every: Some(1), ..base });
        for tensor in ["weight", "factor"] {
            let [a, b] = [&one, &pushed].map(|outcome| outcome.model.as_ref().unwrap().last().numbers(tensor).to_vec());
            let size = a.iter().map(|x| x.abs()).fold(0.0, f32::max);
            let apart = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(a.len() == b.len() && size > 0.01 && apart < 0.01 * size, "{rule} {tensor}: {apart} of {size}");
        }
    }
}

#[test]
fn the_first_replica_begins_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = clicks(folder.path());
    let base = Settings { replicas: Some(16), push_every: Some(32), ..downpour() };
    let [cold, warm, all] = [0, 1000, 1_000_000].map(|warm_start_examples| {
        let outcome = linear(&data, None, Settings { warm_start_examples, ..base.clone() });
        assert!(outcome.epochs.iter().all(|epoch| epoch.examples == outcome.epochs[0].examples));
        bits(&outcome, &["weight"])
    });
    assert!(cold != warm && warm != all);
    // Who trains all of it alone is one replica.
    let alone = linear(&data, None, Settings { replicas: Some(1), ..base });
    let apart =
        alone.model.unwrap().last().numbers("weight").iter().zip(&all).map(|(a, b)| (a - f32::from_bits(*b)).abs()).fold(0.0, f32::max);
    assert!(apart < 0.05, "{apart}");
}

#[test]
fn what_servers_can_not_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = clicks(folder.path());
    let mean = Settings { parallel: Parallel::Mean, ..downpour() };
    for (settings, says) in [
        (Settings { servers: Some(2), ..mean.clone() }, "is of `parallel` downpour"),
        (Settings { push_every: Some(64), ..mean.clone() }, "is of `parallel` downpour"),
        (Settings { fetch_every: Some(64), ..mean.clone() }, "is of `parallel` downpour"),
        (Settings { warm_start_examples: 5, ..mean }, "is of `parallel` downpour"),
        (Settings { servers: Some(0), ..downpour() }, "from 1 to 1024"),
        (Settings { push_every: Some(0), ..downpour() }, "at least 1"),
        (Settings { rule: Rule::named("yellowfin").unwrap(), ..downpour() }, "learns from each one"),
        (Settings { transforms: Transforms { l1: 1e-4, ..Transforms::default() }, ..downpour() }, "use `parallel` mean"),
    ] {
        let error = hogwild::train_linear(&data, None, &settings, &mut (), &Default::default()).err().unwrap();
        assert!(matches!(error, Error::BadSetting { .. }) && error.to_string().contains(says), "{error}");
    }
    // Clipping and noise go with servers: what is pushed are the gradients that the replica stepped by.
    let transforms = Transforms { clip_norm: Some(1.0), noise: 1e-4, ..Transforms::default() };
    assert!(held_out(&linear(&data, None, Settings { transforms, ..downpour() })).is_finite());
}
