//! Virtual workers: every way at 16 of them, to the bit, on any machine; and what the command tells of them.
use crate::support::{
    command::{good, hogwild, parts},
    data::{ratings, sparse, synthetic},
    isa::forced_in,
    training::{linear, weights},
};
use hogwild::{
    AnyData, Batch, Error, Parallel, Rule, Settings, Simulated, Workers, family_for,
    synth::{Kind, Synth},
};
use serde_json::Value;
use std::{fs, path::Path};

fn simulate<'d>(data: impl Into<AnyData<'d>>, settings: &Settings, workers: &Workers) -> Simulated {
    let data = data.into();
    hogwild::simulate(family_for(data.kind()), data, None, &forced_in(settings), workers, &mut (), &Default::default()).unwrap()
}

/// Synchronous batches have no virtual workers; where the way is left open, workers share one copy.
fn ways() -> impl Iterator<Item = Parallel> {
    Parallel::ALL.into_iter().filter(|parallel| ![Parallel::Auto, Parallel::Synchronous].contains(parallel))
}

/// Whether messages may be late.
fn may_be_late(parallel: Parallel) -> bool {
    ![Parallel::Hogwild, Parallel::Downpour, Parallel::Partitioned].contains(&parallel)
}

fn equal(count: usize) -> Workers {
    Workers { count, spread: 0.0, delay: 0 }
}

/// Rows whose features are as unlike in frequency as words.
fn zipf(folder: &Path, rows: u64) -> hogwild::data::Rows {
    sparse(folder, "z.svm", &synthetic(&Synth { rows, exponent: 1.1, ..Synth::default() }))
}

fn base() -> Settings {
    Settings { lr: Some(0.2), threads: 1, epochs: 4, holdout: 0.2, ..Settings::default() }
}

fn best(outcome: &hogwild::Outcome) -> f64 {
    outcome.epochs.iter().filter_map(|epoch| epoch.valid).map(|valid| valid.loss).fold(f64::INFINITY, f64::min)
}

#[test]
fn every_way_reaches_one_workers_loss_with_16() {
    let folder = tempfile::tempdir().unwrap();
    let data = zipf(folder.path(), 8000);
    let one = best(&linear(&data, None, base()));
    for parallel in ways() {
        let late = if may_be_late(parallel) { 8 } else { 0 };
        let spread = if parallel == Parallel::Partitioned { 0.0 } else { 0.5 };
        for (spread, delay) in [(0.0, 0), (spread, 0), (0.0, late)] {
            let settings = Settings { parallel, exchange_every: parallel.has_replicas().then_some(16), ..base() };
            let found = simulate(&data, &settings, &Workers { count: 16, spread, delay });
            let loss = best(&found.outcome);
            let within = match parallel {
                // It is for rules without sums of squares, which Adagrad has.
                Parallel::Overlap => 1.06,
                // Servers count what 16 replicas push together.
                Parallel::Downpour => 1.03,
                _ => 1.02,
            };
            assert!(loss <= one * within, "{parallel:?} {spread} {delay}: {loss}, one worker {one}");
            assert!(
                (spread == 0.0) == (found.slowest == 1.0) && found.speeds > 3.0 && found.speeds < 64.0,
                "{parallel:?}: {}",
                found.speeds
            );
        }
    }
    // The paper's Hogwild!
    let plain = simulate(&data, &Settings { hot_rows: Some(0), ..base() }, &equal(16));
    assert!(best(&plain.outcome) <= one * 1.02 && plain.shared == plain.plain);
}

#[test]
fn a_virtual_worker_alone_is_one_thread_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let data = zipf(folder.path(), 2000);
    for rule in ["adagrad", "adam", "ftrl", "yellowfin"] {
        let settings = Settings { rule: Rule::named(rule).unwrap(), ..base() };
        let found = simulate(&data, &settings, &equal(1));
        assert_eq!(weights(&found.outcome), weights(&linear(&data, None, &settings)), "{rule}");
        let shared = found.shared.unwrap();
        assert_eq!((shared.mean_age, shared.lost, shared.lines, shared.exchange_lines), (0.0, 0.0, 0.0, 0.0), "{rule}");
    }
}

#[test]
fn a_run_repeats_to_the_bit_and_another_seed_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = zipf(folder.path(), 1500);
    let of_ratings = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 4000, ..Synth::default() }));
    let for_ratings = Settings { rank: 8, lr: Some(0.1), ..Settings { threads: 1, epochs: 2, holdout: 0.2, ..Settings::for_ratings() } };
    for parallel in ways() {
        let late = if may_be_late(parallel) { 3 } else { 0 };
        let spread = if parallel == Parallel::Partitioned { 0.0 } else { 0.4 };
        let workers = Workers { count: 7, spread, delay: late };
        let settings = Settings { parallel, epochs: 2, ..base() };
        let of = |settings: &Settings, workers: &Workers| {
            let found = simulate(&data, settings, workers);
            (weights(&found.outcome), found.shared, found.exchanges.map(|exchanges| (exchanges.rows, exchanges.bytes)))
        };
        let found = of(&settings, &workers);
        assert!(found == of(&settings, &workers), "{parallel:?}");
        assert!(found.0 != of(&Settings { seed: 9, ..settings.clone() }, &workers).0, "{parallel:?}: the seed changes nothing");
        assert!(
            spread == 0.0 || found.0 != of(&settings, &Workers { spread: 0.0, ..workers }).0,
            "{parallel:?}: the spread changes nothing"
        );
        let at_once = of(&settings, &Workers { delay: 0, ..workers });
        assert!(late == 0 || found.0 != at_once.0, "{parallel:?}: the delay changes nothing");

        let settings = Settings { parallel, ..for_ratings.clone() };
        let [a, b] = [(); 2].map(|()| simulate(&of_ratings, &settings, &workers));
        assert!(weights(&a.outcome) == weights(&b.outcome) && best(&a.outcome).is_finite(), "{parallel:?}");
    }
    // More workers than there are examples for.
    let many = simulate(&data, &Settings { epochs: 1, ..base() }, &equal(300));
    assert_eq!(many.outcome.epochs[0].examples, linear(&data, None, base()).epochs[0].examples);
}

#[test]
fn private_rows_spare_updates_and_lines() {
    let folder = tempfile::tempdir().unwrap();
    let data = zipf(folder.path(), 4000);
    let settings = Settings { epochs: 1, hot_rows: Some(200), exchange_every: Some(8), ..base() };
    let found = simulate(&data, &settings, &equal(8));
    let (shared, plain) = (found.shared.unwrap(), found.plain.unwrap());
    assert_eq!((shared.hot_rows, plain.hot_rows, plain.exchange_lines), (200, 0, 0.0));
    assert!(shared.lost < plain.lost && plain.lost > 0.01 && plain.lost_of_hottest > plain.lost, "{shared:?} {plain:?}");
    assert!(shared.lines + shared.exchange_lines < plain.lines && plain.hottest_line > shared.hottest_line, "{shared:?} {plain:?}");
    // The price: copies are older.
    assert!(shared.mean_age > plain.mean_age && plain.age_99 >= plain.mean_age, "{shared:?} {plain:?}");
    // Between an example's score and its steps each of the seven others steps once, of equal workers: the bias lacks 7 updates, all others
    // fewer.
    assert!(plain.mean_age < 7.0 && plain.mean_age > 0.5, "{plain:?}");
}

#[test]
fn what_replicas_exchange_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let data = zipf(folder.path(), 2000);
    let of = |every: u32, count: usize| {
        let settings = Settings { parallel: Parallel::Mean, exchange_every: Some(every), epochs: 2, ..base() };
        simulate(&data, &settings, &equal(count)).exchanges.unwrap()
    };
    let (few, many) = (of(16, 4), of(64, 4));
    // A row's number, its weight and its sum of squares.
    assert!((few.bytes - 12.0 * few.rows).abs() < 1e-6 * few.bytes && few.rows >= 16.0, "{few:?}");
    assert!(many.rows > few.rows && many.an_epoch < few.an_epoch, "{few:?} {many:?}");
    // 1,600 examples or so, 16 each; of each replica the last may have fewer.
    assert!((95.0..=125.0).contains(&few.an_epoch), "{few:?}");
}

#[test]
fn what_virtual_workers_can_not_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = zipf(folder.path(), 200);
    for (settings, workers, says) in [
        (base(), equal(0), "`workers` 0: must be from 1 to 1024"),
        (base(), equal(1025), "must be from 1 to 1024"),
        (base(), Workers { spread: -1.0, ..equal(2) }, "`spread` -1: must be from 0 to 3"),
        (base(), Workers { spread: f64::NAN, ..equal(2) }, "must be from 0 to 3"),
        (base(), Workers { delay: 5, ..equal(2) }, "workers on one shared copy send none; use `parallel` mean"),
        (Settings { parallel: Parallel::Downpour, ..base() }, Workers { delay: 5, ..equal(2) }, "give `fetch_every`"),
        (Settings { parallel: Parallel::Partitioned, ..base() }, Workers { spread: 0.5, ..equal(2) }, "as they wait for each other"),
        (Settings { batch: Batch::Size(32), ..base() }, equal(2), "wait for each other; leave it out"),
        (Settings { elasticity: Some(0.5), ..base() }, equal(2), "is of `parallel` elastic"),
    ] {
        let data = AnyData::from(&data);
        let error = hogwild::simulate(family_for(data.kind()), data, None, &settings, &workers, &mut (), &Default::default()).unwrap_err();
        assert!(matches!(error, Error::BadSetting { .. }) && error.to_string().contains(says), "{error}");
    }
}

#[test]
fn the_command_tells_it_in_tables_a_log_and_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let machine = "--hand-over 100 --bandwidth 10";
    let line = |more: &str| format!("simulate DATA/reviews.train.svm --valid DATA/reviews.test.svm --epochs 2 {machine} {more}");
    let out = good(at, &line("--workers 8,2,8,1 --log a.jsonl --plot a.svg"));
    for part in ["held-out loss by workers", "lost %", "by a model", "hand-over of a line 100 ns (as told)", "10.0 GB/s (as told)", "best"]
    {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(fs::read_to_string(at.join("a.svg")).unwrap().starts_with("<svg"));
    let lines = |text: &str| text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    let log = lines(&fs::read_to_string(at.join("a.jsonl")).unwrap());
    let of = |log: &[Value], event: &str| log.iter().filter(|line| line["event"] == event).cloned().collect::<Vec<_>>();
    assert_eq!((log[0]["event"].as_str(), log.last().unwrap()["event"].as_str()), (Some("start"), Some("end")));
    // One worker first, whose rate was searched for.
    assert!(log[0]["settings"]["lr"].as_f64().unwrap() > 0.0);
    let (epochs, workers) = (of(&log, "epochs"), of(&log, "workers"));
    let counts = |lines: &[Value]| lines.iter().map(|line| line["workers"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!((counts(&epochs), counts(&workers)), (vec![1, 2, 8], vec![1, 2, 8]));
    for line in &epochs {
        let last = &line["epochs"][1];
        assert!(last["examples"] == 8000 && (0.1..0.69).contains(&last["held_out"].as_f64().unwrap()), "{line}");
    }
    let compute = |line: &Value| line["roofline"]["compute_ns"].as_f64().unwrap();
    // Some have nothing to do at the end of an epoch.
    assert!((6.0..=8.0).contains(&(compute(&workers[0]) / compute(&workers[2]))));
    assert_eq!(workers[2]["plain"]["hot_rows"], 0);

    // On standard output there are only lines of the log then; and losses are the same again.
    let again = lines(&good(at, &line("--workers 2,8 --log -")));
    assert_eq!(of(&again, "epochs"), epochs);
    let replicas = lines(&good(at, &line("--workers 8 --parallel mean --delay 20 --spread 0.3 --log -")));
    let exchanges = &of(&replicas, "workers")[1]["exchanges"];
    assert!(exchanges["bytes"].as_f64().unwrap() > exchanges["rows"].as_f64().unwrap(), "{exchanges}");
    // What is said of a way is not said of the one worker beside it.
    for way in [
        "downpour --push-every 8 --fetch-every 16 --servers 2 --warm-start-examples 100",
        "partitioned --in-flight 2",
        "elastic --elasticity 0.3",
    ] {
        let log = lines(&good(at, &line(&format!("--workers 4 --log - --parallel {way}"))));
        let held_out = |i: usize| of(&log, "epochs")[i]["epochs"][1]["held_out"].as_f64().unwrap();
        assert!(held_out(1) < 1.2 * held_out(0), "{way}: {} {}", held_out(0), held_out(1));
    }
    let rated = good(at, &format!("simulate DATA/ratings.train.tsv --epochs 1 --workers 4 --rank 8 --lr 0.05 {machine}"));
    assert!(rated.contains("squared loss") && rated.contains("bound by"), "{rated}");
}

#[test]
fn the_command_refuses_what_makes_no_sense() {
    let folder = tempfile::tempdir().unwrap();
    for (line, says) in [
        ("simulate", "DATA"),
        ("simulate nosuch.svm", "nosuch.svm"),
        ("simulate DATA/reviews.train.svm --workers 0", "1..=1024"),
        ("simulate DATA/reviews.train.svm --spread 9", "--spread 9: must be from 0 to 3; try 0.5"),
        ("simulate DATA/reviews.train.svm --delay 9", "--delay 9: is of messages"),
        ("simulate DATA/reviews.train.svm --hand-over 0", "a number above 0, such as 100"),
        ("simulate DATA/reviews.train.svm --elasticity 0.5 --parallel mean", "is of --parallel elastic"),
        ("simulate DATA/reviews.train.svm --hot-rows 5 --parallel mean", "leave it out"),
        ("simulate DATA/reviews.train.svm --hot-rows 5 --parallel downpour", "sums gradients beside the rows"),
        ("simulate DATA/reviews.train.svm --parallel synchronous", "learns the same with any number of workers"),
        ("simulate DATA/reviews.train.svm --plot no/such.svg", "no such folder"),
        ("simulate DATA/reviews.train.svm --batch 32", "--batch"),
    ] {
        let (code, out, errors) = parts(&hogwild(folder.path(), line));
        assert!(code == Some(2) && out.is_empty() && errors.contains(says), "{line}: {code:?} {errors}");
    }
}
