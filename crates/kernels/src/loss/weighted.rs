//! The sum of losses that do not count alike, and of their weights. It is a formula of its own, called once a block: in the loops it would be half of their code.
use super::{Loss, Objective};
use crate::simd::{InstructionSet, Isa, Job, Vector, dispatch_formula, pairs};

/// The sum of the losses of many scores, each times its weight; and that of the weights.
pub(crate) fn weighted_total(set: InstructionSet, loss: Loss, scores: &[f32], labels: &[f32], weights: &[f32]) -> (f64, f64) {
    let total = dispatch_formula(set, Total { loss, scores, labels, weights });
    (total, weights.iter().map(|&weight| weight as f64).sum())
}

struct Total<'a> {
    loss: Loss,
    scores: &'a [f32],
    labels: &'a [f32],
    weights: &'a [f32],
}

impl Job for Total<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) -> f64 {
        with_loss!(self.loss, loss => self.of::<I::V>(loss), own => {
            let mut total = 0.0;
            for ((&z, &y), &weight) in pairs(pairs(self.scores, self.labels), self.weights) {
                total += weight as f64 * (own.value)(z, y) as f64;
            }
            total
        })
    }
}

impl Total<'_> {
    #[inline(always)]
    fn of<V: Vector>(&self, loss: impl Objective) -> f64 {
        let mut total = 0.0;
        for ((scores, labels), weights) in pairs(pairs(self.scores.chunks(4096), self.labels.chunks(4096)), self.weights.chunks(4096)) {
            let (scores, last_scores) = scores.as_chunks();
            let (labels, last_labels) = labels.as_chunks();
            let (weights, last_weights) = weights.as_chunks();
            let mut sums = V::of(0.0);
            for ((z, y), weight) in pairs(pairs(scores, labels), weights) {
                sums = loss.value(V::load(z), V::load(y)).mul_add(V::load(weight), sums);
            }
            let mut sum = sums.sum();
            for ((&z, &y), &weight) in pairs(pairs(last_scores, last_labels), last_weights) {
                sum += weight * loss.value(z, y);
            }
            total += sum as f64;
        }
        total
    }
}
