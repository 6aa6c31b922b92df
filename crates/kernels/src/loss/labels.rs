//! Labels of training examples, each with how much it counts, and what a loss asks of all of them: their count, a share, a sample, the
//! constant score that loses least.
use super::Loss;

/// How many labels the search for a constant looks at, at most.
const SEARCHED: usize = 1 << 14;
/// No constant beyond this is looked for.
const FARTHEST: f32 = 1e30;

/// What a loss takes a label for.
#[derive(Clone, Copy, Debug)]
pub enum Taken {
    /// The number that it is.
    Number,
    /// +1 for this label, -1 for any other.
    Class(f32),
    /// 0: the model knows the labels itself.
    Nothing,
}

impl Taken {
    /// Of a loss, and of the label that is +1 to a loss of two classes.
    pub fn new(loss: Loss, positive: f32) -> Taken {
        if loss.is_classification() { Taken::Class(positive) } else { Taken::Number }
    }

    /// The label as the loss takes it.
    #[inline(always)]
    pub fn of(self, label: f32) -> f32 {
        match self {
            Taken::Number => label,
            Taken::Class(positive) if label == positive => 1.0,
            Taken::Class(_) => -1.0,
            Taken::Nothing => 0.0,
        }
    }
}

/// All labels, as a function that hands them one after the other, in one order, each with its weight.
#[allow(clippy::type_complexity)]
pub struct Labels<'a>(pub &'a dyn Fn(&mut dyn FnMut(f32, f64)));

impl Labels<'_> {
    /// How many there are.
    pub fn count(&self) -> f64 {
        let mut count = 0u64;
        (self.0)(&mut |_, _| count += 1);
        count as f64
    }

    /// The weighted mean of a number of each; 0 of none.
    pub fn mean(&self, number: impl Fn(f32) -> f64) -> f64 {
        let (mut sum, mut weights) = (0.0, 0.0);
        (self.0)(&mut |label, weight| (sum, weights) = (sum + weight * number(label), weights + weight));
        if weights > 0.0 { sum / weights } else { 0.0 }
    }

    /// The share that is above 0: of two classes, that of +1.
    pub fn share_positive(&self) -> f64 {
        self.mean(|label| (label > 0.0) as u8 as f64)
    }

    /// At most so many, at equal distances, with their weights.
    pub fn sample(&self, most: usize) -> Vec<(f32, f64)> {
        let count = self.count() as usize;
        let every = count.div_ceil(most).max(1);
        let (mut sample, mut i) = (Vec::with_capacity(count.min(most)), 0);
        (self.0)(&mut |label, weight| {
            if i % every == 0 {
                sample.push((label, weight));
            }
            i += 1;
        });
        sample
    }

    /// The constant score at which a convex loss of this slope is lowest: where the mean slope leaves the negative numbers, by halving. 0 where
    /// it never does, for then no constant is best.
    pub fn lowest(&self, slope: impl Fn(f32, f32) -> f32) -> f32 {
        let sample = self.sample(SEARCHED);
        let falls = |z: f32| sample.iter().map(|&(y, weight)| weight * slope(z, y) as f64).sum::<f64>() < 0.0;
        let (mut low, mut high) = (-1f32, 1f32);
        while !falls(low) && low > -FARTHEST {
            (low, high) = (2.0 * low, low);
        }
        while falls(high) && high < FARTHEST {
            (low, high) = (high, 2.0 * high);
        }
        if low <= -FARTHEST || high >= FARTHEST {
            return 0.0;
        }
        loop {
            let middle = low / 2.0 + high / 2.0;
            if middle <= low || middle >= high {
                return high;
            }
            if falls(middle) { low = middle } else { high = middle }
        }
    }
}
