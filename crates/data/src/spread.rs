//! How the labels, or the ratings, of a data set are spread: their range, mean and deviation, and the one that is farthest from the others.

use serde_json::{Value, json};

/// How labels or ratings are spread. Those that are not given count for nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// How many there are.
    pub count: u64,
    /// The smallest.
    pub min: f32,
    /// How many are the smallest.
    pub min_count: u64,
    /// The largest.
    pub max: f32,
    /// How many are the largest.
    pub max_count: u64,
    /// Their mean.
    pub mean: f64,
    /// The first rows with the smallest and the largest.
    min_row: usize,
    max_row: usize,
    /// The sum of the squares of their distances from the mean.
    squares: f64,
}

/// The label or rating that is farthest from the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Farthest {
    /// Its row, from 0.
    pub row: usize,
    /// Itself.
    pub target: f32,
    /// The mean of the others.
    pub mean: f64,
    /// How far it is from that, in standard deviations of the others.
    pub deviations: f64,
}

impl Spread {
    pub(crate) const NONE: Spread = Spread {
        count: 0,
        min: f32::INFINITY,
        min_count: 0,
        max: f32::NEG_INFINITY,
        max_count: 0,
        mean: 0.0,
        min_row: 0,
        max_row: 0,
        squares: 0.0,
    };

    /// Of some rows, the first of which has this number, by the bits of their labels or ratings.
    pub(crate) fn of(first: usize, bits: &[u32]) -> Spread {
        let mut spread = Spread::NONE;
        let given = || (first..).zip(bits.iter().map(|&bits| f32::from_bits(bits))).filter(|(_, target)| !target.is_nan());
        let mut sum = 0.0;
        for (row, target) in given() {
            let one = Spread { count: 1, min: target, min_count: 1, max: target, max_count: 1, min_row: row, max_row: row, ..Spread::NONE };
            spread = spread.range(one);
            sum += f64::from(target);
        }
        // In two passes: of numbers far from 0 the mean square tells nothing of their spread.
        spread.mean = sum / spread.count.max(1) as f64;
        spread.squares = given().map(|(_, target)| (f64::from(target) - spread.mean).powi(2)).sum();
        spread
    }

    /// Joins count, smallest and largest alone.
    fn range(self, later: Spread) -> Spread {
        let mut joined = Spread { count: self.count + later.count, ..self };
        if later.min < self.min {
            (joined.min, joined.min_count, joined.min_row) = (later.min, later.min_count, later.min_row);
        } else if later.min == self.min {
            joined.min_count += later.min_count;
        }
        if later.max > self.max {
            (joined.max, joined.max_count, joined.max_row) = (later.max, later.max_count, later.max_row);
        } else if later.max == self.max {
            joined.max_count += later.max_count;
        }
        joined
    }

    pub(crate) fn join(self, later: Spread) -> Spread {
        let (n, m) = ((self.count as f64), (later.count as f64));
        let (all, apart) = ((n + m).max(1.0), later.mean - self.mean);
        Spread {
            mean: if n == 0.0 { later.mean } else { self.mean + apart * m / all },
            squares: self.squares + later.squares + apart * apart * n * m / all,
            ..self.range(later)
        }
    }

    /// Their standard deviation.
    pub fn deviation(&self) -> f64 {
        (self.squares / self.count.max(1) as f64).sqrt()
    }

    /// The one farthest from the others. None where there are fewer than three, or two values are all there is: of those neither is far
    /// off, however rare (and of a single one there is no measure, as the others are all alike).
    pub fn farthest(&self) -> Option<Farthest> {
        if self.count < 3 || self.min_count + self.max_count >= self.count {
            return None;
        }
        let n = self.count as f64;
        let far = |target: f32| (f64::from(target) - self.mean).abs();
        let (row, target) = if far(self.max) >= far(self.min) { (self.max_row, self.max) } else { (self.min_row, self.min) };
        // Mean and deviation of the others: of few numbers one alone makes most of the deviation.
        let mean = (n * self.mean - f64::from(target)) / (n - 1.0);
        let squares = self.squares - far(target).powi(2) * n / (n - 1.0);
        // The others do differ; beside a number that is very far off rounding may leave less of that, or nothing.
        let least = f64::EPSILON * self.squares;
        let deviation = (squares.max(least) / (n - 1.0)).sqrt();
        let deviations = (f64::from(target) - mean).abs() / deviation;
        Some(Farthest { row, target, mean, deviations })
    }

    /// For a record; numbers as bits, so that they stay what they are.
    pub(crate) fn to_json(self) -> Value {
        json!({
            "min": (self.min.to_bits(), self.min_count, self.min_row), "max": (self.max.to_bits(), self.max_count, self.max_row),
            "spread": (self.count, self.mean.to_bits(), self.squares.to_bits()),
        })
    }

    pub(crate) fn from_json(json: &Value) -> Option<Spread> {
        let (min, min_count, min_row) = serde_json::from_value(json["min"].clone()).ok()?;
        let (max, max_count, max_row) = serde_json::from_value(json["max"].clone()).ok()?;
        let (count, mean, squares) = serde_json::from_value(json["spread"].clone()).ok()?;
        let (min, max, mean, squares) = (f32::from_bits(min), f32::from_bits(max), f64::from_bits(mean), f64::from_bits(squares));
        Some(Spread { count, min, min_count, max, max_count, mean, min_row, max_row, squares })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(first: usize, targets: &[f32]) -> Spread {
        Spread::of(first, &targets.iter().map(|target| target.to_bits()).collect::<Vec<_>>())
    }

    #[test]
    fn parts_joined_are_the_whole() {
        let targets: Vec<f32> = (0..500).map(|i| 1e5 + (i * 7919 % 100) as f32).collect();
        let whole = of(0, &targets);
        assert_eq!((whole.min, whole.min_count, whole.max, whole.max_count), (1e5, 5, 1e5 + 99.0, 5));
        for cut in [0, 1, 250, 499, 500] {
            let joined = of(0, &targets[..cut]).join(of(cut, &targets[cut..]));
            assert!((joined.mean - whole.mean).abs() < 1e-6 && (joined.squares / whole.squares - 1.0).abs() < 1e-9);
            assert_eq!(Spread { mean: whole.mean, squares: whole.squares, ..joined }, whole);
            assert_eq!(Spread::from_json(&joined.to_json()), Some(joined));
        }
    }

    #[test]
    fn a_shift_leaves_the_deviation() {
        let targets = |shift: f32| -> Vec<f32> { (0..1000).map(|i| (i % 5) as f32 + shift).collect() };
        for shift in [0.0, 1e5, 4e6] {
            assert!((of(0, &targets(shift)).deviation() - 2.0f64.sqrt()).abs() < 1e-9, "{shift}");
        }
    }

    #[test]
    fn the_farthest_is_measured_by_the_others() {
        let mut targets = vec![1.0, 2.0, 3.0, 2.0, f32::NAN, 1.0, 3.0];
        let found = of(0, &targets).farthest().unwrap();
        assert!(found.deviations < 3.0 && (1.0..3.0).contains(&found.mean));
        targets.push(-1e6);
        let found = of(0, &targets).farthest().unwrap();
        assert!(found.row == 7 && found.target == -1e6 && (found.mean - 2.0).abs() < 1e-6 && found.deviations > 1e6, "{found:?}");
        // Beyond what the sums can tell apart.
        targets.push(1e30);
        assert!(of(0, &targets).farthest().is_some_and(|found| found.target == 1e30 && found.deviations.is_finite()));
        // The others are all alike, but for rounding: no measure. Nor is the rare one of two classes far off.
        let rare = |n: usize, often: f32, count: usize, seldom: f32| [vec![often; n], vec![seldom; count]].concat();
        for targets in [vec![0.1; 9], rare(9, 0.0, 1, 1.0), vec![1.0, 5.0], rare(2, 3.0, 1, 4.0), rare(50_000, 0.0, 2, 1.0)] {
            assert_eq!(of(0, &targets).farthest(), None);
        }
        for count in 2..3000 {
            assert_eq!(of(0, &rare(count, 5.0, 1, 4.0)).farthest(), None);
            let parts = of(0, &rare(count, 0.7, 0, 0.0)).join(of(count, &rare(count, 0.7, 1, 0.2)));
            assert_eq!(parts.farthest(), None);
        }
    }
}
