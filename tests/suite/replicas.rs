//! Replicas of a model that exchange with a centre: every way, with every rule, on one thread and on two.
use crate::support::{
    alone,
    data::{ratings, sparse, synthetic},
    training::{factors, held_out, linear},
};
use hogwild::{
    Batch, Error, Loss, Normalize, Outcome, Parallel, Rule, Settings, Transforms,
    synth::{Kind, Synth},
};

const WAYS: [Parallel; 4] = [Parallel::Mean, Parallel::Overlap, Parallel::Elastic, Parallel::Downpour];

fn replicated(parallel: Parallel, replicas: usize, every: u32) -> Settings {
    Settings {
        parallel,
        replicas: Some(replicas),
        exchange_every: Some(every),
        lr: Some(0.05),
        threads: 1,
        epochs: 3,
        holdout: 0.2,
        ..Settings::default()
    }
}

fn weights(outcome: &Outcome) -> Vec<u32> {
    let model = outcome.model.as_ref().unwrap().last();
    ["bias", "weight"].into_iter().flat_map(|name| model.numbers(name)).map(|x| x.to_bits()).collect()
}

#[test]
fn one_replica_learns_what_a_run_without_replicas_does() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &synthetic(&Synth { rows: 5000, ..Synth::default() }));
    for rule in ["adagrad", "adam"] {
        let plain = Settings {
            rule: Rule::named(rule).unwrap(),
            lr: Some(0.05),
            threads: 1,
            epochs: 2,
            exchange_every: Some(256),
            ..Settings::default()
        };
        let one = linear(&data, None, plain.clone());
        for parallel in [Parallel::Mean, Parallel::Overlap] {
            let replica = linear(&data, None, Settings { parallel, replicas: Some(1), ..plain.clone() });
            let apart = weights(&one).iter().zip(&weights(&replica)).filter(|(a, b)| a != b).count();
            // A weight goes by `shared + (own - base)`, which rounds.
            let close = |(a, b): (&u32, &u32)| (f32::from_bits(*a) - f32::from_bits(*b)).abs() < 1e-4;
            assert!(weights(&one).iter().zip(&weights(&replica)).all(close), "{rule} {parallel:?}: {apart} numbers differ");
        }
    }
}

#[test]
fn one_thread_repeats_to_the_bit_with_any_number_of_replicas() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &synthetic(&Synth { rows: 3000, ..Synth::default() }));
    for parallel in WAYS {
        // More replicas than blocks, too: some have nothing to do.
        for replicas in [2, 16, 300] {
            let settings = replicated(parallel, replicas, 64);
            let [a, b] = [(); 2].map(|()| weights(&linear(&data, None, settings.clone())));
            assert!(a == b && a.iter().any(|&x| x != 0), "{parallel:?} {replicas}");
            let other = weights(&linear(&data, None, Settings { seed: 5, ..settings }));
            assert!(a != other, "{parallel:?} {replicas}: the seed changes nothing");
        }
    }
}

#[test]
fn every_way_learns_by_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &synthetic(&Synth { rows: 6000, ..Synth::default() }));
    let rated = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 20_000, ..Synth::default() }));
    let catches_up = |name: &str| {
        let mut rule = Rule::named(name).unwrap();
        rule.set("catch_up", "true").unwrap();
        rule
    };
    let refused = [Rule::named("ftrl").unwrap(), catches_up("momentum"), catches_up("nesterov")];
    assert!(refused.iter().all(Rule::reads_state));
    for rule in Rule::ALL.into_iter().chain(refused) {
        for parallel in WAYS {
            if rule.reads_state() {
                let settings = Settings { rule, ..replicated(parallel, 3, 256) };
                let error = hogwild::train_linear(&data, None, &settings, &mut (), &Default::default()).err().unwrap();
                assert!(error.to_string().contains("are made of its state"), "{error}");
                continue;
            }
            if parallel == Parallel::Downpour && rule.learns() {
                let settings = Settings { rule, ..replicated(parallel, 3, 256) };
                let error = hogwild::train_linear(&data, None, &settings, &mut (), &Default::default()).err().unwrap();
                assert!(error.to_string().contains("learns from each one"), "{error}");
                continue;
            }
            // A rate for one worker that suits each rule on these data; `mean` and `elastic` multiply it.
            let lr = Some(rule.default_rate(1.0).min(0.05));
            // Servers take sums of gradients, under which large steps go too far together; the rules of signs make them larger yet.
            let every = if parallel == Parallel::Downpour { 64 } else { 256 };
            let share = if parallel == Parallel::Downpour && ["powersign", "addsign"].contains(&rule.name()) { 0.2 } else { 1.0 };
            let settings = Settings { rule, lr: lr.map(|lr| lr * share), ..replicated(parallel, 3, every) };
            let rows = linear(&data, None, settings.clone());
            let losses: Vec<f64> = rows.epochs.iter().filter_map(|epoch| epoch.valid).map(|valid| valid.loss).collect();
            let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
            // A constant's loss is .693; Adadelta is slow to begin, and servers step once a push.
            let learns = best < 0.692 || rule.name() == "adadelta" && parallel == Parallel::Downpour && losses[2] < losses[0];
            assert!(losses.iter().all(|loss| loss.is_finite()) && learns, "{rule} {parallel:?}: {losses:?}");
            let settings = Settings { loss: Loss::Squared, rank: 8, lr: settings.lr.map(|lr| lr * 0.2), ..settings };
            let pairs = factors(&rated, None, settings);
            let errors: Vec<f64> = pairs.epochs.iter().filter_map(|epoch| epoch.valid).map(|valid| valid.loss).collect();
            assert!(
                errors.len() == 3 && errors.iter().all(|loss| loss.is_finite()) && errors[2] <= errors[0] * 1.001,
                "{rule} {parallel:?}: {errors:?}"
            );
        }
    }
}

#[test]
fn parts_of_any_length_are_gone_through() {
    let folder = tempfile::tempdir().unwrap();
    let one_feature = |i: u32| if i.is_multiple_of(2) { "+1 7:1\n".into() } else { "-1 7:-1\n".to_string() };
    // Data, each with how many weights are learnt at least.
    for (what, text, least) in [
        // Blocks of 256 examples: some replicas have one more than others, or end early; or there are fewer than replicas.
        ("unequal parts", synthetic(&Synth { rows: 1700, ..Synth::default() }), 1),
        ("one feature", (0..700).map(one_feature).collect(), 1),
        ("features of their own", (1..=700).map(|i| format!("{} {i}:1\n", if i % 2 == 0 { "+1" } else { "-1" })).collect(), 700),
        ("fewer examples than replicas", "+1 1:1\n-1 2:1\n".into(), 2),
        ("one example", "+1 3:1\n".into(), 1),
        ("no feature", "+1\n-1\n+1\n".into(), 0),
    ] {
        let data = sparse(folder.path(), "few.svm", &text);
        for parallel in WAYS {
            for (replicas, threads) in [(2, 1), (3, 2), (40, 2), (2, 3)] {
                // Rounds that end with the part, before it, and far behind it.
                for every in [256, 100, u32::MAX] {
                    let settings = Settings { threads, holdout: 0.0, epochs: 2, ..replicated(parallel, replicas, every) };
                    let run = linear(&data, None, settings);
                    let what = format!("{what}: {parallel:?}, {replicas} replicas, {threads} threads, {every}");
                    assert!(run.epochs.iter().all(|epoch| epoch.examples == data.rows() as u64 && epoch.loss.is_finite()), "{what}");
                    // Where each example has a feature of its own: what was learnt of each has reached the centre.
                    let learnt = || run.model.as_ref().unwrap().last().numbers("weight").iter().filter(|&&w| w != 0.0).count();
                    assert!(least == 0 || learnt() >= least, "{what}");
                }
            }
        }
    }
}

#[test]
fn many_replicas_and_two_threads_reach_one_workers_loss() {
    let folder = tempfile::tempdir().unwrap();
    let synth = Synth { kind: Kind::Clicks, rows: 40_000, features: 20_000, ..Synth::default() };
    let data = sparse(folder.path(), "c.svm", &synthetic(&synth));
    let _turn = alone();
    let best = |settings: Settings| {
        let outcome = linear(&data, None, settings);
        outcome.epochs.iter().filter_map(|epoch| epoch.valid).map(|valid| valid.loss).fold(f64::INFINITY, f64::min)
    };
    let base = Settings { lr: Some(0.05), threads: 1, epochs: 6, holdout: 0.2, ..Settings::default() };
    let one = best(base.clone());
    for (parallel, replicas, threads, every, within) in [
        (Parallel::Mean, 16, 1, 64, 1.01),
        (Parallel::Mean, 16, 1, 128, 1.01),
        (Parallel::Mean, 2, 2, 1024, 1.01),
        // Of three workers the first replica has two.
        (Parallel::Mean, 2, 3, 1024, 1.02),
        (Parallel::Downpour, 1, 2, 1024, 1.02),
        (Parallel::Overlap, 16, 1, 64, 1.02),
        (Parallel::Overlap, 2, 2, 1024, 1.01),
        (Parallel::Downpour, 16, 1, 64, 1.01),
        (Parallel::Downpour, 2, 2, 1024, 1.02),
        (Parallel::Elastic, 4, 1, 64, 1.02),
        (Parallel::Elastic, 2, 2, 1024, 1.02),
    ] {
        let settings = Settings { parallel, replicas: Some(replicas), threads, exchange_every: Some(every), ..base.clone() };
        let loss = best(settings);
        assert!(loss <= one * within, "{parallel:?} {replicas} replicas, {threads} threads, each {every}: {loss}, one worker {one}");
    }
}

#[test]
fn what_replicas_can_not_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &synthetic(&Synth { rows: 500, ..Synth::default() }));
    let mean = replicated(Parallel::Mean, 2, 64);
    for (settings, says) in [
        (Settings { parallel: Parallel::Hogwild, ..mean.clone() }, "try `parallel` mean"),
        (Settings { batch: Batch::Size(32), exchange_every: None, ..mean.clone() }, "leave out `batch`"),
        (Settings { transforms: Transforms { average: Some(0.5), ..Transforms::default() }, ..mean.clone() }, "leave out `average`"),
        (Settings { parallel: Parallel::Synchronous, replicas: None, exchange_every: None, ..mean.clone() }, "give `batch` a number"),
        (Settings { parallel: Parallel::Synchronous, batch: Batch::Size(8), ..mean.clone() }, "share no model"),
        (Settings { elasticity: Some(0.5), ..mean.clone() }, "is of `parallel` elastic"),
        (Settings { replicas: Some(0), ..mean.clone() }, "from 1 to 1024"),
        (Settings { hot_rows: Some(10), ..mean.clone() }, "a replica of its own"),
    ] {
        let error = hogwild::train_linear(&data, None, &settings, &mut (), &Default::default()).err().unwrap();
        assert!(matches!(error, Error::BadSetting { .. }) && error.to_string().contains(says), "{error}");
    }
    // Scaling and transforms go with replicas.
    let scaled =
        Settings { normalize: Normalize::MaxAbs, transforms: Transforms { clip_norm: Some(1.0), ..Transforms::default() }, ..mean };
    assert!(held_out(&linear(&data, None, scaled)).is_finite());
}

#[test]
fn the_way_stands_in_the_settings_as_used() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &synthetic(&Synth { rows: 500, ..Synth::default() }));
    let used = |settings: Settings| linear(&data, None, Settings { lr: Some(0.1), threads: 1, epochs: 1, ..settings }).settings.describe();
    let of = |parallel| used(Settings { parallel, ..Settings::default() });
    let batches = used(Settings { batch: Batch::Size(32), ..Settings::default() });
    assert_eq!((&batches["parallel"], &batches["replicas"]), (&"synchronous".into(), &serde_json::Value::Null));
    let asked = used(Settings { parallel: Parallel::Synchronous, batch: Batch::Size(32), ..Settings::default() });
    assert_eq!(asked, batches);
    let elastic = of(Parallel::Elastic);
    assert_eq!(
        (&elastic["parallel"], &elastic["replicas"], elastic["elasticity"].as_f64().unwrap() as f32),
        (&"elastic".into(), &2.into(), 0.45)
    );
    let downpour = of(Parallel::Downpour);
    assert_eq!((&downpour["servers"], &downpour["push_every"], &downpour["fetch_every"]), (&1.into(), &250.into(), &250.into()));
}
