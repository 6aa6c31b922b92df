//! How the labels, or the ratings, of a data set are: their spread, and, where they are few, which they are.

use crate::spread::Spread;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How many different labels are told apart.
const FEW: usize = 4;

/// A label, where it comes first, and how often it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LabelCount {
    /// The label.
    pub label: f32,
    /// The first row that has it.
    pub row: usize,
    /// How many rows have it; where there are more labels than [`Labels::few`] tells, at least so many.
    pub count: u64,
}

/// How the labels of a data set are; ratings are labels too. Those that are not given count for nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Labels {
    /// Their range, mean and deviation.
    pub spread: Spread,
    /// How many are 1.
    pub plus: u64,
    /// How many are neither -1, nor 0, nor 1.
    pub others: u64,
    found: [LabelCount; FEW],
    found_count: usize,
    more: bool,
}

impl Labels {
    pub(crate) const NONE: Labels = Labels {
        spread: Spread::NONE,
        plus: 0,
        others: 0,
        found: [LabelCount { label: 0.0, row: 0, count: 0 }; FEW],
        found_count: 0,
        more: false,
    };

    /// Of some rows, the first of which has this number, by the bits of their labels.
    pub(crate) fn of(first: usize, bits: &[u32]) -> Labels {
        let mut labels = Labels { spread: Spread::of(first, bits), ..Labels::NONE };
        for (row, label) in (first..).zip(bits.iter().map(|&bits| f32::from_bits(bits))).filter(|(_, label)| !label.is_nan()) {
            labels.plus += u64::from(label == 1.0);
            labels.others += u64::from(label.abs() != 1.0 && label != 0.0);
            labels.find(LabelCount { label, row, count: 1 });
        }
        labels
    }

    /// Of labels in memory, joined of groups as those of a file are: so their mean has the same bits.
    pub(crate) fn in_groups(labels: &[AtomicU32], group: usize) -> Labels {
        let mut bits = Vec::with_capacity(group);
        let groups = labels.chunks(group).enumerate().map(|(i, cells)| {
            bits.clear();
            bits.extend(cells.iter().map(|cell| cell.load(Relaxed)));
            Labels::of(i * group, &bits)
        });
        groups.fold(Labels::NONE, Labels::join)
    }

    fn find(&mut self, new: LabelCount) {
        let (found, rest) = self.found.split_at_mut(self.found_count.min(FEW));
        if let Some(found) = found.iter_mut().find(|found| found.label == new.label) {
            found.count += new.count;
        } else if let Some(place) = rest.first_mut() {
            *place = LabelCount { label: new.label + 0.0, ..new }; // -0 is 0
            self.found_count += 1;
        } else {
            self.more = true;
        }
    }

    /// The first few different labels, in the order in which they come.
    pub fn few(&self) -> &[LabelCount] {
        &self.found[..self.found_count]
    }

    /// Whether [`few`](Self::few) has all labels that occur.
    pub fn are_few(&self) -> bool {
        !self.more
    }

    /// The first few different labels as a list, ascending.
    pub fn list(&self) -> String {
        let mut labels: Vec<f32> = self.few().iter().map(|found| found.label).collect();
        labels.sort_by(f32::total_cmp);
        let labels: Vec<String> = labels.iter().map(f32::to_string).collect();
        labels.join(", ") + if self.more { ", ..." } else { "" }
    }

    pub(crate) fn join(self, later: Labels) -> Labels {
        let mut joined = Labels {
            spread: self.spread.join(later.spread),
            plus: self.plus + later.plus,
            others: self.others + later.others,
            more: self.more | later.more,
            ..self
        };
        later.few().iter().for_each(|&found| joined.find(found));
        joined
    }

    /// For a record; numbers as bits, so that they stay what they are.
    pub(crate) fn to_json(self) -> Value {
        let few: Vec<_> = self.few().iter().map(|found| (found.label.to_bits(), found.row, found.count)).collect();
        json!({ "spread": self.spread.to_json(), "signs": (self.plus, self.others), "few": few, "more": self.more })
    }

    pub(crate) fn from_json(json: &Value) -> Option<Labels> {
        let (plus, others) = serde_json::from_value(json["signs"].clone()).ok()?;
        let few: Vec<(u32, usize, u64)> = serde_json::from_value(json["few"].clone()).ok()?;
        let mut labels = Labels { spread: Spread::from_json(&json["spread"])?, plus, others, ..Labels::NONE };
        few.iter().for_each(|&(label, row, count)| labels.find(LabelCount { label: f32::from_bits(label), row, count }));
        labels.more = json["more"].as_bool()?;
        Some(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &[f32]) -> Labels {
        Labels::of(0, &labels.iter().map(|label| label.to_bits()).collect::<Vec<_>>())
    }

    #[test]
    fn parts_joined_are_the_whole() {
        let labels: Vec<f32> = (0..500).map(|i| 1e5 + (i * 7919 % 1000) as f32).collect();
        for cut in [0, 1, 250, 499, 500] {
            let (first, second) = labels.split_at(cut);
            let bits: Vec<u32> = second.iter().map(|label| label.to_bits()).collect();
            let (joined, whole) = (of(first).join(Labels::of(cut, &bits)), of(&labels));
            // Of many labels only the first few are counted.
            assert_eq!((joined.few().len(), joined.list()), (FEW, whole.list()));
            assert_eq!(Labels::from_json(&joined.to_json()), Some(joined));
        }
        let signs = of(&[1.0, -1.0, 1.0]).join(of(&[2.0, 1.0, 0.0, f32::NAN]));
        assert_eq!((signs.plus, signs.others, signs.spread.count), (3, 1, 6));
        let few = of(&[2.0, 1.0, -0.0, f32::NAN]).join(of(&[1.0, 0.0]));
        assert!(few.are_few() && few.list() == "0, 1, 2" && few.spread.count == 5, "{few:?}");
        assert_eq!(few.few().iter().map(|found| (found.row, found.count)).collect::<Vec<_>>(), [(0, 1), (1, 2), (2, 2)]);
    }
}
