//! Synthetic data: the small sets in `data/` are what the library writes, and a seed is a truth.
use hogwild::synth::{Kind, Synth};

fn text(synth: &Synth) -> String {
    let mut out = Vec::new();
    synth.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_sets_in_data_are_written_by_their_seeds() {
    let reviews = Synth { rows: 4000, nonzeros: 20, features: 1000, seed: 7, ..Synth::default() };
    let ratings = Synth { kind: Kind::Ratings, rows: 12_000, exponent: 0.6, seed: 7, ..Synth::default() };
    assert!(text(&reviews) == include_str!("../data/reviews.train.svm"));
    assert!(text(&Synth { rows: 1000, start_row: 1_000_000, ..reviews }) == include_str!("../data/reviews.test.svm"));
    assert!(text(&ratings) == include_str!("../data/ratings.train.tsv"));
    assert!(text(&Synth { rows: 3000, start_row: 1_000_000, ..ratings }) == include_str!("../data/ratings.test.tsv"));
}

#[test]
fn rows_follow_from_seed_and_number() {
    let synth = Synth { rows: 20, ..Synth::default() };
    assert_eq!(text(&synth), text(&Synth { rows: 5, ..synth.clone() }) + &text(&Synth { rows: 15, start_row: 5, ..synth.clone() }));
    assert_ne!(text(&synth), text(&Synth { seed: 2, ..synth.clone() }));
}

#[test]
fn bad_settings_are_refused_by_name() {
    let good = Synth::default();
    for (bad, flag) in [
        (Synth { features: 1, ..good.clone() }, "--features"),
        (Synth { nonzeros: 3000, ..good.clone() }, "--nonzeros"),
        (Synth { users: 0, ..good.clone() }, "--users"),
        (Synth { exponent: f64::NAN, ..good.clone() }, "--exponent"),
    ] {
        assert!(bad.write(&mut std::io::sink()).unwrap_err().to_string().starts_with(flag));
    }
}
