//! Synthetic data with a known structure, as text: what the data in `data/` are made by.
//!
//! Every row follows from the seed and the row's number alone, and the hidden truth from the seed: rows written later, from `start_row`
//! on, are held-out data of the same truth, and any size is written in constant memory.
use crate::{Error, Result};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use std::io::{self, Write};

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// svmlight rows like tf-idf of texts: Zipf-distributed features, rows of length 1, labels +1 and -1.
    Text,
    /// `user item rating`, ratings from 0.5 to 5 in half steps.
    Ratings,
}

/// How much of what, and from which seed.
#[derive(Clone, Debug)]
pub struct Synth {
    /// Text or ratings.
    pub kind: Kind,
    /// Rows (or ratings) to write.
    pub rows: u64,
    /// The number of the first row.
    pub start_row: u64,
    /// Text: how many features there are, at least 2.
    pub features: u64,
    /// Text: distinct features a row, on average; at least 1.
    pub nonzeros: u64,
    /// Ratings: how many users, at least 1.
    pub users: u64,
    /// Ratings: how many items, at least 1.
    pub items: u64,
    /// Zipf's exponent of features, users and items, 0 to 3; 0 is uniform.
    pub exponent: f64,
    /// Another seed is another truth.
    pub seed: u64,
}

impl Default for Synth {
    fn default() -> Self {
        Synth { kind: Kind::Text, rows: 1000, start_row: 0, features: 2000, nonzeros: 30, users: 300, items: 200, exponent: 1.0, seed: 1 }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Features written, or ratings.
    pub nonzeros: u64,
    /// Text: log-loss of the hidden truth. Ratings: RMSE of the hidden truth. No model can be expected to do better.
    pub best: f64,
    /// The same of always predicting the mean.
    pub base: f64,
}

impl Synth {
    /// # Errors
    /// The first setting that is out of its range.
    pub fn check(&self) -> Result<()> {
        let least =
            [("--features", self.features, 2), ("--nonzeros", self.nonzeros, 1), ("--users", self.users, 1), ("--items", self.items, 1)];
        if let Some((setting, value, least)) = least.into_iter().find(|&(_, value, least)| value < least) {
            return Err(Error::BadSetting { setting, value: value.to_string(), problem: format!("must be at least {least}") });
        }
        if self.nonzeros > self.features {
            let problem = format!("a row cannot have more features than there are: {}", self.features);
            return Err(Error::BadSetting { setting: "--nonzeros", value: self.nonzeros.to_string(), problem });
        }
        if !(0.0..=3.0).contains(&self.exponent) {
            let problem = "must be from 0 (uniform) to 3".to_string();
            return Err(Error::BadSetting { setting: "--exponent", value: self.exponent.to_string(), problem });
        }
        Ok(())
    }

    /// Writes the rows.
    ///
    /// # Errors
    /// Settings out of range, and what the writer refuses.
    pub fn write(&self, out: &mut dyn Write) -> Result<Summary> {
        self.check()?;
        let mut seen = Seen::default();
        for row in self.start_row..self.start_row.saturating_add(self.rows) {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(mix(self.seed, row));
            let written = match self.kind {
                Kind::Text => self.text(&mut random, out, &mut seen),
                Kind::Ratings => self.rating(&mut random, out, &mut seen),
            };
            written.map_err(Error::io(std::path::Path::new("synthetic data"), "write"))?;
        }
        Ok(seen.summary(self.kind))
    }

    fn text(&self, random: &mut Xoshiro256PlusPlus, out: &mut dyn Write, seen: &mut Seen) -> io::Result<()> {
        let wanted = (self.nonzeros as f64 * (0.5 + random.random::<f64>())).max(1.0) as u64;
        let mut features: Vec<u64> = (0..wanted).map(|_| zipf(random.random(), self.features, self.exponent)).collect();
        features.sort_unstable();
        features.dedup();
        // Rarer features weigh more, as in tf-idf.
        let mut values: Vec<f64> = features.iter().map(|&f| (2.0 + f as f64).ln() * (0.5 + random.random::<f64>())).collect();
        let length = values.iter().map(|v| v * v).sum::<f64>().sqrt();
        values.iter_mut().for_each(|v| *v = (*v / length * 1000.0).round() / 1000.0);
        let truth = |f: u64| 16.0 * (unit(self.seed, f) - 0.5);
        let score: f64 = features.iter().zip(&values).map(|(&f, v)| truth(f) * v).sum();
        let p = 1.0 / (1.0 + (-score).exp());
        let positive = random.random::<f64>() < p;
        seen.add(positive as u8 as f64, p);
        seen.nonzeros += features.len() as u64;
        write!(out, "{}", if positive { "+1" } else { "-1" })?;
        features.iter().zip(&values).try_for_each(|(f, v)| write!(out, " {}:{v}", f + 1))?;
        writeln!(out)
    }

    fn rating(&self, random: &mut Xoshiro256PlusPlus, out: &mut dyn Write, seen: &mut Seen) -> io::Result<()> {
        let user = zipf(random.random(), self.users, self.exponent);
        let item = zipf(random.random(), self.items, self.exponent);
        let of_user = |k: u64| unit(self.seed ^ 0xA11CE, user * 8 + k) - 0.5;
        let of_item = |k: u64| unit(self.seed ^ 0x17E35, item * 8 + k) - 0.5;
        let taste: f64 = (2..6).map(|k| 4.0 * of_user(k) * of_item(k)).sum();
        let truth = 3.2 + of_user(0) + 1.5 * of_item(0) + taste;
        // The sum of four uniform numbers is near enough to a normal one, and the same everywhere.
        let noise = (0..4).map(|_| random.random::<f64>() - 0.5).sum::<f64>();
        let rating = ((truth + 0.8 * noise) * 2.0).round().clamp(1.0, 10.0) / 2.0;
        seen.add(rating, truth.clamp(0.5, 5.0));
        seen.nonzeros += 1;
        writeln!(out, "{}\t{}\t{rating}", user + 1, item + 1)
    }
}

/// Sums for the summary.
#[derive(Default)]
struct Seen {
    rows: f64,
    nonzeros: u64,
    targets: f64,
    squares: f64,
    logloss: f64,
    errors: f64,
}

impl Seen {
    fn add(&mut self, target: f64, truth: f64) {
        self.rows += 1.0;
        self.targets += target;
        self.squares += target * target;
        self.logloss -= if target > 0.5 { truth.ln() } else { (1.0 - truth).ln() };
        self.errors += (target - truth).powi(2);
    }

    fn summary(&self, kind: Kind) -> Summary {
        let n = self.rows.max(1.0);
        let mean = self.targets / n;
        let (best, base) = match kind {
            Kind::Text => (self.logloss / n, -(mean * mean.ln() + (1.0 - mean) * (1.0 - mean).ln())),
            Kind::Ratings => ((self.errors / n).sqrt(), (self.squares / n - mean * mean).max(0.0).sqrt()),
        };
        Summary { nonzeros: self.nonzeros, best, base }
    }
}

/// The finalizer of splitmix64 over both numbers.
fn mix(a: u64, b: u64) -> u64 {
    let mut x = a.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ b.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A number from 0 to 1 that belongs to (seed, i).
fn unit(seed: u64, i: u64) -> f64 {
    (mix(seed, i) >> 11) as f64 / (1u64 << 53) as f64
}

/// The rank below `n` that a uniform `u` stands for under Zipf's law (its continuous form, inverted).
fn zipf(u: f64, n: u64, exponent: f64) -> u64 {
    let top = n as f64 + 1.0;
    let x = if (exponent - 1.0).abs() < 1e-9 {
        top.powf(u)
    } else {
        let e = 1.0 - exponent;
        (1.0 + u * (top.powf(e) - 1.0)).powf(1.0 / e)
    };
    (x as u64).clamp(1, n) - 1
}
