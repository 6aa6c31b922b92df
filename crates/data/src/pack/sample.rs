//! Examples of one of two classes are left out at random. Those that stay of it count the more, so that the class counts in all what it did:
//! a model's probabilities stay those of all examples.
//!
//! Chance goes by the number of a row among all, so that the same text gives the same file on any number of threads.

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hogwild_base::{Error, Result};

use super::piece::{ExampleWords, Piece};
use super::rewrite::{PieceRows, look, rewrite};
use crate::TargetCounts;
use crate::dictionary::Ranked;
use crate::text::Sampling;

/// Which examples go.
pub(crate) struct Thinned {
    /// The label of the class that they are of.
    pub(crate) label: f32,
    /// The share of its examples that stays.
    pub(crate) share: f32,
    /// How many times as much each counts that stays; once the rows are thinned.
    pub(crate) factor: f64,
    pub(crate) targets: TargetCounts,
}

impl Thinned {
    /// # Errors
    /// Labels that are not of two classes.
    pub(crate) fn of(sampling: Sampling, targets: TargetCounts, rows: u64, several: bool) -> Result<Option<Thinned>> {
        let TargetCounts { min, min_count, max, max_count, count, .. } = targets;
        if several || min >= max || min_count + max_count != count || count != rows {
            let (setting, value) = match sampling {
                Sampling::Balance => ("balance", "true".to_owned()),
                Sampling::Negatives(share) => ("sample", share.number().to_string()),
            };
            let problem = format!("is of data of two classes, and the {rows} labels are not of just two; leave it out");
            return Err(Error::BadSetting { setting, value, problem });
        }
        let (label, share) = match sampling {
            Sampling::Negatives(share) => (min, share.number()),
            Sampling::Balance if min_count > max_count => (min, max_count as f32 / min_count as f32),
            Sampling::Balance => (max, min_count as f32 / max_count as f32),
        };
        Ok((share < 1.0).then_some(Thinned { label, share, factor: 1.0, targets }))
    }

    fn keeps(&self, row: u64, label: u32) -> bool {
        // The top of a product of all bits, as of splitmix64 (Steele, Lea & Flood 2014).
        let mut bits = (row + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        f32::from_bits(label) != self.label || ((bits ^ bits >> 31) >> 11) as f64 * (-53f64).exp2() < f64::from(self.share)
    }

    /// Leaves them out, and with them the features that were in no others.
    ///
    /// # Errors
    /// What the system refuses; that none of the class is left.
    pub(crate) fn take_out(mut self, pieces: &mut Vec<Piece<'_>>, features: &mut Ranked, spill: &File) -> std::io::Result<Option<Thinned>> {
        let of_class = |words: &ExampleWords<'_>, row: usize| {
            let weight = words.weights.map_or(1.0, |weights| f64::from(f32::from_bits(weights[row])));
            if f32::from_bits(words.labels[row]) == self.label { weight } else { 0.0 }
        };
        let weights = |first: u64, words: &ExampleWords<'_>| {
            let rows = (first..).zip(words.labels.iter()).enumerate();
            rows.fold((0.0, 0.0), |(all, kept), (row, (number, &label))| {
                let weight = of_class(words, row);
                (all + weight, kept + if self.keeps(number, label) { weight } else { 0.0 })
            })
        };
        let found = look(pieces, spill, weights)?;
        let (all, kept) = found.into_iter().fold((0.0, 0.0), |(all, kept), of| (all + of.0, kept + of.1));
        if kept == 0.0 {
            return Ok(None);
        }
        let counts: Vec<AtomicU64> = features.counts.iter().map(|_| AtomicU64::new(0)).collect();
        rewrite(pieces, spill, |first, words| {
            let mut rows = PieceRows::like(words);
            let mut at = 0;
            for (row, number) in (0..words.labels.len()).zip(first..) {
                let cells = at..at + words.lengths[row] as usize;
                at = cells.end;
                if !self.keeps(number, words.labels[row]) {
                    continue;
                }
                for &code in &words.codes[cells.clone()] {
                    counts[features.rank(code) as usize].fetch_add(1, Relaxed);
                }
                rows.lengths.push(words.lengths[row]);
                rows.labels.push(words.labels[row]);
                rows.codes.extend_from_slice(&words.codes[cells.clone()]);
                rows.values.iter_mut().zip(&words.values).for_each(|(all, values)| all.extend_from_slice(&values[cells.clone()]));
                rows.weights.iter_mut().zip(words.weights).for_each(|(all, weights)| all.push(weights[row]));
            }
            Some(rows)
        })?;
        pieces.retain(|piece| piece.rows > 0);
        let counts: Vec<u64> = counts.into_iter().map(AtomicU64::into_inner).collect();
        features.rearrange(&counts, std::iter::empty());
        let labels = look(pieces, spill, |_, words| TargetCounts::of(bytemuck::cast_slice(words.labels)))?;
        (self.factor, self.targets) = (all / kept, labels.into_iter().fold(TargetCounts::NONE, TargetCounts::join));
        Ok(Some(self))
    }

    /// How much an example counts that counted so much, by its label.
    pub(crate) fn weight(&self, label: u32, weight: f32) -> f32 {
        if f32::from_bits(label) == self.label { (f64::from(weight) * self.factor) as f32 } else { weight }
    }
}
