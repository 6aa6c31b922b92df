//! Synthetic data: the small sets in `data/` are what the library writes, and a seed is a truth.
use crate::support::data::synthetic;
use hogwild::synth::{Kind, Synth};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[test]
fn the_sets_in_data_are_written_by_their_seeds() {
    let reviews = Synth { rows: 4000, nonzeros: 20, features: 1000, seed: 7, ..Synth::default() };
    let ratings = Synth { kind: Kind::Ratings, rows: 12_000, exponent: 0.6, seed: 7, ..Synth::default() };
    assert!(synthetic(&reviews) == include_str!("../../data/reviews.train.svm"));
    assert!(synthetic(&Synth { rows: 1000, start_row: 1_000_000, ..reviews }) == include_str!("../../data/reviews.test.svm"));
    assert!(synthetic(&ratings) == include_str!("../../data/ratings.train.tsv"));
    assert!(synthetic(&Synth { rows: 3000, start_row: 1_000_000, ..ratings }) == include_str!("../../data/ratings.test.tsv"));
}

#[test]
fn rows_follow_from_seed_and_number() {
    for kind in [Kind::Text, Kind::Clicks, Kind::Uniform, Kind::Ratings] {
        // More than what is made at once, on any number of threads.
        let synth = Synth { kind, rows: 40_000, ..Synth::default() };
        let parts = [(0, 5), (5, 20_000), (20_005, 19_995)].map(|(start_row, rows)| synthetic(&Synth { start_row, rows, ..synth.clone() }));
        assert!(synthetic(&synth) == parts.concat(), "{kind:?}");
        let few = Synth { rows: 20, ..synth };
        assert_ne!(synthetic(&few), synthetic(&Synth { seed: 2, ..few.clone() }));
    }
}

#[test]
fn clicks_have_a_feature_of_each_field() {
    let synth = Synth { kind: Kind::Clicks, rows: 20_000, features: 5000, seed: 3, ..Synth::default() };
    let written = synthetic(&synth);
    let mut ranges = vec![(u64::MAX, 0); 39];
    let mut positive = 0;
    for line in written.lines() {
        let (label, features) = line.split_once(' ').unwrap();
        positive += (label == "+1") as u32;
        let features: Vec<u64> = features.split(' ').map(|feature| feature.strip_suffix(":1").unwrap().parse().unwrap()).collect();
        assert_eq!(features.len(), 39);
        for (range, feature) in ranges.iter_mut().zip(features) {
            *range = (feature.min(range.0), feature.max(range.1));
        }
    }
    assert!(ranges[0].0 >= 1 && ranges[38].1 <= 5000 && ranges.windows(2).all(|pair| pair[0].1 < pair[1].0), "{ranges:?}");
    assert!((0.22..0.28).contains(&(positive as f64 / 20_000.0)), "{positive} of 20000 are positive");
    // Fields differ in size, and most features of each are seen.
    let sizes: Vec<u64> = ranges.iter().map(|range| range.1 - range.0 + 1).collect();
    assert!(sizes.iter().sum::<u64>() > 4000 && sizes.iter().max() > Some(&500) && sizes.iter().min() < Some(&4), "{sizes:?}");
}

#[test]
fn uniform_features_are_equally_frequent() {
    let synth = Synth { kind: Kind::Uniform, rows: 20_000, features: 100, nonzeros: 10, ..Synth::default() };
    let mut counts = vec![0; 101];
    for feature in synthetic(&synth).lines().flat_map(|line| line.split(' ').skip(1)) {
        let (feature, value) = feature.split_once(':').unwrap();
        let value: f64 = value.parse().unwrap();
        assert!(value != 0.0 && value.abs() <= 1.0, "{value}");
        counts[feature.parse::<usize>().unwrap()] += 1;
    }
    let (least, most) = (counts[1..].iter().min().unwrap(), counts[1..].iter().max().unwrap());
    assert!(*least > 1600 && *most < 2200, "{least} to {most}");
}

#[test]
fn the_hidden_truth_beats_the_mean_and_the_writing_can_be_stopped() {
    for kind in [Kind::Text, Kind::Clicks, Kind::Uniform, Kind::Ratings] {
        let synth = Synth { kind, rows: 20_000, ..Synth::default() };
        let summary = synth.write(&mut std::io::sink(), &()).unwrap();
        assert!(summary.best < 0.93 * summary.base, "{kind:?}: {summary:?}");
        let told = AtomicU64::new(0);
        let stops = |rows: u64, of: Option<u64>| {
            told.store(rows, Relaxed);
            of != Some(20_000)
        };
        let error = synth.write(&mut std::io::sink(), &stops);
        let Err(hogwild::Error::Io { source, .. }) = error else { panic!("{error:?}") };
        assert_eq!(source.kind(), std::io::ErrorKind::Interrupted);
        assert!(told.into_inner() > 0, "{kind:?}");
    }
}

#[test]
fn bad_settings_are_refused_by_name() {
    let good = Synth::default();
    for (bad, flag) in [
        (Synth { features: 1, ..good.clone() }, "`features`"),
        (Synth { nonzeros: 3000, ..good.clone() }, "`nonzeros`"),
        (Synth { kind: Kind::Clicks, features: 77, ..good.clone() }, "`features`"),
        (Synth { kind: Kind::Ratings, users: 0, ..good.clone() }, "`users`"),
        (Synth { exponent: f64::NAN, ..good.clone() }, "`exponent`"),
        (Synth { start_row: u64::MAX - 5, rows: 6, ..good.clone() }, "`start_row`"),
        (Synth { kind: Kind::Ratings, items: 0, ..good.clone() }, "`items`"),
    ] {
        assert!(bad.write(&mut std::io::sink(), &()).unwrap_err().to_string().starts_with(flag));
    }
    // What a kind does not use is not looked at.
    for unused in [
        Synth { kind: Kind::Ratings, features: 1, nonzeros: 0, ..good.clone() },
        Synth { kind: Kind::Clicks, nonzeros: 0, users: 0, ..good.clone() },
        Synth { kind: Kind::Uniform, items: 0, exponent: 9.0, ..good },
    ] {
        assert_eq!(synthetic(&Synth { rows: 3, ..unused }).lines().count(), 3);
    }
}
