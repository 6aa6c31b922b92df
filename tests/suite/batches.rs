//! Synchronous batches: the same bits on any number of threads, against a naive oracle, down to a known optimum.
use crate::{
    oracle::Summed,
    support::{
        data::{a9a, ratings, sparse, synthetic},
        training::{factors, linear, logistic_objective, weights},
    },
};
use hogwild::{
    Batch, Ended, F32x16, InstructionSet, LANES, Loss, Moment, Outcome, Plain, Rule, Schedule, Settings, Transforms, Weights,
    data::{Data, Ratings, Rows},
    models::{Factorization, Linear, Pair, Row, WeightedPair},
    rules::{Clock, RuleVisitor, UpdateRule},
    synth::{Kind, Synth},
    train_linear,
};
use std::sync::atomic::AtomicBool;

fn bits(outcome: &Outcome) -> (Vec<u32>, Vec<u64>) {
    let losses = outcome.epochs.iter().map(|epoch| epoch.loss.to_bits()).collect();
    (weights(outcome).into_iter().map(f32::to_bits).collect(), losses)
}

/// Every rule, and those that make up for steps.
fn all_rules() -> Vec<Rule> {
    let caught_up = |mut rule: Rule| rule.set("catch-up", "true").ok().map(|()| rule);
    Rule::ALL.into_iter().chain(Rule::ALL.into_iter().filter_map(caught_up)).collect()
}

#[test]
fn any_number_of_threads_and_every_instruction_set_give_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let rows = sparse(
        folder.path(),
        "rows.svm",
        &synthetic(&Synth { rows: 5000, features: 40_000, nonzeros: 20, exponent: 0.6, ..Synth::default() }),
    );
    let synth = Synth { kind: Kind::Ratings, rows: 5000, users: 300, ..Synth::default() };
    let stars = ratings(folder.path(), "stars.tsv", &synthetic(&synth));
    for rule in all_rules() {
        let schedule = if rule.takes_schedules() { Schedule::Linear } else { Schedule::Constant };
        let aided = Transforms {
            clip_value: Some(0.1),
            clip_norm: Some(1.0),
            noise: 1e-4,
            average: rule.takes_schedules().then_some(0.3),
            ..Transforms::default()
        };
        let plain = [Batch::Size(7), Batch::Size(64), Batch::Size(3000), Batch::Full].map(|batch| (batch, Transforms::default()));
        for (batch, transforms) in plain.into_iter().chain([Batch::Size(64), Batch::Size(3000)].map(|batch| (batch, aided))) {
            let base = Settings { rule, batch, transforms, schedule, epochs: 2, pin: false, ..Settings::default() };
            let on = |threads, isa| {
                let l1 = if transforms == aided && rule.takes_l1() { 1e-4 } else { 0.0 };
                let rows =
                    linear(&rows, None, &Settings { threads, isa, l2: 1e-4, transforms: Transforms { l1, ..transforms }, ..base.clone() });
                let base = Settings { loss: Loss::Squared, lr: Some(0.05), l2: 0.02, rank: 5, ..base.clone() };
                (bits(&rows), bits(&factors(&stars, None, &Settings { threads, isa, ..base })))
            };
            let one = on(1, None);
            for threads in [2, 3, 8] {
                assert!(on(threads, None) == one, "{rule} {batch} {threads} threads");
            }
            if batch == Batch::Size(3000) {
                for isa in InstructionSet::available() {
                    assert!(on(2, Some(isa)) == one, "{rule} {}", isa.name());
                }
            }
        }
    }
}

fn near(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 2e-4 * (0.01 + b.abs()))
}

/// As many features as rows, the first ones in more of the `n` rows than the next, as the file and as examples.
fn stairs(n: usize) -> (String, Vec<(Row, f32)>) {
    let features = |row: usize| -> Vec<(u32, f32)> {
        // No sums that cancel out: some rules make full steps of what rounding leaves.
        let value = |f: usize| ((row * 7 + f * 3) as f32).sin();
        (0..n).filter(|&f| row + f < n).map(|f| (f as u32, value(f))).collect()
    };
    let label = |row: usize| if row * row % 5 < 2 { 1.0 } else { -1.0 };
    let rows: Vec<_> = (0..n).map(|row| (features(row), label(row))).collect();
    let line = |(features, label): &(Vec<(u32, f32)>, f32)| {
        let text: String = features.iter().map(|(f, x)| format!(" {}:{x}", f + 1)).collect();
        format!("{label}{text}\n")
    };
    (rows.iter().map(line).collect(), rows.iter().map(|(features, label)| (Row::new(features), *label)).collect())
}

/// The clock that a model is finished by: of the next step, at the rate of the last.
fn next(last: Clock) -> Clock {
    Clock { step: last.step + 1, ..last }
}

/// The clock at which a run of `epochs`, each of `batches` batches, takes a batch.
fn clock(settings: &Settings, examples: u64, batches: u64, epoch: u64, batch: u64, size: u64) -> Clock {
    let epochs = settings.epochs as u64;
    let now = Moment {
        step: epoch * examples + batch * size + 1,
        steps: epochs * examples,
        epoch: examples,
        stalls: 0,
        epochs: epoch,
        all_epochs: epochs,
        before: epoch * examples,
    };
    let rate = (settings.lr.unwrap() as f64 * settings.schedule.factor(&now)) as f32;
    Clock { rate, step: epoch * batches + batch + 1, steps: epochs * batches }
}

const SIDE: u32 = 9;

/// Compares the trainer, on rows and on ratings, with a rule's oracle.
struct Compare<'a> {
    settings: &'a Settings,
    rows: &'a Rows,
    row_examples: &'a [(Row, f32)],
    stars: &'a Ratings,
    star_examples: &'a [(WeightedPair, f32)],
}

impl RuleVisitor for Compare<'_> {
    type Output = ();

    fn visit<R: UpdateRule>(self, rule: R) {
        let Compare { settings, rows, row_examples, stars, star_examples } = self;
        let n = row_examples.len();
        let counts: Vec<u64> = (0..n as u64).map(|f| n as u64 - f).collect();
        let model = Linear::with_penalties(settings.l2, settings.transforms.l1, n, &counts);
        let mut oracle = Summed::new(Plain::new(rule, n + 1, 0, 0));
        for epoch in 0..settings.epochs as u64 {
            oracle.step_by(&model, settings.loss, &clock(settings, n as u64, 1, epoch, 0, n as u64), row_examples);
        }
        oracle.plain.set_clock(&next(clock(settings, n as u64, 1, settings.epochs as u64 - 1, 0, n as u64)));
        let expected: Vec<f32> = (0..=n as u32).map(|row| oracle.plain.weight(row)).collect();
        let found = weights(&linear(rows, None, settings));
        assert!(near(&found, &expected), "{} {}: {found:?}, not {expected:?}", settings.rule, settings.batch);
        assert!(found.iter().any(|w| w.abs() > 1e-3), "{}: nothing moved", settings.rule);

        // Steps of no length tell where factors start.
        let settings = &Settings { transforms: Transforms::default(), ..settings.clone() };
        let still = Settings { loss: Loss::Squared, lr: Some(1e-30), epochs: 1, rule: Rule::named("sgd").unwrap(), ..settings.clone() };
        let start = factors(stars, None, &Settings { schedule: Schedule::Constant, ..still });
        let start = start.model.as_ref().unwrap().factors().unwrap().factors;
        let (rank, n) = (settings.rank, star_examples.len() as u64);
        let model = Factorization::new(rank, start.mean, settings.l2 as f32);
        let mut oracle = Summed::new(Plain::new(rule, 0, 2 * SIDE as usize, rank));
        for (row, factors) in start.user_factor.chunks(rank).chain(start.item_factor.chunks(rank)).enumerate() {
            oracle.plain.wide_mut(row as u32).zip(factors).for_each(|(w, &x)| *w = x);
        }
        for epoch in 0..settings.epochs as u64 {
            oracle.step_by(&model, Loss::Squared, &clock(settings, n, 1, epoch, 0, n), star_examples);
        }
        oracle.plain.set_clock(&next(clock(settings, n, 1, settings.epochs as u64 - 1, 0, n)));
        let trained = factors(stars, None, &Settings { loss: Loss::Squared, ..settings.clone() });
        let found: Vec<f32> = weights(&trained)[2 * SIDE as usize..].to_vec();
        let mut read = vec![F32x16::default(); rank.div_ceil(LANES)];
        let mut expected = Vec::new();
        for row in 0..2 * SIDE {
            oracle.plain.gather_row(row, &mut read);
            expected.extend(read.iter().flat_map(|v| v.0).take(rank));
        }
        // The weights that FTRL reads on the way are those it keeps.
        assert!(near(&found, &expected), "{} {}: {found:?}, not {expected:?}", settings.rule, settings.batch);
    }
}

#[test]
fn a_full_batch_equals_the_sum_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let (text, row_examples) = stairs(20);
    let rows = &sparse(folder.path(), "stairs.svm", text.as_bytes());
    let pairs: Vec<(u32, u32)> = (0..SIDE).flat_map(|u| (0..SIDE - u).map(move |i| (u, i))).collect();
    let star = |&(u, i): &(u32, u32)| ((u * 5 + i * 3) % 7) as f32 / 2.0 + 1.0;
    let text: String = pairs.iter().map(|pair| format!("{}\t{}\t{}\n", pair.0 + 1, pair.1 + 1, star(pair))).collect();
    let stars = &ratings(folder.path(), "stairs.tsv", text.as_bytes());
    let star_examples: Vec<_> = pairs.iter().map(|pair| (Pair::new(pair.0, pair.1, SIDE).into(), star(pair))).collect();
    for rule in all_rules() {
        let schedule = if rule.takes_schedules() { Schedule::Linear } else { Schedule::Constant };
        for batch in [Batch::Full, Batch::Size(1000)] {
            let transforms = Transforms { l1: if rule.takes_l1() { 0.01 } else { 0.0 }, ..Transforms::default() };
            let settings = Settings {
                rule,
                schedule,
                batch,
                transforms,
                lr: Some(0.1),
                l2: 0.01,
                rank: 18,
                epochs: 7,
                threads: 2,
                standardize: false,
                ..Settings::default()
            };
            let (row_examples, star_examples) = (&row_examples, &star_examples);
            rule.visit(Compare { settings: &settings, rows, row_examples, stars, star_examples });
        }
    }
}

/// Of all ways to take three of six examples first, one gives what the trainer gives.
struct Halves<'a>(&'a Settings, &'a Rows, &'a [(Row, f32)]);

impl RuleVisitor for Halves<'_> {
    type Output = ();

    fn visit<R: UpdateRule>(self, rule: R) {
        let Halves(settings, rows, examples) = self;
        let found = weights(&linear(rows, None, settings));
        let model = Linear::with_penalties(settings.l2, 0.0, 6, &[6, 5, 4, 3, 2, 1]);
        let matches = (0..64u32).filter(|set| set.count_ones() == 3).filter(|set| {
            let half = |first: bool| -> Vec<_> { (0..6).filter(|i| (set >> i & 1 == 1) == first).map(|i| examples[i].clone()).collect() };
            let mut oracle = Summed::new(Plain::new(rule, 7, 0, 0));
            for (batch, first) in [(0, true), (1, false)] {
                oracle.step_by(&model, settings.loss, &clock(settings, 6, 2, 0, batch, 3), &half(first));
            }
            oracle.plain.set_clock(&next(clock(settings, 6, 2, 0, 1, 3)));
            near(&found, &(0..7).map(|row| oracle.plain.weight(row)).collect::<Vec<_>>())
        });
        assert_eq!(matches.count(), 1, "{}", settings.rule);
    }
}

#[test]
fn each_batch_of_an_epoch_steps_by_its_own_examples() {
    let folder = tempfile::tempdir().unwrap();
    let (text, examples) = stairs(6);
    let rows = sparse(folder.path(), "six.svm", text.as_bytes());
    for rule in all_rules() {
        let schedule = if rule.takes_schedules() { Schedule::InverseTime { decay: 1.0 } } else { Schedule::Constant };
        let base = Settings {
            rule,
            schedule,
            batch: Batch::Size(3),
            lr: Some(0.1),
            l2: 0.01,
            epochs: 1,
            standardize: false,
            ..Settings::default()
        };
        rule.visit(Halves(&base, &rows, &examples));
    }
}

#[test]
fn full_batches_reach_the_known_optimum_of_a9a() {
    let folder = tempfile::tempdir().unwrap();
    let Some(data) = a9a(folder.path()) else { return };
    let Data::Rows(rows) = &data else { panic!("not sparse") };
    let (l2, optimum) = (1e-3, 0.332713307);
    for (rule, lr, epochs) in [("adam", 0.1, 500), ("adagrad", 2.0, 600), ("momentum", 0.5, 400)] {
        let rule = Rule::named(rule).unwrap();
        let settings = Settings { l2, rule, lr: Some(lr), epochs, batch: Batch::Full, ..Settings::default() };
        let outcome = linear(rows, None, &settings);
        assert_eq!(outcome.epochs[0].steps, 1);
        let objective = logistic_objective(&outcome, &data, l2);
        assert!(objective < optimum * 1.001, "{}: {objective}, {optimum} is best", settings.rule);
    }
}

#[test]
fn averages_are_the_mean_of_the_path_of_batches() {
    let folder = tempfile::tempdir().unwrap();
    let rows = sparse(folder.path(), "stairs.svm", stairs(20).0.as_bytes());
    let stars = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 300, users: 30, ..Synth::default() }));
    for name in ["sgd", "adagrad-rowwise", "adam"] {
        let base = Settings { rule: Rule::named(name).unwrap(), batch: Batch::Full, lr: Some(0.1), ..Settings::default() };
        let both = |epochs, average| -> Vec<f32> {
            let base = Settings { epochs, transforms: Transforms { average, ..Transforms::default() }, ..base.clone() };
            [weights(&linear(&rows, None, &base)), weights(&factors(&stars, None, &Settings { loss: Loss::Squared, rank: 3, ..base }))]
                .concat()
        };
        let path: Vec<_> = (5..=8).map(|epochs| both(epochs, None)).collect();
        let mean: Vec<f32> = (0..path[0].len()).map(|i| path.iter().map(|weights| weights[i]).sum::<f32>() / 4.0).collect();
        assert!(near(&both(8, Some(0.5)), &mean) && !near(&path[3], &mean), "{name}");
    }
}

#[test]
fn batches_grow_by_epoch_up_to_all_examples_and_steps_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let rows = sparse(folder.path(), "rows.svm", &synthetic(&Synth { rows: 100, ..Synth::default() }));
    let steps = |batch, batch_growth| -> Vec<u64> {
        let outcome = linear(&rows, None, &Settings { batch, batch_growth, epochs: 5, ..Settings::default() });
        outcome.epochs.iter().inspect(|epoch| assert_eq!(epoch.examples, 100)).map(|epoch| epoch.steps).collect()
    };
    assert_eq!(steps(Batch::Size(10), 2.0), [10, 5, 3, 2, 1]);
    // 7, 10.5, 15.75, 23.625, 35.4375.
    assert_eq!(steps(Batch::Size(7), 1.5), [15, 10, 7, 5, 3]);
    assert_eq!(steps(Batch::Size(30), 1.0), [4; 5]);
    assert_eq!(steps(Batch::Full, 1.0), [1; 5]);
    assert_eq!(steps(Batch::One, 1.0), [100; 5]);
}

#[test]
fn seed_held_out_rows_divergence_and_stop_work_as_with_workers() {
    let folder = tempfile::tempdir().unwrap();
    let rows = sparse(folder.path(), "rows.svm", &synthetic(&Synth { rows: 1000, ..Synth::default() }));
    let base = Settings { batch: Batch::Size(50), ..Settings::default() };
    let on = |seed, batch| weights(&linear(&rows, None, &Settings { seed, batch, ..base.clone() }));
    assert_ne!(on(1, Batch::Size(50)), on(2, Batch::Size(50)));
    assert_eq!(on(1, Batch::Full), on(2, Batch::Full));

    let schedule = Schedule::Plateau { factor: 0.5, patience: 1.0 };
    let outcome = linear(&rows, None, &Settings { holdout: 0.3, schedule, epochs: 20, ..base.clone() });
    let losses: Vec<f64> = outcome.epochs.iter().map(|epoch| epoch.valid.unwrap().loss).collect();
    assert!((600..800).contains(&outcome.epochs[0].examples) && losses[19] < losses[0], "{losses:?}");

    let wide = sparse(folder.path(), "wide.svm", "3 1:1000 2:500\n-2 1:-700 3:10\n".repeat(500).as_bytes());
    let rule = Rule::named("sgd").unwrap();
    let outcome = linear(&wide, None, &Settings { loss: Loss::Squared, rule, lr: Some(10.0), ..base.clone() });
    assert!(matches!(outcome.ended, Ended::Diverged(_)) && outcome.model.is_none());

    let outcome = train_linear(&rows, None, &Settings { epochs: 1000, ..base }, &mut (), &AtomicBool::new(true)).unwrap();
    assert!(matches!(outcome.ended, Ended::Interrupted) && outcome.epochs[0].steps == 1 && outcome.model.is_some());
}

#[test]
fn what_does_not_go_with_batches_is_named_with_the_remedy() {
    for (settings, part) in [
        (Settings { batch: Batch::Size(0), ..Settings::default() }, "`batch` 0: must be"),
        (Settings { batch: Batch::Full, hot_rows: Some(10), ..Settings::default() }, "leave it out, or use `batch` 1"),
        (Settings { batch_growth: 2.0, ..Settings::default() }, "give `batch` a number above 1"),
        (Settings { batch: Batch::Full, batch_growth: 2.0, ..Settings::default() }, "give `batch` a number above 1"),
        (Settings { batch: Batch::Size(9), batch_growth: 0.5, ..Settings::default() }, "from 1 to 1e6"),
        (Settings { batch: Batch::Size(9), batch_growth: f64::NAN, ..Settings::default() }, "from 1 to 1e6"),
    ] {
        let message = settings.check().unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    for text in ["0", "-3", "some", "1.5", ""] {
        assert!(Batch::parse(text).is_err(), "{text}");
    }
    for (text, batch) in [("1", Batch::One), ("32", Batch::Size(32)), ("full", Batch::Full)] {
        assert_eq!((Batch::parse(text).unwrap(), batch.to_string().as_str()), (batch, text));
    }
}
