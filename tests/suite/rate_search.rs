//! The learning-rate search: what it chooses, on which examples, and what it tells.
use crate::support::{
    command::{hogwild, message},
    data::{ratings, sparse, synthetic, text_like},
    training::{Notes, factors_and_searches, held_out, linear_and_searches},
};
use hogwild::{
    Astray, Batch, Ended, Loss, Normalize, Outcome, Rule, Settings,
    synth::{Kind, Synth},
    train_linear,
};
use serde_json::Value;
use std::{fs, sync::atomic::AtomicBool};

fn some_ratings(rows: u64) -> String {
    synthetic(&Synth { kind: Kind::Ratings, rows, ..Synth::default() })
}

/// The same rows with every value multiplied.
fn scaled(text: &str, by: f64) -> String {
    let scale = |word: &str| match word.split_once(':') {
        Some((index, value)) => format!("{index}:{}", value.parse::<f64>().unwrap() * by),
        None => word.to_string(),
    };
    text.lines().map(|line| line.split(' ').map(scale).collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn the_choice_repeats_whatever_the_threads_and_costs_a_bounded_work() {
    let folder = tempfile::tempdir().unwrap();
    let rows = sparse(folder.path(), "rows.svm", &text_like(30_000, 0));
    let pairs = ratings(folder.path(), "ratings.tsv", &some_ratings(30_000));
    let runs = |threads| {
        let (of_rows, of_ratings) = (Settings { threads, epochs: 1, ..Settings::default() }, Settings::for_ratings());
        [linear_and_searches(&rows, None, of_rows), factors_and_searches(&pairs, Settings { threads, epochs: 1, rank: 8, ..of_ratings })]
    };
    let once = runs(1);
    for (threads, again) in [1, 2, 5].map(|threads| (threads, runs(threads))) {
        for ((outcome, searches), (_, first)) in again.iter().zip(&once) {
            assert_eq!((searches.len(), &searches[0].rates), (1, &first[0].rates), "{threads} threads");
            assert_eq!(outcome.settings.lr, first[0].chosen, "{threads} threads");
            // A tenth of a second's work, or two, of rows of 30 numbers; a rating of 8 factors counts as 5.
            let visited = searches[0].rates.iter().map(|tried| tried.examples).sum::<u64>();
            assert!(visited < 2 * 100_000_000 / 5, "{visited}");
        }
    }
}

#[test]
fn badly_scaled_features_are_raced_for_as_well() {
    let folder = tempfile::tempdir().unwrap();
    for scale in [1.0, 100.0] {
        let data = |rows, start_row| {
            let text = synthetic(&Synth { rows, start_row, features: 500, nonzeros: 10, ..Synth::default() });
            sparse(folder.path(), &format!("{start_row}-{scale}.svm"), &scaled(&text, scale))
        };
        let (train, test) = (data(40_000, 0), data(8_000, 1_000_000));
        // The steps of sgd do not shrink, so that its best rate lies in a narrower valley.
        for (rule, within) in [("adagrad", 1.03), ("sgd", 1.1)] {
            let settings = Settings { rule: Rule::named(rule).unwrap(), threads: 1, ..Settings::default() };
            let last = |outcome: &Outcome| outcome.epochs.last().and_then(|e| e.valid).map_or(f64::INFINITY, |valid| valid.loss);
            let ladder = (-14..=6).map(|rung| 10f32.powf(rung as f32 / 2.0));
            let best = ladder.map(|lr| last(&linear_and_searches(&train, Some(&test), Settings { lr: Some(lr), ..settings.clone() }).0));
            let best = best.fold(f64::INFINITY, f64::min);
            let (outcome, _) = linear_and_searches(&train, Some(&test), settings);
            let (lr, tried) = (outcome.settings.lr, last(&outcome));
            assert!(tried < within * best, "{rule}, values times {scale}: {tried} at {lr:?}, best of the ladder {best}");
        }
    }
}

#[test]
fn rates_that_diverge_drop_out_and_if_all_do_the_run_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { loss: Loss::Squared, rule: Rule::named("sgd").unwrap(), normalize: Normalize::None, ..Settings::default() };
    let data = sparse(folder.path(), "wide.svm", &"3 1:1000 2:500\n-2 1:-700 3:10\n".repeat(500));
    let (outcome, searches) = linear_and_searches(&data, None, settings.clone());
    let rates = &searches[0].rates;
    assert!(rates.iter().any(|tried| tried.loss.is_none()) && rates.iter().any(|tried| tried.loss.is_some()), "{rates:?}");
    assert!(matches!(outcome.ended, Ended::Finished) && outcome.epochs[4].loss < 0.1, "{:?}", outcome.epochs);

    let text = "3 1:1e18 2:1e18\n-2 1:-1e18 3:10\n".repeat(500);
    let data = sparse(folder.path(), "huge.svm", &text);
    let (outcome, searches) = linear_and_searches(&data, None, settings.clone());
    assert!(searches[0].rates.iter().all(|tried| tried.loss.is_none()));
    let Ended::Diverged(error) = outcome.ended else { panic!("{:?}", outcome.ended) };
    assert!(error.to_string().contains("learning rate"), "{error}");
    // Left to itself it is scaled, and learns.
    let (outcome, _) = linear_and_searches(&data, None, Settings { normalize: Normalize::Auto, ..settings });
    assert!(outcome.settings.normalize == Normalize::MaxAbs && outcome.epochs[4].loss < 0.1, "{:?}", outcome.ended);
}

/// So few examples that every race takes all of them, a fifth in turn to judge by.
#[test]
fn held_out_examples_are_not_raced_on() {
    let folder = tempfile::tempdir().unwrap();
    let rows = sparse(folder.path(), "rows.svm", &text_like(300, 0));
    let pairs = ratings(folder.path(), "ratings.tsv", &some_ratings(300));
    let settings = Settings { holdout: 0.5, epochs: 1, ..Settings::default() };
    let of_ratings = Settings { rank: 4, holdout: 0.5, epochs: 1, ..Settings::for_ratings() };
    for (outcome, searches) in [linear_and_searches(&rows, None, settings), factors_and_searches(&pairs, of_ratings)] {
        let kept = outcome.epochs[0].examples;
        assert!(kept > 100 && kept < 200);
        let seen = 4 * kept; // five times four fifths
        assert!(searches[0].rates.iter().all(|tried| tried.loss.is_none() || tried.examples == seen), "{kept} {:?}", searches[0].rates);
    }
}

#[test]
fn a_given_rate_is_kept_and_what_to_try_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let rows = sparse(folder.path(), "rows.svm", &text_like(500, 0));
    let (outcome, searches) = linear_and_searches(&rows, None, Settings { lr: Some(0.3), ..Settings::default() });
    assert_eq!((searches.len(), outcome.settings.lr), (0, 0.3));
    // Far too large, but finite: the loss is beyond that of a constant.
    let mut notes = Notes::default();
    let settings = Settings { lr: Some(1e4), rule: Rule::named("sgd").unwrap(), ..Settings::default() };
    let outcome = train_linear(&rows, None, &settings, &mut notes, &AtomicBool::new(false)).unwrap();
    assert!(matches!(outcome.ended, Ended::Finished) && outcome.settings.lr == 1e4);
    let [Astray { loss, constant, next: None, .. }] = notes.astray[..] else { panic!("{:?}", notes.astray) };
    assert!(loss > constant && constant < 0.7, "{loss} {constant}");
}

/// By batches no rate is tried, so that a chosen one may be far off.
#[test]
fn a_run_that_goes_astray_at_a_chosen_rate_starts_again_at_a_third() {
    let folder = tempfile::tempdir().unwrap();
    // The default rate goes by the first ten thousand rows; those after them are thirty times as long.
    let row = |i: u64| format!("{} 1:{}\n", if i.is_multiple_of(3) { 1 } else { 2 }, if i < 10_000 { 0.3 } else { 10.0 });
    let data = sparse(folder.path(), "odd.svm", &(0..12_000).map(row).collect::<String>());
    let settings = Settings {
        loss: Loss::Squared,
        rule: Rule::named("sgd").unwrap(),
        batch: Batch::Full,
        epochs: 30,
        normalize: Normalize::None,
        ..Settings::default()
    };
    let mut notes = Notes::default();
    let outcome = train_linear(&data, None, &settings, &mut notes, &AtomicBool::new(false)).unwrap();
    let Some(last) = notes.astray.last() else { panic!("it did not go astray: {:?}", outcome.epochs) };
    assert_eq!(Some(outcome.settings.lr), last.next);
    let ratio = notes.astray[0].rate / notes.astray[0].next.unwrap();
    assert!((ratio - 3.0).abs() < 0.05, "{ratio}");
    assert!(
        matches!(outcome.ended, Ended::Finished) && outcome.epochs.last().unwrap().loss <= last.constant * 1.001,
        "{:?}",
        outcome.epochs
    );
}

#[test]
fn every_rule_is_raced_under_the_schedule_it_is_to_run_by() {
    let folder = tempfile::tempdir().unwrap();
    let rows = sparse(folder.path(), "rows.svm", &text_like(6_000, 0));
    let (train, test) = (&rows, &sparse(folder.path(), "test.svm", &text_like(4_000, 1_000_000)));
    let constant = 0.693;
    for rule in Rule::ALL {
        // On one thread, so that it is the same each time: a worker that the system suspends may put back old momentum.
        let most = if rule.name() == "yellowfin" { 0.9 } else { 0.8 };
        let (outcome, searches) = linear_and_searches(train, Some(test), Settings { rule, threads: 1, ..Settings::default() });
        let loss = held_out(&outcome);
        assert!(searches[0].helped && loss < most * constant, "{}: {loss} at {}", rule.name(), searches[0].chosen);
    }
    let chosen = |schedule: &str| {
        let schedule = hogwild::Schedule::parse(schedule).unwrap();
        linear_and_searches(&rows, None, Settings { schedule, threads: 1, ..Settings::default() }).1[0].chosen
    };
    let ratio = chosen("linear") / chosen("constant");
    assert!((1.2..4.0).contains(&ratio), "{ratio}");
}

#[test]
fn a_race_that_is_stopped_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let rows = sparse(folder.path(), "rows.svm", &text_like(2_000, 0));
    let mut notes = Notes::default();
    let outcome = train_linear(&rows, None, &Settings::default(), &mut notes, &AtomicBool::new(true)).unwrap();
    assert!(matches!(outcome.ended, Ended::Interrupted) && notes.searches.is_empty(), "{:?}", outcome.ended);
}

#[test]
fn the_command_tells_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let train = |lr: &str| hogwild(folder.path(), &format!("train DATA/reviews.train.svm --no-cache --log log.jsonl --lr {lr}"));
    let log = || -> Vec<Value> {
        fs::read_to_string(folder.path().join("log.jsonl")).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let output = train("auto");
    let (told, lines) = (message(&output), log());
    let race = &lines[1];
    assert_eq!((&lines[0]["settings"]["lr"], &race["event"]), (&Value::Null, &"rate_search".into()));
    assert_eq!(race["chosen"], lines.last().unwrap()["settings"]["lr"]);
    // So few nonzeros are worth one worker.
    assert_eq!(lines.last().unwrap()["settings"]["threads"], 1);
    let rates = race["rates"].as_array().unwrap();
    assert!(rates.len() >= 12 && rates.iter().all(|r| r["lr"].is_f64() && r["loss"].is_f64() && r["examples"].is_u64()), "{race}");
    assert!(race["seconds"].as_f64().unwrap() > 0.0);
    assert!(
        told.contains(&format!("learning rate {} by a search of {}", race["chosen"].as_f64().unwrap() as f32, rates.len())),
        "{told} {race}"
    );
    assert!(train("0.1").status.success() && log().iter().all(|line| line["event"] != "rate_search"));
    for bad in ["fast", "0", "nan"] {
        let output = train(bad);
        let message = message(&output);
        assert!(output.status.code() == Some(2) && message.contains("--lr") && message.contains("0.1"), "{message}");
    }
}
