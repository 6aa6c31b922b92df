//! YellowFin (Zhang, Mitliagkas & Ré, "YellowFin and the art of momentum tuning", arXiv 1706.03471, 2017): momentum whose `mu` and rate follow
//! from running statistics of the gradients: `v <- mu v - rate g`, `w <- w + v`.
//!
//! With `E` an exponential average corrected for its start: the range of curvatures, `h = |g|^2`, over a window, averaged in logarithms;
//! the variance `C = E(h) - |E(g)|^2`; the distance to the optimum `D = E(E(|g|) / E(h))`. `mu` and rate minimise the expected distance after a
//! step (SingleStep, section 3): `x^2 D^2 + (1-x)^4 C / h_min^2` over `x = sqrt(mu)`, with `mu` at least what the range asks for;
//! `rate = (1 - sqrt(mu))^2 / h_min`, times `lr`, a plain factor, and times a slow start over ten windows.
//!
//! On sparse data velocity and average gradient of a weight move when its feature occurs. Each worker tunes by the examples that it
//! sees, one example behind.
use super::{
    Clock, UpdateRule,
    shared::{NEARLY_ONE, average},
};
use crate::simd::Real;
use bytemuck::{Pod, Zeroable};
use hogwild_base::Hyperparameter;

/// YellowFin with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct YellowFin {
    /// Of all averages, from 0 to below 1.
    pub decay: f32,
    /// Least variance, and what is added to `h` before its logarithm, above 0.
    pub epsilon: f32,
}

impl YellowFin {
    /// 0.999 (the paper's), 1e-6.
    pub const DEFAULT: YellowFin = YellowFin { decay: 0.999, epsilon: 1e-6 };
}

/// Examples that the range of curvatures is taken over.
const WINDOW: usize = 20;

/// What a worker has seen of the gradients, and what it made of it.
#[derive(Clone, Debug)]
pub struct Tuner {
    window: [f64; WINDOW],
    seen: u64,
    /// `decay^seen`.
    power: f64,
    /// Least and greatest `h` of the window, and their logarithms, which seldom change.
    extremes: [(f64, f64); 2],
    /// Averages, not corrected: ln least h, ln greatest h, h, |g|, distance.
    averages: [f64; 5],
    /// `|e|^2` of the average gradient, not corrected.
    mean_square: f64,
    momentum: f64,
    /// `(1 - sqrt(mu))^2 / h_min`.
    rate: f64,
}

impl Default for Tuner {
    fn default() -> Tuner {
        Tuner {
            window: [0.0; WINDOW],
            seen: 0,
            power: 1.0,
            extremes: [(f64::NAN, 0.0); 2],
            averages: [0.0; 5],
            mean_square: 0.0,
            momentum: 0.0,
            rate: 1.0,
        }
    }
}

/// What a step of YellowFin needs.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct YellowFinStep {
    momentum: f32,
    rate: f32,
}

impl UpdateRule for YellowFin {
    /// Velocity and average gradient.
    type State<V: Real> = [V; 2];
    type Step = YellowFinStep;
    type Memory = Tuner;

    #[inline(always)]
    fn learns(&self) -> bool {
        true
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![Hyperparameter::new("decay", &mut self.decay, 0.0, NEARLY_ONE), Hyperparameter::new("epsilon", &mut self.epsilon, 1e-30, 1.0)]
    }

    fn default_rate(&self, _mean_square: f32) -> f32 {
        0.005
    }

    fn initial(&self) -> [f32; 2] {
        [0.0; 2]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, tuner: &Tuner) -> YellowFinStep {
        let slow_start = (clock.step as f64 / (10 * WINDOW) as f64).min(1.0);
        YellowFinStep { momentum: tuner.momentum as f32, rate: (clock.rate as f64 * slow_start * tuner.rate) as f32 }
    }

    #[inline(always)]
    fn step<V: Real>(&self, step: &YellowFinStep, w: V, g: V, [velocity, mean]: &mut [V; 2]) -> V {
        *mean = average(self.decay, *mean, g);
        *velocity = V::of(step.momentum).mul_add(*velocity, V::of(-step.rate) * g);
        w + *velocity
    }

    #[inline(always)]
    fn observe<V: Real>(&self, g: V, before: &[V; 2], after: &[V; 2]) -> [V; 2] {
        [g * g, (after[1] - before[1]) * (after[1] + before[1])]
    }

    fn learn(&self, tuner: &mut Tuner, [square, change]: [f32; 2]) {
        let (beta, epsilon, h) = (self.decay as f64, self.epsilon as f64, square as f64);
        tuner.window[tuner.seen as usize % WINDOW] = h;
        tuner.seen += 1;
        tuner.mean_square += change as f64;
        tuner.power *= beta;
        let correction = 1.0 - tuner.power;
        let window = &tuner.window[..WINDOW.min(tuner.seen as usize)];
        let least = window.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = window.iter().copied().fold(0.0, f64::max);
        for (known, now) in tuner.extremes.iter_mut().zip([least, greatest]) {
            if known.0 != now {
                *known = (now, (now + epsilon).ln());
            }
        }
        let logs = tuner.extremes.map(|(_, log)| log);
        let mut number = 0;
        let mut averaged = |x: f64| {
            let average = &mut tuner.averages[number];
            *average = beta * *average + (1.0 - beta) * x;
            number += 1;
            *average / correction
        };
        let h_min = averaged(logs[0]).exp();
        let h_max = averaged(logs[1]).exp();
        let mean_h = averaged(h);
        let mean_length = averaged(h.sqrt());
        let distance = averaged(mean_length / (mean_h + epsilon));
        let variance = (mean_h - tuner.mean_square / (correction * correction)).max(epsilon);
        let root = least_root(distance * distance * h_min * h_min / (2.0 * variance));
        let range = (h_max / h_min).sqrt();
        tuner.momentum = (root * root).max(((range - 1.0) / (range + 1.0)).powi(2));
        tuner.rate = (1.0 - tuner.momentum.sqrt()).powi(2) / h_min;
    }
}

/// The root of `(1 - x)^3 = p x` between 0 and 1, by Cardano's formula for `y^3 + p y - p = 0`, `y = 1 - x`.
fn least_root(p: f64) -> f64 {
    let s = (p * p / 4.0 + p * p * p / 27.0).sqrt();
    // The two cube roots have the product -p/3; the first sum does not cancel.
    let u = (p / 2.0 + s).cbrt();
    if u > 0.0 { (1.0 - (u - p / (3.0 * u))).clamp(0.0, 1.0 - 1e-9) } else { 1.0 - 1e-9 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_solves_its_equation() {
        for p in [1e-12, 1e-3, 0.5, 1.0, 30.0, 1e4] {
            let x = least_root(p);
            assert!(((1.0 - x).powi(3) - p * x).abs() < 1e-6 * p.max(1e-6), "{p}: {x}");
        }
        assert!(least_root(0.0) < 1.0);
    }

    #[test]
    fn a_wide_range_of_curvatures_asks_for_much_momentum() {
        let momentum = |greatest: f32| {
            let mut tuner = Tuner::default();
            (0..100).for_each(|i| YellowFin::DEFAULT.learn(&mut tuner, [if i % 2 == 0 { 1.0 } else { greatest }, 0.0]));
            tuner.momentum
        };
        // ((sqrt(r) - 1) / (sqrt(r) + 1))^2 at least, r near 10^4.
        assert!(momentum(1.0) < 0.5 && momentum(1e4) > 0.9, "{} {}", momentum(1.0), momentum(1e4));
    }
}
