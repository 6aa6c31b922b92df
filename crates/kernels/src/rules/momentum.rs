//! Momentum (Polyak 1964; Qian, "On the momentum term in gradient descent learning algorithms", 1999): `v <- mu v + g`,
//! `w <- w - rate v`.
//!
//! On sparse data the velocity of a feature moves, and is applied, when the feature occurs. With `catch-up` a weight that is read
//! first makes up for the `k` steps since it occurred, at which the dense rule would have gone on with gradient 0: `w <- w - rate v
//! (mu + ... + mu^k)`, `v <- mu^k v`, a geometric sum, at the present rate. That is the dense rule exactly, but for a rate that changed meanwhile.
use super::{
    Clock, UpdateRule,
    shared::{NEARLY_ONE, by_square, remembered, steps_between},
};
use crate::simd::{Real, math::exp};
use bytemuck::{Pod, Zeroable};
use hogwild_base::Hyperparameter;

/// Momentum with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Momentum {
    /// `mu`, from 0 to below 1.
    pub momentum: f32,
    /// Whether weights make up for the steps at which their feature did not occur.
    pub catch_up: bool,
}

impl Momentum {
    /// `mu` of 0.9, lazy.
    pub const DEFAULT: Momentum = Momentum { momentum: 0.9, catch_up: false };
}

/// What a step of momentum needs.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct MomentumStep {
    pub(crate) rate: f32,
    /// The step's number, as it is remembered beside weights.
    pub(crate) now: f32,
    /// `ln mu`.
    logarithm: f32,
    /// `mu / (1 - mu)`.
    tail: f32,
}

impl Momentum {
    #[inline(always)]
    pub(crate) fn step_at(&self, clock: &Clock) -> MomentumStep {
        let (mu, now) = (self.momentum, remembered(clock.step));
        // Of mu = 0 nothing remains after one step; a large negative logarithm says so.
        let logarithm = if self.catch_up { mu.max(1e-30).ln() } else { 0.0 };
        MomentumStep { rate: clock.rate, now, logarithm, tail: mu / (1.0 - mu) }
    }

    /// Weight and velocity after the steps since the remembered one, each taking `rate * share` of the velocity.
    #[inline(always)]
    pub(crate) fn caught_up<V: Real>(&self, step: &MomentumStep, share: f32, w: V, &[v, last]: &[V; 2]) -> (V, V) {
        let fallen = exp(steps_between(last, step.now) * V::of(step.logarithm));
        (V::of(-step.rate * share * step.tail).mul_add(v * (V::of(1.0) - fallen), w), v * fallen)
    }
}

impl UpdateRule for Momentum {
    /// Velocity, and the step at which it last moved.
    type State<V: Real> = [V; 2];
    type Step = MomentumStep;
    type Memory = ();

    #[inline(always)]
    fn reads(&self) -> bool {
        self.catch_up
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![Hyperparameter::new("momentum", &mut self.momentum, 0.0, NEARLY_ONE), Hyperparameter::flag("catch-up", &mut self.catch_up)]
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_square(0.025, mean_square)
    }

    fn initial(&self) -> [f32; 2] {
        [0.0; 2]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> MomentumStep {
        self.step_at(clock)
    }

    #[inline(always)]
    fn read<V: Real>(&self, step: &MomentumStep, w: V, state: &[V; 2]) -> V {
        if self.catch_up { self.caught_up(step, 1.0, w, state).0 } else { w }
    }

    #[inline(always)]
    fn step<V: Real>(&self, step: &MomentumStep, w: V, g: V, state: &mut [V; 2]) -> V {
        let (w, v) = if self.catch_up { self.caught_up(step, 1.0, w, state) } else { (w, state[0]) };
        *state = [V::of(self.momentum).mul_add(v, g), V::of(step.now)];
        V::of(-step.rate).mul_add(state[0], w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catching_up_equals_steps_with_gradient_zero() {
        let (lazy, dense) = (Momentum { catch_up: true, ..Momentum::DEFAULT }, Momentum::DEFAULT);
        let at = |rule: &Momentum, step| rule.prepare(&Clock { rate: 0.1, step, steps: 99 }, &());
        let (mut state, mut dense_state) = ([0.0; 2], [0.0; 2]);
        let mut w = lazy.step(&at(&lazy, 1), 1.0f32, 0.5, &mut state);
        let mut dense_w = dense.step(&at(&dense, 1), 1.0f32, 0.5, &mut dense_state);
        for step in 2..=8 {
            dense_w = dense.step(&at(&dense, step), dense_w, if step == 8 { -0.3 } else { 0.0 }, &mut dense_state);
        }
        w = lazy.step(&at(&lazy, 8), w, -0.3, &mut state);
        assert!((w - dense_w).abs() < 1e-6 && (state[0] - dense_state[0]).abs() < 1e-6, "{w} {dense_w}");
        assert_eq!(lazy.read(&at(&lazy, 9), w, &state), w);
    }
}
