//! Four ratings in flight: the same bits on any number of threads, one worker's loss, odd ratings, and rows of nobody.
use crate::{
    partitioned::{best, bits, of_ratings},
    support::{
        data::{ratings, synthetic},
        training::factors,
    },
};
use hogwild::{
    Batch, Ended, Loss, Order, Parallel, Rule, Settings, Transforms,
    loss::Huber,
    synth::{Kind, Synth},
};

#[test]
fn ratings_have_four_in_flight_by_default_with_the_same_bits_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let data = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 90_000, ..Synth::default() }));
    for settings in [of_ratings(), Settings { rank: 32, loss: Loss::Huber(Huber::DEFAULT), ..of_ratings() }] {
        let of = |threads, seed| factors(&data, None, Settings { threads, seed, ..settings.clone() });
        let one = of(1, 1);
        assert_eq!((one.settings.parallel, one.settings.parts), (Parallel::Partitioned, Some(4)));
        // With more threads than blocks some wait.
        for threads in [2, 3, 8, 17, 32] {
            assert!(bits(&of(threads, 1)) == bits(&one), "{threads} threads");
        }
        assert!(bits(&of(1, 2)) != bits(&one), "the seed changes nothing");
        let by_name = factors(&data, None, Settings { parallel: Parallel::Partitioned, seed: 1, ..settings });
        assert!(bits(&by_name) == bits(&one));
    }
}

#[test]
fn four_in_flight_learn_as_well_as_one_at_a_time_on_shared_tiles() {
    let folder = tempfile::tempdir().unwrap();
    let synth = Synth { kind: Kind::Ratings, rows: 60_000, ..Synth::default() };
    let data = ratings(folder.path(), "r.tsv", &synthetic(&synth));
    // Users as items and items as users: then the other side is cut finer.
    let swapped: String = synthetic(&synth)
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            format!("{}\t{}\t{}\n", fields[1], fields[0], fields[2])
        })
        .collect();
    let swapped = ratings(folder.path(), "s.tsv", &swapped);
    for data in [&data, &swapped] {
        let settings = Settings { epochs: 8, lr: Some(0.1), ..of_ratings() };
        let four = best(&factors(data, None, settings.clone()));
        let one = best(&factors(data, None, Settings { parallel: Parallel::Hogwild, ..settings }));
        assert!(four < 1.01 * one, "{four}, one at a time {one}");
    }
}

#[test]
fn a_way_that_is_left_open_suits_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let data = ratings(folder.path(), "r.tsv", &synthetic(&Synth { kind: Kind::Ratings, rows: 5_000, ..Synth::default() }));
    let clipped = Transforms { clip_norm: Some(1.0), ..Transforms::default() };
    for (settings, parallel) in [
        (Settings { rule: Rule::named("adam").unwrap(), lr: Some(0.002), ..of_ratings() }, Parallel::Hogwild),
        (Settings { transforms: clipped, ..of_ratings() }, Parallel::Hogwild),
        (Settings { order: Order::Sequential, ..of_ratings() }, Parallel::Hogwild),
        (Settings { order: Order::Curriculum, ..of_ratings() }, Parallel::Hogwild),
        (Settings { exchange_every: Some(100), ..of_ratings() }, Parallel::Hogwild),
        (Settings { batch: Batch::Size(32), ..of_ratings() }, Parallel::Synchronous),
    ] {
        let open = factors(&data, None, settings.clone());
        assert_eq!(open.settings.parallel, parallel);
        let by_name = factors(&data, None, Settings { parallel: Parallel::Hogwild, ..settings });
        assert!(bits(&open) == bits(&by_name));
    }
}

#[test]
fn four_in_flight_take_few_and_odd_ratings() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str, count: u32, pair: fn(u32) -> (u32, u32)| {
        let line = |i: u32| format!("{}\t{}\t{}\n", pair(i).0, pair(i).1, 1 + i * i % 5);
        ratings(folder.path(), name, &(0..count).map(line).collect::<String>())
    };
    for (data, what) in [
        (of("three.tsv", 3, |i| (i, i)), "three"),
        (of("user.tsv", 500, |i| (7, i)), "one user"),
        (of("item.tsv", 500, |i| (i, 7)), "one item"),
        (of("pair.tsv", 200, |_| (3, 4)), "one pair"),
        (of("twice.tsv", 2000, |i| (i % 50, i / 2 % 30)), "pairs again and again"),
        (of("two.tsv", 9000, |i| (3 + i % 2, i % 1000)), "two users"),
    ] {
        for (rank, loss) in [(5, Loss::Squared), (32, Loss::Squared), (200, Loss::Huber(Huber::DEFAULT))] {
            let settings = Settings { rank, loss, holdout: 0.0, ..of_ratings() };
            let run = factors(&data, None, settings.clone());
            assert!(run.epochs.iter().all(|epoch| epoch.examples == data.len() as u64 && epoch.loss.is_finite()), "{what} {rank}");
            assert!(run.epochs[2].loss < run.epochs[0].loss, "{what} {rank}");
            let three = factors(&data, None, Settings { threads: 3, ..settings });
            assert!(bits(&run) == bits(&three), "{what} {rank}");
        }
    }
}

/// Where groups are not full, rows of nobody are trained beside: by labels that the loss takes, so that they stay finite.
#[test]
fn rows_of_nobody_are_trained_by_labels() {
    fn slope(z: f32, y: f32) -> f32 {
        assert!(y == 1.0 || y == -1.0, "no class: {y}");
        if y * z < 1.0 { -y } else { 0.0 }
    }
    let meaning = hogwild::loss::Meaning::CLASS;
    let strict = Loss::Own(hogwild::OwnLoss { name: "strict", value: |z, y| (1.0 - y * z).max(0.0), slope, meaning });
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str, rating: fn(u32) -> String| {
        let line = |i: u32| format!("u{}\ti{}\t{}\n", i.wrapping_mul(2_654_435_761) % 4_000, i % 12, rating(i));
        ratings(folder.path(), name, &(0..20_000).map(line).collect::<String>())
    };
    let amounts = of("amounts.tsv", |i| format!("{}", if i % 3 == 0 { 0.9 } else { 0.0 }));
    let classes = of("classes.tsv", |i| format!("{}", i % 4 % 3 % 2));
    for (data, loss) in [(amounts, hogwild::loss::Tweedie::DEFAULT.into()), (classes, strict)] {
        let run = factors(&data, None, Settings { loss, lr: Some(0.1), holdout: 0.0, epochs: 6, ..of_ratings() });
        assert!(matches!(run.ended, Ended::Finished) && run.epochs.iter().all(|epoch| epoch.loss.is_finite()), "{loss}");
    }
}
