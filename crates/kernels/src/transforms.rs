//! What may stand between a gradient and any update rule: clipping, noise, L1, and the average of the weights' path.
//!
//! - Clipping by value: each number of a gradient is cut to `[-c, c]`. Clipping by norm (Pascanu, Mikolov & Bengio 2013, algorithm 1): a
//!   gradient longer than `c` is scaled to that length; it is that of the loss alone, before L2.
//! - Noise (Neelakantan et al. 2015, eq. 1): normal, of variance `eta / (1 + t)^gamma` at step `t`, on each weight that is stepped.
//! - L1: after its step a weight is drawn to 0 by `lambda` times the rate of its step, and stays there if it would cross (a proximal
//!   step: Duchi & Singer 2009; in the metric of the rule's own rates). Lambda is divided by the fraction of rows that have the
//!   feature, as for L2. Rules allow it by telling that rate: [`UpdateRule::proximal`](crate::rules::UpdateRule::proximal).
//! - Averaging (Polyak & Juditsky 1992): the model is the mean of the weights after each of the steps from `t0` to `t`. With `d_s` the
//!   change at step `s` that is `w_t - sum_s (s - 1 - t0)+ d_s / (t - t0)`: one more number a weight, written when the weight is stepped.
//!
//! All of it is done out of the inner loop's way (`cold`, so that the compiler keeps registers for the usual way), on sixteen plain
//! numbers: when off it costs a branch.
use crate::{rules::Clock, seeds::Stream, simd::LANES};
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution, StandardNormal};

/// What a run does with gradients and weights around its rule; all off by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transforms {
    /// Most absolute value of each number of a gradient, above 0.
    pub clip_value: Option<f32>,
    /// Most length of an example's gradient, above 0.
    pub clip_norm: Option<f32>,
    /// `eta` of the gradient noise, 0 or more.
    pub noise: f32,
    /// `gamma` of the gradient noise, 0 or more; 0.55 in the paper.
    pub noise_decay: f32,
    /// Lambda of L1, `lambda |w|_1` beside the mean loss, 0 or more; linear models only.
    pub l1: f64,
    /// The share of the run, from 0 to below 1, after which weights are averaged.
    pub average: Option<f32>,
}

impl Default for Transforms {
    fn default() -> Transforms {
        Transforms { clip_value: None, clip_norm: None, noise: 0.0, noise_decay: 0.55, l1: 0.0, average: None }
    }
}

impl Transforms {
    /// Whether nothing is done beside the rule.
    pub fn are_off(&self) -> bool {
        *self == Transforms { noise_decay: self.noise_decay, ..Transforms::default() }
    }

    /// The slope at which an example's gradient, of squared length `square` a unit of slope, is within the most length.
    #[inline(always)]
    pub fn clipped(&self, slope: f32, square: f32) -> f32 {
        match self.clip_norm {
            Some(most) if slope * slope * square > most * most => most / square.sqrt() * slope.signum(),
            _ => slope,
        }
    }

    /// When averaging begins, in steps taken.
    fn start(&self, steps: u64) -> Option<f64> {
        self.average.map(|share| (share as f64 * steps as f64).floor())
    }

    /// What the sums of [`Adjuster::weight_of_now`] times changes are to be taken from the weights with, before the step of the clock; none without
    /// averaging, and before it has begun.
    pub fn scale_of_average(&self, clock: &Clock) -> Option<f32> {
        let start = self.start(clock.steps)?;
        let averaged = clock.step as f64 - 1.0 - start;
        (averaged > 0.0).then(|| (clock.steps as f64 / averaged) as f32)
    }
}

/// One worker's state of the transforms.
pub struct Adjuster {
    transforms: Transforms,
    /// Whether gradients are changed at all.
    pub active: bool,
    /// Whether weights are drawn to 0 after their steps.
    pub l1: bool,
    /// Whether something goes by the step's number.
    timed: bool,
    random: Xoshiro256PlusPlus,
    /// Of the noise, at the step at hand.
    deviation: f32,
    /// `(t - 1 - t0)+ / T`: what the change of a weight at the step at hand counts in the average's sum.
    pub weight_of_now: f32,
}

impl Adjuster {
    /// `stream`: a number of its own for each worker and epoch.
    pub fn new(transforms: Transforms, seed: u64, stream: u64) -> Adjuster {
        let random = Stream::Noise { number: stream }.random(seed);
        Adjuster {
            transforms,
            active: transforms.clip_value.is_some() || transforms.noise > 0.0,
            l1: transforms.l1 > 0.0,
            timed: transforms.noise > 0.0 || transforms.average.is_some(),
            random,
            deviation: 0.0,
            weight_of_now: 0.0,
        }
    }

    /// Begins an example.
    #[inline(always)]
    pub fn begin(&mut self, clock: &Clock) {
        if self.timed {
            self.set_clock(clock);
        }
    }

    #[cold]
    #[inline(never)]
    fn set_clock(&mut self, clock: &Clock) {
        let variance = self.transforms.noise as f64 / (1.0 + clock.step as f64).powf(self.transforms.noise_decay as f64);
        self.deviation = variance.sqrt() as f32;
        let start = self.transforms.start(clock.steps).unwrap_or(0.0);
        self.weight_of_now = ((clock.step as f64 - 1.0 - start).max(0.0) / clock.steps.max(1) as f64) as f32;
    }

    /// Clips sixteen numbers of a gradient and adds noise to them.
    #[cold]
    #[inline(never)]
    pub fn adjust(&mut self, gradient: &mut [f32; LANES]) {
        for g in gradient {
            *g = self.adjusted(*g);
        }
    }

    /// The same for one number.
    pub fn adjusted(&mut self, g: f32) -> f32 {
        // A NaN stays one, so that it is found.
        let g = match self.transforms.clip_value {
            Some(most) if g.abs() > most => most.copysign(g),
            _ => g,
        };
        if self.deviation == 0.0 {
            return g;
        }
        let normal: f32 = StandardNormal.sample(&mut self.random);
        g + self.deviation * normal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_cut_by_value_and_by_norm() {
        let transforms = Transforms { clip_value: Some(0.5), clip_norm: Some(2.0), ..Transforms::default() };
        let mut adjuster = Adjuster::new(transforms, 0, 0);
        adjuster.begin(&Clock::default());
        assert_eq!([0.3, 0.7, -9.0].map(|g| adjuster.adjusted(g)), [0.3, 0.5, -0.5]);
        assert!(adjuster.adjusted(f32::NAN).is_nan());
        // |x|^2 = 16: a slope of -3 has length 12.
        assert_eq!((transforms.clipped(-3.0, 16.0), transforms.clipped(0.25, 16.0)), (-0.5, 0.25));
    }

    #[test]
    fn noise_has_the_papers_variance() {
        let mut adjuster = Adjuster::new(Transforms { noise: 0.3, ..Transforms::default() }, 1, 0);
        for step in [1, 1000] {
            adjuster.begin(&Clock { rate: 0.1, step, steps: 1000 });
            let n = 100_000;
            let square = (0..n).map(|_| adjuster.adjusted(0.0).powi(2) as f64).sum::<f64>() / n as f64;
            assert!((square / (0.3 / (1.0 + step as f64).powf(0.55)) - 1.0).abs() < 0.03);
        }
    }

    #[test]
    fn the_average_is_the_mean_of_the_path() {
        let transforms = Transforms { average: Some(0.25), ..Transforms::default() };
        let mut adjuster = Adjuster::new(transforms, 0, 0);
        let steps = 8;
        let path: Vec<f32> = (0..=steps).map(|t| ((t * 7) % 5) as f32).collect();
        let mut sum = 0.0;
        for t in 1..=steps {
            adjuster.begin(&Clock { rate: 0.1, step: t as u64, steps: steps as u64 });
            sum += adjuster.weight_of_now * (path[t] - path[t - 1]);
            let scale = transforms.scale_of_average(&Clock { rate: 0.1, step: t as u64 + 1, steps: steps as u64 });
            let mean = path[3..=t.max(3)].iter().sum::<f32>() / (t.max(3) - 2) as f32;
            match scale {
                Some(scale) => assert!((path[t] - scale * sum - mean).abs() < 1e-5, "{t}"),
                None => assert!(t <= 2),
            }
        }
    }
}
