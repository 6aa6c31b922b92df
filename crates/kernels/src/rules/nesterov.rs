//! Nesterov's accelerated gradient (1983), in the form of Sutskever et al. 2013 with the look-ahead point as the stored weight (as
//! in PyTorch): `v <- mu v + g`, `w <- w - rate (g + mu v)`.
//!
//! The stored weight is where the next gradient is taken: `w = theta - rate mu v` of the usual `theta`. On sparse data and with
//! `catch-up` as [`Momentum`], whose steps without gradient it shares, each with the share `mu` of the velocity.
use super::{Clock, Momentum, UpdateRule, momentum::MomentumStep, shared::by_square};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// Nesterov's accelerated gradient; the settings are momentum's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nesterov(pub Momentum);

impl Nesterov {
    /// `mu` of 0.9, lazy.
    pub const DEFAULT: Nesterov = Nesterov(Momentum::DEFAULT);
}

impl UpdateRule for Nesterov {
    /// Velocity, and the step at which it last moved.
    type State<V: Real> = [V; 2];
    type Step = MomentumStep;
    type Memory = ();

    #[inline(always)]
    fn reads(&self) -> bool {
        self.0.catch_up
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        self.0.hyperparameters()
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_square(0.025, mean_square)
    }

    fn initial(&self) -> [f32; 2] {
        [0.0; 2]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> MomentumStep {
        self.0.step_at(clock)
    }

    #[inline(always)]
    fn read<V: Real>(&self, step: &MomentumStep, w: V, state: &[V; 2]) -> V {
        if self.0.catch_up { self.0.caught_up(step, self.0.momentum, w, state).0 } else { w }
    }

    #[inline(always)]
    fn step<V: Real>(&self, step: &MomentumStep, w: V, g: V, state: &mut [V; 2]) -> V {
        let (w, v) = if self.0.catch_up { self.0.caught_up(step, self.0.momentum, w, state) } else { (w, state[0]) };
        let mu = V::of(self.0.momentum);
        *state = [mu.mul_add(v, g), V::of(step.now)];
        V::of(-step.rate).mul_add(mu.mul_add(state[0], g), w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_goes_by_one_and_mu() {
        let rule = Nesterov::DEFAULT;
        let w = rule.step(&rule.prepare(&Clock { rate: 0.1, step: 1, steps: 1 }, &()), 0.0f32, 1.0, &mut [0.0; 2]);
        assert!((w + 0.19).abs() < 1e-6);
    }
}
