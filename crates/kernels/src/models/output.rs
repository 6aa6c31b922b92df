//! What the scores of several classes lose, one number at a time, and the classes that examples have. By sixteen the same is in
//! [`Multiclass`](super::Multiclass).
use crate::{
    loss::Loss,
    simd::math::{exp, ln},
};

/// How the scores of an example become its loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Output {
    /// Probabilities that sum to 1, of exactly one class.
    Softmax,
    /// This loss of two classes for each class: it, or the rest.
    OneVsRest(Loss),
}

impl Output {
    /// The loss of one example by its scores; `classes` are its own. Each score gives way to its slope.
    pub fn slopes(self, scores: &mut [f32], classes: &[u32]) -> f32 {
        match self {
            Output::Softmax => {
                let most = scores.iter().fold(f32::NEG_INFINITY, |most, &z| if z > most { z } else { most });
                let own = classes.first().and_then(|&class| scores.get(class as usize)).map_or(0.0, |z| most - z);
                let mut sum = 0.0;
                for z in scores.iter_mut() {
                    *z = exp(*z - most);
                    sum += *z;
                }
                scores.iter_mut().for_each(|z| *z /= sum);
                take_own(scores, classes);
                ln(sum) + own
            }
            Output::OneVsRest(loss) => {
                let mut sum = 0.0;
                for (c, z) in scores.iter_mut().enumerate() {
                    let y = if classes.contains(&(c as u32)) { 1.0 } else { -1.0 };
                    sum += loss.value(*z, y);
                    *z = loss.slope(*z, y);
                }
                sum
            }
        }
    }

    /// The loss alone.
    pub fn loss(self, scores: &[f32], classes: &[u32]) -> f32 {
        self.slopes(&mut scores.to_vec(), classes)
    }
}

/// Takes 1 from the numbers of the example's own classes.
#[inline(always)]
pub(super) fn take_own(numbers: &mut [f32], classes: &[u32]) {
    for &class in classes {
        if let Some(p) = numbers.get_mut(class as usize) {
            *p -= 1.0;
        }
    }
}

/// The classes of examples, by position.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassLabels {
    /// Where those of each example begin, and those of the last end; none where each has one.
    pub starts: Option<Vec<u64>>,
    /// All of them, one example after the other.
    pub classes: Vec<u32>,
}

impl ClassLabels {
    /// Those of an example; none beyond the last.
    #[inline(always)]
    pub fn of(&self, position: usize) -> &[u32] {
        let range = match &self.starts {
            None => position..position.wrapping_add(1),
            Some(starts) => match starts.get(position..position.wrapping_add(2)) {
                Some(&[start, end]) => start as usize..end as usize,
                _ => 0..0,
            },
        };
        self.classes.get(range).unwrap_or(&[])
    }

    /// How many examples there are.
    pub fn len(&self) -> usize {
        self.starts.as_ref().map_or(self.classes.len(), |starts| starts.len().saturating_sub(1))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
