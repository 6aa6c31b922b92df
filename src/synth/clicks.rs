//! Rows like Criteo's log of clicks: one feature of each of 39 fields.
//!
//! Fields have index ranges of their own, one after the other, the frequent features of each first. Their sizes are those of the log behind
//! Criteo's challenge of 2014, each to the power that makes `features` of them all: small fields stay small, large ones large.
use super::{
    Room, Rows, Seen, Synth,
    draw::{Random, Zipf, mix, push, sigmoid, unit},
};
use rand::{RngExt, SeedableRng};

pub(super) const FIELDS: usize = NUMBERS.len() + CATEGORIES.len();
/// Two of each field.
pub(super) const LEAST: u64 = 2 * FIELDS as u64;
/// Buckets of numeric fields; they do not grow.
const NUMBERS: [u64; 13] = [30, 60, 50, 40, 120, 70, 50, 40, 70, 10, 30, 20, 40];
/// Different values of categorical fields.
const CATEGORIES: [u64; 26] = [
    1460, 583, 10_131_227, 2_202_608, 305, 24, 12_517, 633, 3, 93_145, 5683, 8_351_593, 3194, 27, 14_992, 5_461_306, 10, 5652, 2173, 4,
    7_046_547, 18, 15, 286_181, 105, 142_572,
];
/// The share of rows labelled +1.
const POSITIVE: f64 = 0.25;

/// See [`Kind::Clicks`](super::Kind::Clicks).
pub(super) struct Clicks {
    fields: Vec<Field>,
    seed: u64,
    /// Makes [`POSITIVE`] of the labels +1.
    bias: f64,
}

struct Field {
    /// The index of its first feature.
    first: u64,
    size: u64,
    values: Values,
}

enum Values {
    /// Buckets of a number, the middle ones the most frequent: with what is added to the score from the first to the last.
    Number(f64),
    Category(Zipf),
}

impl Clicks {
    pub fn new(synth: &Synth) -> Clicks {
        let mut first = 1;
        let fields = (0..).zip(sizes(synth.features)).map(|(i, size)| {
            let values = if i < NUMBERS.len() as u64 {
                Values::Number(4.0 * (unit(synth.seed ^ 0xC11C, i) - 0.5))
            } else {
                Values::Category(Zipf::new(size, synth.exponent))
            };
            first += size;
            Field { first: first - size, size, values }
        });
        let mut clicks = Clicks { fields: fields.collect(), seed: synth.seed, bias: 0.0 };
        // By some rows of no data set.
        let mut row = Vec::new();
        let mut score = |i| clicks.draw(&mut Random::seed_from_u64(mix(synth.seed ^ 0xB1A5, i)), &mut row);
        let scores: Vec<f64> = (0..4096).map(&mut score).collect();
        let (mut low, mut high) = (-50.0, 50.0);
        while high - low > 1e-9 {
            let middle = (low + high) / 2.0;
            let mean = scores.iter().map(|score| sigmoid(score + middle)).sum::<f64>() / scores.len() as f64;
            if mean > POSITIVE { high = middle } else { low = middle }
        }
        clicks.bias = low;
        clicks
    }

    /// Draws a row's features; gives its score by the hidden truth.
    fn draw(&self, random: &mut Random, row: &mut Vec<u64>) -> f64 {
        row.clear();
        let mut score = self.bias;
        for field in &self.fields {
            let feature = match &field.values {
                Values::Number(slope) => {
                    let place = (random.random::<f64>() + random.random::<f64>()) / 2.0;
                    score += slope * (place - 0.5);
                    field.first + ((place * field.size as f64) as u64).min(field.size - 1)
                }
                Values::Category(ranks) => {
                    let feature = field.first + ranks.draw(random);
                    score += unit(self.seed, feature) - 0.5;
                    feature
                }
            };
            row.push(feature);
        }
        score
    }
}

impl Rows for Clicks {
    fn row(&self, random: &mut Random, room: &mut Room, out: &mut Vec<u8>, seen: &mut Seen) {
        let p = sigmoid(self.draw(random, &mut room.features));
        let positive = random.random::<f64>() < p;
        seen.label(positive, p, room.features.len());
        out.extend_from_slice(if positive { b"+1" } else { b"-1" });
        for &feature in &room.features {
            out.push(b' ');
            push(out, feature);
            out.extend_from_slice(b":1");
        }
        out.push(b'\n');
    }
}

/// The sizes of the fields, at least 2 each, so many in all.
fn sizes(features: u64) -> Vec<u64> {
    let at = |power: f64| -> Vec<u64> {
        let numbers = NUMBERS.iter().map(|&size| (size as f64).powf(power.min(1.0)));
        numbers.chain(CATEGORIES.iter().map(|&size| (size as f64).powf(power))).map(|size| size.max(2.0) as u64).collect()
    };
    let (mut low, mut high) = (0.0, 4.0);
    while high - low > 1e-9 {
        let middle = (low + high) / 2.0;
        if at(middle).iter().fold(0, |sum: u64, &size| sum.saturating_add(size)) > features { high = middle } else { low = middle }
    }
    let mut sizes = at(low);
    let rest = features - sizes.iter().sum::<u64>();
    // What rounding left, to the largest.
    if let Some(largest) = sizes.iter_mut().max() {
        *largest += rest;
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_add_up_and_differ() {
        for features in [LEAST, 100, 2000, 1 << 20, 1 << 25, 1 << 40] {
            let sizes = sizes(features);
            assert_eq!((sizes.len(), sizes.iter().sum::<u64>()), (FIELDS, features));
            assert!(sizes.iter().all(|&size| size >= 2));
            assert!(features < 2000 || sizes.iter().max() > sizes.iter().min().map(|least| 50 * least).as_ref(), "{sizes:?}");
        }
    }
}
