//! Nadam (Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016): [`Adam`] whose step looks one step of momentum
//! ahead: `w <- w - rate [mu_(t+1) m / (1 - P_(t+1)) + (1 - mu_t) g / (1 - P_t)] / (sqrt(v') + epsilon)`, `P_t = mu_1 ... mu_t`,
//! with the warm-up `mu_t = b1 (1 - 0.96^(t momentum-decay) / 2)`, or `mu_t = b1` where `momentum-decay` is 0.
//!
//! On sparse data the averages move when the feature occurs; warm-up and corrections go by the global step.
use super::{
    Adam, Clock, UpdateRule,
    shared::{average, by_length},
};
use crate::simd::Real;
use bytemuck::{Pod, Zeroable};
use hogwild_base::Hyperparameter;

/// Nadam with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nadam {
    /// Adam's settings.
    pub adam: Adam,
    /// Of the warm-up of momentum, 0 or more.
    pub momentum_decay: f32,
}

impl Nadam {
    /// Adam's, and 0.004, Dozat's and PyTorch's.
    pub const DEFAULT: Nadam = Nadam { adam: Adam::DEFAULT, momentum_decay: 4e-3 };

    fn momentum(&self, t: u64) -> f64 {
        let beta = self.adam.beta1 as f64;
        if self.momentum_decay == 0.0 { beta } else { beta * (1.0 - 0.5 * 0.96f64.powf(t as f64 * self.momentum_decay as f64)) }
    }
}

/// What a step of Nadam needs.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct NadamStep {
    of_average: f32,
    of_gradient: f32,
    scale: f32,
}

impl UpdateRule for Nadam {
    type State<V: Real> = [V; 2];
    type Step = NadamStep;
    type Memory = ();

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        let mut hyperparameters = self.adam.hyperparameters();
        hyperparameters.push(Hyperparameter::new("momentum-decay", &mut self.momentum_decay, 0.0, 1e3));
        hyperparameters
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_length(0.007, mean_square)
    }

    fn initial(&self) -> [f32; 2] {
        [0.0; 2]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> NadamStep {
        let rate = clock.rate as f64;
        let (now, next) = (self.momentum(clock.step), self.momentum(clock.step + 1));
        // The product is below 2^-25, and so nothing, once beta1^t is.
        let mut product = 0.0;
        if clock.step as f64 * (1.0 - self.adam.beta1 as f64) <= 17.4 {
            product = (1..=clock.step).map(|t| self.momentum(t)).product();
        }
        let (of_average, of_gradient) = (rate * next / (1.0 - product * next), rate * (1.0 - now) / (1.0 - product));
        NadamStep { of_average: of_average as f32, of_gradient: of_gradient as f32, scale: self.adam.step_at(clock).scale }
    }

    #[inline(always)]
    fn step<V: Real>(&self, step: &NadamStep, w: V, g: V, [m, v]: &mut [V; 2]) -> V {
        *m = average(self.adam.beta1, *m, g);
        *v = average(self.adam.beta2, *v, g * g);
        let root = v.sqrt().mul_add(V::of(step.scale), V::of(self.adam.epsilon));
        w - V::of(step.of_average).mul_add(*m, V::of(step.of_gradient) * g) / root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_momentum_it_is_adam_without_momentum() {
        let adam = Adam { beta1: 0.0, ..Adam::DEFAULT };
        let nadam = Nadam { adam, momentum_decay: 0.0 };
        let (mut of_adam, mut of_nadam) = (([0.0f32; 2], 0.0), ([0.0f32; 2], 0.0));
        for (step, g) in [(1, 1.0), (2, -2.0), (3, 0.5)] {
            let clock = Clock { rate: 0.1, step, steps: 3 };
            of_adam.1 = adam.step(&adam.prepare(&clock, &()), of_adam.1, g, &mut of_adam.0);
            of_nadam.1 = nadam.step(&nadam.prepare(&clock, &()), of_nadam.1, g, &mut of_nadam.0);
            assert!((of_adam.1 - of_nadam.1).abs() < 1e-6);
        }
    }
}
