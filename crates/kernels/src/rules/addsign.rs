//! AddSign (Bello, Zoph, Vasudevan & Le, "Neural optimizer search with reinforcement learning", ICML 2017): `m <- b m + (1-b) g`,
//! `w <- w - rate (1 + f(t) sign(g) sign(m)) g`: twice the step where gradient and average agree, none where not.
//!
//! On sparse data as [`PowerSign`], whose settings it shares.
use super::{
    Clock, PowerSign, UpdateRule,
    shared::{average, by_signs, by_square, internal_decay},
};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// AddSign; the settings are PowerSign's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AddSign(pub PowerSign);

impl AddSign {
    /// PowerSign's.
    pub const DEFAULT: AddSign = AddSign(PowerSign::DEFAULT);
}

impl UpdateRule for AddSign {
    type State<V: Real> = [V; 1];
    /// Rates where the signs agree, where they differ, and where one is 0.
    type Step = [f32; 3];
    type Memory = ();

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        self.0.hyperparameters()
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_square(0.1, mean_square)
    }

    fn initial(&self) -> [f32; 1] {
        [0.0]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> [f32; 3] {
        let f = internal_decay(self.0.internal_decay, clock.step, clock.steps);
        let of = |more: f64| (clock.rate as f64 * (1.0 + more)) as f32;
        [of(f), of(-f), of(0.0)]
    }

    #[inline(always)]
    fn step<V: Real>(&self, &rates: &[f32; 3], w: V, g: V, [m]: &mut [V; 1]) -> V {
        *m = average(self.0.beta1, *m, g);
        let [same, different, neither] = [V::of(-rates[0]), V::of(-rates[1]), V::of(-rates[2])];
        by_signs(g, *m, same, different, neither).mul_add(g, w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreeing_signs_double_the_step_and_differing_ones_end_it() {
        let step = AddSign::DEFAULT.prepare(&Clock { rate: 1.0, step: 1, steps: 1 }, &());
        assert_eq!(AddSign::DEFAULT.step(&step, 0.0f32, 2.0, &mut [0.0]), -4.0);
        assert_eq!(AddSign::DEFAULT.step(&step, 0.0f32, 2.0, &mut [-10.0]), 0.0);
    }
}
