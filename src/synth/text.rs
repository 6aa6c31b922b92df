//! Rows like tf-idf of texts, and rows whose features are all alike.
use super::{
    Room, Rows, Seen, Synth,
    draw::{Random, Zipf, push, push_thousandths, sigmoid, unit},
};
use rand::RngExt;

/// See [`Kind::Text`](super::Kind::Text).
pub(super) struct Text {
    nonzeros: u64,
    features: Zipf,
    seed: u64,
}

impl Text {
    pub fn new(synth: &Synth) -> Text {
        Text { nonzeros: synth.nonzeros, features: Zipf::new(synth.features, synth.exponent), seed: synth.seed }
    }
}

impl Rows for Text {
    fn row(&self, random: &mut Random, Room { features, values }: &mut Room, out: &mut Vec<u8>, seen: &mut Seen) {
        draw_features(self.nonzeros, &self.features, random, features);
        // Rarer features weigh more, as in tf-idf.
        values.clear();
        values.extend(features.iter().map(|&f| (2.0 + f as f64).ln() * (0.5 + random.random::<f64>())));
        let length = values.iter().map(|v| v * v).sum::<f64>().sqrt();
        values.iter_mut().for_each(|v| *v = (*v / length * 1000.0).round());
        write(self.seed, 16.0, random, features, values, out, seen);
    }
}

/// See [`Kind::Uniform`](super::Kind::Uniform).
pub(super) struct Uniform {
    nonzeros: u64,
    features: Zipf,
    seed: u64,
}

impl Uniform {
    pub fn new(synth: &Synth) -> Uniform {
        Uniform { nonzeros: synth.nonzeros, features: Zipf::new(synth.features, 0.0), seed: synth.seed }
    }
}

impl Rows for Uniform {
    fn row(&self, random: &mut Random, Room { features, values }: &mut Room, out: &mut Vec<u8>, seen: &mut Seen) {
        draw_features(self.nonzeros, &self.features, random, features);
        values.clear();
        values.extend(features.iter().map(|_| match (2000.0 * random.random::<f64>()).floor() - 1000.0 {
            below if below < 0.0 => below,
            above => above + 1.0, // none is 0
        }));
        // Scores with a standard deviation of 3: a third of the mean's log-loss remains.
        write(self.seed, 18.0 / (self.nonzeros as f64).sqrt(), random, features, values, out, seen);
    }
}

/// Draws a row's features, half to one and a half times as many as on average, before equal ones become one.
fn draw_features(nonzeros: u64, features: &Zipf, random: &mut Random, row: &mut Vec<u64>) {
    let wanted = (nonzeros as f64 * (0.5 + random.random::<f64>())).max(1.0) as u64;
    row.clear();
    row.extend((0..wanted).map(|_| features.draw(random)));
    row.sort_unstable();
    row.dedup();
}

/// Draws the label by the hidden truth, a weight a feature from -`weight`/2 to `weight`/2, and appends the row. Values are in thousandths.
fn write(seed: u64, weight: f64, random: &mut Random, features: &[u64], values: &[f64], out: &mut Vec<u8>, seen: &mut Seen) {
    let truth = |f: u64| weight * (unit(seed, f) - 0.5);
    let score: f64 = features.iter().zip(values).map(|(&f, v)| truth(f) * (v / 1000.0)).sum();
    let p = sigmoid(score);
    let positive = random.random::<f64>() < p;
    seen.label(positive, p, features.len());
    out.extend_from_slice(if positive { b"+1" } else { b"-1" });
    for (&feature, &value) in features.iter().zip(values) {
        out.push(b' ');
        push(out, feature + 1);
        out.push(b':');
        push_thousandths(out, value as i64);
    }
    out.push(b'\n');
}
