//! The order of examples: as in the file, by difficulty; how many an epoch has, and what is told of it.
use crate::support::{
    alone,
    data::{open, ratings, sparse, synthetic},
    training::{factors, held_out_error, linear},
};
use hogwild::{
    Batch, EpochReport, Loss, Order, Outcome, Rule, Schedule, Settings,
    data::Data,
    synth::{Kind, Synth},
};

fn losses(outcome: &Outcome) -> Vec<f64> {
    outcome.epochs.iter().map(|epoch| epoch.loss).collect()
}

#[test]
fn sequential_is_the_order_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    // With one feature, the bias and a rate of 1/2 each step goes to the label at hand, so each loss is that of the label before. That is
    // 1 on the way and (5000 - 1) at the start of the second epoch; whatever order but this one gives more.
    let rows = 5000;
    let text: String = (0..rows).map(|i| format!("{i} 1:1\n")).collect();
    let data = sparse(folder.path(), "ramp.svm", text.as_bytes());
    for exchange_every in [1, 5, 256, 100_000] {
        let settings = Settings {
            loss: Loss::Squared,
            rule: Rule::named("sgd").unwrap(),
            lr: Some(0.5),
            standardize: false,
            exchange_every: Some(exchange_every),
            epochs: 2,
            threads: 1,
            ..Settings::default()
        };
        let mean = (rows - 1) as f64 / rows as f64 / 2.0;
        let back = ((rows - 1) as f64).powi(2) / 2.0 / rows as f64;
        let found = losses(&linear(&data, None, Settings { order: Order::Sequential, ..settings.clone() }));
        assert!((found[0] - mean).abs() < 1e-3 && (found[1] / (mean + back) - 1.0).abs() < 1e-3, "{exchange_every}: {found:?}");
        assert!(losses(&linear(&data, None, settings))[0] > 1e3);
    }
    // Ratings that rise: each step goes most of the way to the rating at hand.
    let text: String = (0..rows).map(|i| format!("{} {} {}\n", i % 3, i % 2, 5.0 * i as f32 / rows as f32)).collect();
    let data = ratings(folder.path(), "ramp.tsv", text.as_bytes());
    let settings =
        Settings { rule: Rule::named("sgd").unwrap(), lr: Some(0.2), l2: 0.0, rank: 1, epochs: 1, threads: 1, ..Settings::for_ratings() };
    let found = losses(&factors(&data, None, Settings { order: Order::Sequential, ..settings.clone() }))[0];
    let shuffled = losses(&factors(&data, None, settings))[0];
    assert!(found < 0.01 && shuffled > 0.5, "{found} {shuffled}");
}

#[test]
fn sequential_visits_all_with_any_number_of_threads_and_holds_the_same_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &synthetic(&Synth { rows: 3000, ..Synth::default() }));
    let rated = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 10_000, ..Synth::default() }));
    for threads in [1, 3] {
        let settings = Settings { threads, lr: Some(1e-30), holdout: 0.2, epochs: 2, ..Settings::default() };
        let factor_settings = Settings { rank: 4, ..Settings { loss: Loss::Squared, ..settings.clone() } };
        let of = |order| {
            let (a, b) = (
                linear(&data, None, Settings { order, ..settings.clone() }),
                factors(&rated, None, Settings { order, ..factor_settings.clone() }),
            );
            [a, b].map(|outcome| {
                outcome.epochs.iter().map(|e| (e.examples, e.nonzeros, (e.valid.unwrap().loss * 1e6).round())).collect::<Vec<_>>()
            })
        };
        assert_eq!(of(Order::Sequential), of(Order::Shuffle));
    }
}

/// At a rate of nothing the model stays 0 (or the mean), and losses tell which examples were visited.
#[test]
fn a_curriculum_admits_the_easiest_more_and_more() {
    let folder = tempfile::tempdir().unwrap();
    let rows = 2000u64;
    // In no order; of ratings, the mean is 0.
    let label = |i: u64| (i * 1_234_567 % rows) as f64 - (rows - 1) as f64 / 2.0;
    let text: String = (0..rows).map(|i| format!("{} {}:1\n", label(i), i % 50 + 1)).collect();
    let data = sparse(folder.path(), "labels.svm", text.as_bytes());
    let text: String = (0..rows).map(|i| format!("{} {} {}\n", i % 50, i % 20, label(i))).collect();
    let rated = ratings(folder.path(), "labels.tsv", text.as_bytes());
    let mut sorted: Vec<f64> = (0..rows).map(|i| label(i).abs()).collect();
    sorted.sort_by(f64::total_cmp);
    let mean = |n: u64| sorted[..n as usize].iter().map(|y| y * y / 2.0).sum::<f64>() / n as f64;
    let check = |epochs: &[EpochReport], counts: [u64; 4]| {
        let (mut done, all) = (0, counts.iter().sum::<u64>());
        for (epoch, count) in epochs.iter().zip(counts) {
            done += count;
            assert_eq!((epoch.examples, epoch.done), (count, done as f64 / all as f64));
            assert!((epoch.loss / mean(count) - 1.0).abs() < 1e-3, "{} {count}: {}", epoch.loss, mean(count));
        }
    };
    for threads in [1, 2] {
        for (pace, counts) in [(None, [400, 1467, 2000, 2000]), (Some(1.0), [400, 933, 1467, 2000]), (Some(0.0), [2000; 4])] {
            let settings = Settings {
                order: Order::Curriculum,
                pace,
                loss: Loss::Squared,
                lr: Some(1e-30),
                standardize: false,
                epochs: 4,
                threads,
                ..Settings::default()
            };
            let outcome = linear(&data, None, settings.clone());
            check(&outcome.epochs, counts);
            assert_eq!(outcome.settings.pace, Some(pace.unwrap_or(0.5)));
            check(&factors(&rated, None, Settings { rank: 3, ..settings }).epochs, counts);
        }
    }
    // Of what is not held out.
    let settings =
        Settings { order: Order::Curriculum, loss: Loss::Squared, lr: Some(1e-30), epochs: 4, holdout: 0.4, ..Settings::default() };
    let kept = linear(&data, None, Settings { order: Order::Shuffle, ..settings.clone() }).epochs[0].examples;
    for (outcome, kept) in [(linear(&data, None, settings.clone()), kept), (factors(&rated, None, settings), 1200)] {
        assert_eq!([0, 3].map(|i| outcome.epochs[i].examples), [(0.2 * kept as f64).round() as u64, kept]);
    }
}

/// With as many examples visited, which takes it more epochs, and at a constant rate: one that falls over the run, as is the default for
/// ratings, is low by the time that all examples are in use (1.6% here).
/// By whole batches an epoch's loss is that of the examples it admits at the parameters it begins with: those of the snapshot before.
#[test]
fn a_curriculum_goes_by_the_losses_of_its_own_examples() {
    let folder = tempfile::tempdir().unwrap();
    let text = |kind| synthetic(&Synth { kind, rows: 3000, features: 500, users: 90, items: 70, ..Synth::default() });
    let rows = open(folder.path(), "rows.svm", &text(Kind::Text));
    let rated = open(folder.path(), "rated.tsv", &text(Kind::Ratings));
    let settings = |base, lr| Settings {
        order: Order::Curriculum,
        pace: Some(1.0),
        batch: Batch::Full,
        rule: Rule::named("sgd").unwrap(),
        lr: Some(lr),
        epochs: 3,
        snapshots: Some(3),
        schedule: Schedule::CosineCycles { cycles: 3.0 },
        threads: 2,
        ..base
    };
    let (Data::Rows(data), Data::Ratings(ratings)) = (&rows, &rated) else { panic!("other kinds") };
    let outcomes = [
        (linear(data, None, settings(Settings::default(), 20.0)), &rows),
        (factors(ratings, None, Settings { l2: 0.0, rank: 3, ..settings(Settings::for_ratings(), 20.0) }), &rated),
    ];
    for (outcome, data) in &outcomes {
        let model = outcome.model.as_ref().unwrap();
        for (scored, next) in model.score_members(*data).unwrap().iter().zip(&outcome.epochs[1..]) {
            let mut losses: Vec<f64> = scored.scores.iter().map(|&(z, y)| model.loss.value(z, y) as f64).collect();
            losses.sort_by(f64::total_cmp);
            let least = losses[..next.examples as usize].iter().sum::<f64>() / next.examples as f64;
            let all = losses.iter().sum::<f64>() / losses.len() as f64;
            assert!((next.loss / least - 1.0).abs() < 1e-4, "{}: {} told, {least} is least", next.epoch, next.loss);
            // The last epoch admits all of them.
            assert!(least < all || next.examples as usize == losses.len(), "{}: {least} is least, {all} is the mean", next.epoch);
        }
    }
}

#[test]
fn a_curriculum_ends_where_shuffling_does() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, synth: Synth| open(folder.path(), name, &synthetic(&synth));
    let rows = |name: &str, rows, start_row| write(name, Synth { rows, start_row, ..Synth::default() });
    let rated = |name: &str, rows, start_row| write(name, Synth { kind: Kind::Ratings, rows, start_row, ..Synth::default() });
    let (train, test) = (rows("a.svm", 20_000, 0), rows("b.svm", 4000, 1 << 40));
    let (rated, rated_test) = (rated("a.tsv", 30_000, 0), rated("b.tsv", 4000, 1 << 40));
    let last = |outcome: &Outcome| (held_out_error(outcome), outcome.epochs.iter().map(|epoch| epoch.examples).sum::<u64>() as f64);
    for threads in [1, 2] {
        let held_out = |order, epochs| {
            let (Data::Rows(train), Data::Rows(test)) = (&train, &test) else { panic!("not sparse") };
            let settings = Settings { order, threads, epochs, ..Settings::default() };
            last(&linear(train, Some(test), settings))
        };
        let rmse = |order, epochs| {
            let (Data::Ratings(train), Data::Ratings(test)) = (&rated, &rated_test) else { panic!("not ratings") };
            let settings = Settings { order, threads, epochs, rank: 8, schedule: Schedule::Constant, ..Settings::for_ratings() };
            last(&factors(train, Some(test), settings))
        };
        for (easy, shuffled) in
            [(held_out(Order::Curriculum, 13), held_out(Order::Shuffle, 10)), (rmse(Order::Curriculum, 15), rmse(Order::Shuffle, 12))]
        {
            println!("{threads}: {easy:?} {shuffled:?}");
            assert!((easy.1 / shuffled.1 - 1.0).abs() < 0.05, "not as many examples: {easy:?} {shuffled:?}");
            assert!(easy.0 < 1.02 * shuffled.0, "{threads}: {easy:?} {shuffled:?}");
        }
    }
}

#[test]
fn one_thread_repeats_a_curriculum_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &synthetic(&Synth { rows: 3000, ..Synth::default() }));
    let run = |isa, seed| {
        losses(&linear(&data, None, Settings { order: Order::Curriculum, threads: 1, isa: Some(isa), seed, ..Settings::default() }))
    };
    let all = hogwild::InstructionSet::available();
    for &isa in &all {
        assert_eq!(run(isa, 1), run(all[0], 1), "{}", isa.name());
    }
    assert_ne!(run(all[0], 1), run(all[0], 2));
}

#[test]
fn a_pace_without_a_curriculum_or_out_of_range_is_refused() {
    let message = |order, pace| Settings { order, pace: Some(pace), ..Settings::default() }.check().unwrap_err().to_string();
    assert!(message(Order::Shuffle, 0.5).contains("`order` curriculum"));
    for pace in [-0.1, 1.5, f32::NAN] {
        assert!(message(Order::Curriculum, pace).starts_with("`pace`"));
    }
}
