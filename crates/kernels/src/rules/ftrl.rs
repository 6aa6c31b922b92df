//! FTRL-Proximal (McMahan et al., "Ad click prediction: a view from the trenches", KDD 2013, algorithm 1), with L1 and L2 of its own:
//! `s = (sqrt(n + g^2) - sqrt(n)) / rate`, `z <- z + g - s w`, `n <- n + g^2`; `w = 0` where `|z| <= l1`, else
//! `w = -(z - sign(z) l1) / ((beta + sqrt(n)) / rate + l2)`.
//!
//! Weights that the evidence does not carry are exactly 0, in training and in the saved model. `l1` and `l2` are of the sum over the examples, as in
//! the paper, not of their mean. On sparse data nothing is lost: without a gradient nothing moves. With both 0 it is Adagrad with
//! `beta` for epsilon.
use super::{Clock, UpdateRule, shared::by_square};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// FTRL-Proximal with its settings; the paper's alpha is the learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ftrl {
    /// Beside the root, 0 or more.
    pub beta: f32,
    /// Lambda 1, 0 or more.
    pub l1: f32,
    /// Lambda 2, 0 or more.
    pub l2: f32,
}

impl Ftrl {
    /// Beta 1 (the paper's), no L1 and L2.
    pub const DEFAULT: Ftrl = Ftrl { beta: 1.0, l1: 0.0, l2: 0.0 };

    #[inline(always)]
    fn solve<V: Real>(&self, rate: f32, z: V, root: V) -> V {
        let (l1, zero) = (V::of(self.l1), V::of(0.0));
        let beyond = zero.max(z.abs() - l1);
        let divisor = (V::of(self.beta) + root) / V::of(rate) + V::of(self.l2);
        // A divisor of 0 is of no evidence at all: beyond is 0 then.
        zero.less(beyond, z.less(zero, beyond, -beyond) / divisor, zero)
    }
}

impl UpdateRule for Ftrl {
    /// `z` and `n`.
    type State<V: Real> = [V; 2];
    type Step = f32;
    type Memory = ();

    #[inline(always)]
    fn averages(&self) -> bool {
        false
    }

    /// Weights are worked out from sums at one rate.
    #[inline(always)]
    fn schedules(&self) -> bool {
        false
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![
            Hyperparameter::new("beta", &mut self.beta, 0.0, 1e6),
            Hyperparameter::new("ftrl-l1", &mut self.l1, 0.0, 1e9),
            Hyperparameter::new("ftrl-l2", &mut self.l2, 0.0, 1e9),
        ]
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_square(1.0, mean_square)
    }

    fn initial(&self) -> [f32; 2] {
        [0.0; 2]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> f32 {
        clock.rate
    }

    #[inline(always)]
    fn solves(&self) -> bool {
        true
    }

    /// By the sums of all workers. Where nothing was summed (factors that did not occur) the weight stays as it was.
    fn finish(&self, &rate: &f32, w: f32, &[z, n]: &[f32; 2]) -> f32 {
        if n > 0.0 && rate > 0.0 { self.solve(rate, z, n.sqrt()) } else { w }
    }

    #[inline(always)]
    fn step<V: Real>(&self, &rate: &f32, w: V, g: V, [z, n]: &mut [V; 2]) -> V {
        let before = n.sqrt();
        *n = g.mul_add(g, *n);
        let root = n.sqrt();
        *z = *z + g - (root - before) / V::of(rate) * w;
        self.solve(rate, *z, root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_evidence_leaves_an_exact_zero() {
        let rule = Ftrl { l1: 1.0, ..Ftrl::DEFAULT };
        let mut state = [0.0f32; 2];
        assert_eq!(rule.step(&0.5, 0.0, 0.9, &mut state), 0.0);
        let expected = -(1.3f32 - 1.0) / ((1.0 + (0.81f32 + 0.16).sqrt()) / 0.5);
        assert!((rule.step(&0.5, 0.0, 0.4, &mut state) - expected).abs() < 1e-6);
    }
}
