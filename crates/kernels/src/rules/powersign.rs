//! PowerSign (Bello, Zoph, Vasudevan & Le, "Neural optimizer search with reinforcement learning", ICML 2017): `m <- b m + (1-b) g`,
//! `w <- w - rate e^(f(t) sign(g) sign(m)) g`: longer where gradient and average agree, shorter where not.
//!
//! On sparse data the average moves when the feature occurs; `f(t)` is 1, or falls to 0 over the run (`internal-decay`).
use super::{
    Clock, UpdateRule,
    shared::{INTERNAL_DECAYS, NEARLY_ONE, average, by_signs, by_square, internal_decay},
};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// PowerSign with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerSign {
    /// Of the gradients' average, from 0 to below 1.
    pub beta1: f32,
    /// How `f` falls: 0 not at all, 1 linearly, 2 by a cosine.
    pub internal_decay: usize,
}

impl PowerSign {
    /// 0.9, no decay.
    pub const DEFAULT: PowerSign = PowerSign { beta1: 0.9, internal_decay: 0 };
}

impl UpdateRule for PowerSign {
    type State<V: Real> = [V; 1];
    /// Rates where the signs agree, where they differ, and where one is 0.
    type Step = [f32; 3];
    type Memory = ();

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![
            Hyperparameter::new("beta1", &mut self.beta1, 0.0, NEARLY_ONE),
            Hyperparameter::choice("internal-decay", &mut self.internal_decay, &INTERNAL_DECAYS),
        ]
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_square(0.1, mean_square)
    }

    fn initial(&self) -> [f32; 1] {
        [0.0]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> [f32; 3] {
        use std::f64::consts::E;
        let factor = match internal_decay(self.internal_decay, clock.step, clock.steps) {
            1.0 => E, // always so without decay: no exponential an example
            f => f.exp(),
        };
        let of = |factor: f64| (clock.rate as f64 * factor) as f32;
        [of(factor), of(1.0 / factor), of(1.0)]
    }

    #[inline(always)]
    fn step<V: Real>(&self, &rates: &[f32; 3], w: V, g: V, [m]: &mut [V; 1]) -> V {
        *m = average(self.beta1, *m, g);
        let [same, different, neither] = [V::of(-rates[0]), V::of(-rates[1]), V::of(-rates[2])];
        by_signs(g, *m, same, different, neither).mul_add(g, w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreeing_signs_lengthen_the_step_by_e() {
        let step = PowerSign::DEFAULT.prepare(&Clock { rate: 1.0, step: 1, steps: 1 }, &());
        let e = std::f32::consts::E;
        assert!((PowerSign::DEFAULT.step(&step, 0.0f32, 2.0, &mut [0.0]) + 2.0 * e).abs() < 1e-5);
        assert!((PowerSign::DEFAULT.step(&step, 0.0f32, 2.0, &mut [-10.0]) + 2.0 / e).abs() < 1e-5);
    }
}
