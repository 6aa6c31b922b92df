//! The bins of a column: edges between which there are about as many numbers each, found without keeping the numbers.
//!
//! A number is counted by the first 16 bits of its place in the order of all 32-bit floats: sign, exponent and seven bits behind the point.
//! So a column takes 512 KB, whatever comes, and the order of chunks makes no difference. Integers up to 256 are exact; other edges are
//! below the true ones by less than one part in 128.

use std::collections::BTreeMap;

use crate::text::collector::Observed;
use crate::text::recipe::{Bits, Recipe, Step};

/// Where a number is in the order of all: one of 65,536 classes.
pub(crate) fn class(x: f32) -> u16 {
    let bits = (x + 0.0).to_bits(); // -0 is 0
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    (ordered >> 16) as u16
}

/// The smallest number of a class, or of those below 0 the one nearest to it.
fn edge(class: usize) -> f32 {
    let ordered = (class as u32) << 16;
    f32::from_bits(if ordered >> 31 == 1 { ordered ^ 1 << 31 } else { !ordered & !0xffff })
}

/// How many numbers of each class some columns have.
#[derive(Default)]
pub(crate) struct Histograms(BTreeMap<u32, Vec<u64>>);

impl Histograms {
    pub(crate) fn add(&mut self, observed: &[Observed]) {
        for &Observed { column, class } in observed {
            let counts = self.0.entry(column).or_insert_with(|| vec![0; 1 << 16]);
            if let Some(count) = counts.get_mut(usize::from(class)) {
                *count += 1;
            }
        }
    }

    /// The recipe with the edges that it lacks; none where it lacks none.
    pub(crate) fn fill(&self, recipe: &Recipe) -> Option<Recipe> {
        let lacks = |step: &Step| matches!(step, Step::Bins(_, edges) if edges.is_empty());
        if !recipe.columns.iter().any(|column| lacks(&column.step)) {
            return None;
        }
        let mut filled = recipe.clone();
        for (place, column) in (0..).zip(&mut filled.columns) {
            if let Step::Bins(wanted, found) = &mut column.step
                && found.is_empty()
            {
                *found = self.0.get(&place).map_or(vec![Bits::of(0.0)], |counts| edges(counts, *wanted));
            }
        }
        Some(filled)
    }
}

/// Edges between so many bins; fewer where numbers are the same. There is always one.
fn edges(counts: &[u64], wanted: u32) -> Vec<Bits> {
    let all: u64 = counts.iter().sum();
    let least = counts.iter().position(|&count| count > 0).unwrap_or(usize::from(class(0.0)));
    let (mut below, mut next, mut found) = (0u128, 1, Vec::new());
    for (class, &count) in counts.iter().enumerate() {
        below += u128::from(count);
        while next < u128::from(wanted) && below > u128::from(all) * next / u128::from(wanted) {
            // What is below the smallest number would be empty.
            found.extend((class != least).then_some(class));
            next += 1;
        }
    }
    found.dedup();
    found.extend(found.is_empty().then_some(least));
    found.into_iter().map(|class| Bits::of(edge(class))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_in_the_order_of_numbers() {
        let numbers = [f32::MIN, -3.5, -1.0, -1e-30, 0.0, 1e-30, 0.3, 1.0, 255.0, 256.0, f32::MAX];
        assert!(numbers.map(class).is_sorted_by(|a, b| a < b));
        assert_eq!(class(0.0), class(-0.0));
        for x in [1.0, 3.0, 255.0, 0.5, -2.0] {
            assert_eq!(edge(class(x).into()), x);
        }
        assert!((0.3 - edge(class(0.3).into())) / 0.3 < 1.0 / 128.0);
    }

    #[test]
    fn bins_hold_as_many_numbers_each() {
        let of = |numbers: &[f32], wanted| {
            let mut counts = vec![0; 1 << 16];
            numbers.iter().for_each(|&x| counts[usize::from(class(x))] += 1);
            edges(&counts, wanted).into_iter().map(Bits::number).collect::<Vec<_>>()
        };
        let hundred: Vec<f32> = (0..100).map(|i| i as f32).collect();
        assert_eq!(of(&hundred, 4), [25.0, 50.0, 75.0]);
        assert_eq!(of(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0], 4), [1.0]);
        assert_eq!(of(&[5.0; 9], 4), [5.0]);
        assert_eq!(of(&[1.0, 2.0], 10), [2.0]);
        assert_eq!(of(&[-4.0, -2.0, 2.0, 4.0], 2), [2.0]);
        assert_eq!(of(&[], 4), [0.0]);
    }
}
