//! How the labels of a data set are: their range and spread, and, where they are few, which they are.

use serde_json::{Value, json};

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

/// How the labels of a data set are. Labels that are not given count for nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Labels {
    /// The smallest.
    pub min: f32,
    /// The first row with the smallest label.
    pub min_row: usize,
    /// The largest.
    pub max: f32,
    /// The first row with the largest label.
    pub max_row: usize,
    /// How many there are.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// The sum of the squares of their distances from the mean.
    pub squares: f64,
    /// The first row whose label is not -1, 0 or 1, with that label.
    pub first_other: Option<(usize, f32)>,
    /// Whether some label is -1.
    pub has_minus: bool,
    /// Whether some label is 0.
    pub has_zero: bool,
    /// Whether some label is 1.
    pub has_plus: bool,
    /// How many are 1.
    pub plus: u64,
    /// How many are neither -1, nor 0, nor 1.
    pub others: u64,
    found: [LabelCount; FEW],
    found_count: usize,
    more: bool,
}

impl Labels {
    pub(super) const NONE: Labels = Labels {
        min: f32::INFINITY,
        min_row: 0,
        max: f32::NEG_INFINITY,
        max_row: 0,
        count: 0,
        mean: 0.0,
        squares: 0.0,
        first_other: None,
        has_minus: false,
        has_zero: false,
        has_plus: false,
        plus: 0,
        others: 0,
        found: [LabelCount { label: 0.0, row: 0, count: 0 }; FEW],
        found_count: 0,
        more: false,
    };

    /// Of some rows, the first of which has this number, by the bits of their labels.
    pub(super) fn of(first: usize, bits: &[u32]) -> Labels {
        let mut labels = Labels::NONE;
        let given = || bits.iter().map(|&bits| f32::from_bits(bits)).filter(|label| !label.is_nan());
        for (row, label) in (first..).zip(bits.iter().map(|&bits| f32::from_bits(bits))) {
            if !label.is_nan() {
                labels.add(row, label);
            }
        }
        // In two passes: of labels far from 0 the mean square tells nothing of their spread.
        labels.mean = given().map(f64::from).sum::<f64>() / labels.count.max(1) as f64;
        labels.squares = given().map(|label| (f64::from(label) - labels.mean).powi(2)).sum();
        labels
    }

    fn add(&mut self, row: usize, label: f32) {
        self.count += 1;
        if label < self.min {
            (self.min, self.min_row) = (label, row);
        }
        if label > self.max {
            (self.max, self.max_row) = (label, row);
        }
        let (minus, zero, plus) = (label == -1.0, label == 0.0, label == 1.0);
        self.has_minus |= minus;
        self.has_zero |= zero;
        self.has_plus |= plus;
        self.plus += u64::from(plus);
        self.others += u64::from(!(minus | zero | plus));
        if !(minus | zero | plus) && self.first_other.is_none() {
            self.first_other = Some((row, label));
        }
        self.find(LabelCount { label, row, count: 1 });
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
        self.found.get(..self.found_count).unwrap_or_default()
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

    /// The label farthest from the others: its row, itself, the mean of the others, and the distance from that in standard deviations of the
    /// others. None where the others are all alike, or there are fewer than three.
    pub fn farthest(&self) -> Option<(usize, f32, f64, f64)> {
        let n = self.count as f64;
        let far = |label: f32| (f64::from(label) - self.mean).abs();
        let (row, label) = if far(self.max) >= far(self.min) { (self.max_row, self.max) } else { (self.min_row, self.min) };
        let mean = (n * self.mean - f64::from(label)) / (n - 1.0);
        let squares = self.squares - far(label).powi(2) * n / (n - 1.0);
        let deviation = (squares.max(0.0) / (n - 1.0)).sqrt();
        // What rounding leaves of labels that are all alike is no deviation.
        let least = 1e-9 * self.mean.abs().max(mean.abs()).max((self.squares / n).sqrt());
        (self.count > 2 && deviation > least).then(|| (row, label, mean, (f64::from(label) - mean).abs() / deviation))
    }

    pub(super) fn join(self, later: Labels) -> Labels {
        let (n, m) = ((self.count as f64), (later.count as f64));
        let (all, apart) = ((n + m).max(1.0), later.mean - self.mean);
        let mut joined = Labels {
            count: self.count + later.count,
            mean: if n == 0.0 { later.mean } else { self.mean + apart * m / all },
            squares: self.squares + later.squares + apart * apart * n * m / all,
            first_other: self.first_other.or(later.first_other),
            has_minus: self.has_minus | later.has_minus,
            has_zero: self.has_zero | later.has_zero,
            has_plus: self.has_plus | later.has_plus,
            plus: self.plus + later.plus,
            others: self.others + later.others,
            more: self.more | later.more,
            ..self
        };
        if later.min < self.min {
            (joined.min, joined.min_row) = (later.min, later.min_row);
        }
        if later.max > self.max {
            (joined.max, joined.max_row) = (later.max, later.max_row);
        }
        later.few().iter().for_each(|&found| joined.find(found));
        joined
    }

    /// For a stamp; numbers as bits, so that they stay what they are.
    pub(super) fn to_json(self) -> Value {
        let first_other = self.first_other.map(|(row, label)| (row, label.to_bits()));
        let few: Vec<_> = self.few().iter().map(|found| (found.label.to_bits(), found.row, found.count)).collect();
        json!({
            "range": (self.min.to_bits(), self.min_row, self.max.to_bits(), self.max_row),
            "spread": (self.count, self.plus, self.others, self.mean.to_bits(), self.squares.to_bits()),
            "signs": (first_other, self.has_minus, self.has_zero, self.has_plus), "few": few, "more": self.more,
        })
    }

    pub(super) fn from_json(json: &Value) -> Option<Labels> {
        let (min, min_row, max, max_row) = serde_json::from_value(json["range"].clone()).ok()?;
        let (count, plus, others, mean, squares) = serde_json::from_value(json["spread"].clone()).ok()?;
        let (first_other, has_minus, has_zero, has_plus) = serde_json::from_value(json["signs"].clone()).ok()?;
        let few: Vec<(u32, usize, u64)> = serde_json::from_value(json["few"].clone()).ok()?;
        let mut labels = Labels {
            min: f32::from_bits(min),
            min_row,
            max: f32::from_bits(max),
            max_row,
            count,
            mean: f64::from_bits(mean),
            squares: f64::from_bits(squares),
            first_other: Option::map(first_other, |(row, label)| (row, f32::from_bits(label))),
            has_minus,
            has_zero,
            has_plus,
            plus,
            others,
            ..Labels::NONE
        };
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
            assert!((joined.mean - whole.mean).abs() < 1e-6 && (joined.squares / whole.squares - 1.0).abs() < 1e-9);
            let exact = Labels { mean: whole.mean, squares: whole.squares, ..joined };
            // Of many labels only the first few are counted.
            assert_eq!((exact.min_row, exact.max_row, exact.list()), (whole.min_row, whole.max_row, whole.list()));
            assert_eq!(Labels::from_json(&joined.to_json()), Some(joined));
        }
        let signs = of(&[1.0, -1.0, 1.0]).join(of(&[2.0, 1.0, 0.0, f32::NAN]));
        assert_eq!((signs.plus, signs.others, signs.count), (3, 1, 6));
        let few = of(&[2.0, 1.0, -0.0, f32::NAN]).join(of(&[1.0, 0.0]));
        assert!(few.are_few() && few.list() == "0, 1, 2" && few.count == 5, "{few:?}");
        assert_eq!(few.few().iter().map(|found| (found.row, found.count)).collect::<Vec<_>>(), [(0, 1), (1, 2), (2, 2)]);
    }

    #[test]
    fn the_farthest_is_measured_by_the_others() {
        let mut labels = vec![1.0, 2.0, 3.0, 2.0, 1.0, 3.0];
        let (_, _, mean, deviations) = of(&labels).farthest().unwrap();
        assert!(deviations < 3.0 && (1.0..3.0).contains(&mean));
        labels.push(-1e6);
        let (row, label, mean, deviations) = of(&labels).farthest().unwrap();
        assert!(row == 6 && label == -1e6 && (mean - 2.0).abs() < 1e-6 && deviations > 1e6, "{mean} {deviations}");
        // The others are all alike: no measure.
        for labels in [vec![0.1; 9], [vec![0.0; 9], vec![1.0]].concat(), vec![1.0, 5.0]] {
            assert_eq!(of(&labels).farthest(), None);
        }
    }
}
