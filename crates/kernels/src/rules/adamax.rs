//! AdaMax (Kingma & Ba, ICLR 2015, algorithm 2): [`Adam`] with the greatest gradient, decaying, for the root of the squares' average:
//! `m <- b1 m + (1-b1) g`, `u <- max(b2 u, |g| + epsilon)`, `w <- w - rate / (1 - b1^t) m / u`.
//!
//! On sparse data both move when the feature occurs. Epsilon stands inside the maximum, as in PyTorch.
use super::{
    Adam, Clock, UpdateRule,
    shared::{average, bias_correction, by_square},
};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// AdaMax; the settings are Adam's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adamax(pub Adam);

impl Adamax {
    /// Adam's.
    pub const DEFAULT: Adamax = Adamax(Adam::DEFAULT);
}

impl UpdateRule for Adamax {
    type State<V: Real> = [V; 2];
    type Step = f32;
    type Memory = ();

    #[inline(always)]
    fn proximal(&self) -> bool {
        true
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        self.0.hyperparameters()
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_square(0.07, mean_square)
    }

    fn initial(&self) -> [f32; 2] {
        [0.0; 2]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> f32 {
        clock.rate / bias_correction(self.0.beta1, clock.step)
    }

    #[inline(always)]
    fn step<V: Real>(&self, &rate: &f32, w: V, g: V, [m, u]: &mut [V; 2]) -> V {
        *m = average(self.0.beta1, *m, g);
        *u = (V::of(self.0.beta2) * *u).max(g.abs() + V::of(self.0.epsilon));
        (V::of(-rate) / *u).mul_add(*m, w)
    }

    #[inline(always)]
    fn rate<V: Real>(&self, &rate: &f32, [_, u]: &[V; 2]) -> V {
        V::of(rate) / *u
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_is_longer_than_the_rate() {
        let (mut w, mut state) = (0.0f32, [0.0; 2]);
        for (t, g) in [1.0, -3.0, 0.01, 5.0].into_iter().enumerate() {
            let step = Adamax::DEFAULT.prepare(&Clock { rate: 0.1, step: t as u64 + 1, steps: 4 }, &());
            let now = Adamax::DEFAULT.step(&step, w, g, &mut state);
            assert!((now - w).abs() < 0.1001, "{w} {now}");
            w = now;
        }
    }
}
