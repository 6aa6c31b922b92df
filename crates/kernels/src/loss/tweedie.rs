//! Tweedie loss, of amounts that are often 0, as claims of an insurance: with `m = e^z`, `m^(2-p) / (2-p) - y m^(1-p) / (1-p)`, the negative
//! log-likelihood of a Tweedie distribution of mean `m` and variance `m^p` but for constants (Jorgensen 1987). Between Poisson (`p` = 1) and
//! gamma (`p` = 2).
//!
//! Labels are numbers from 0 up, and stay as they are; the score goes through the log link to the mean.
use super::{
    Labels, Meaning, Objective,
    poisson::{MEAN_BY_LOGARITHM, exp_or_line, log_of_mean, slope_of_exp},
};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// The mean of amounts from 0 up, by its logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tweedie {
    /// By which power of the mean the variance grows, above 1 and below 2.
    pub power: f32,
}

impl Tweedie {
    /// Midway.
    pub const DEFAULT: Tweedie = Tweedie { power: 1.5 };
}

impl Objective for Tweedie {
    fn meaning(&self) -> Meaning {
        MEAN_BY_LOGARITHM
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![Hyperparameter::new("power", &mut self.power, 1.01, 1.99)]
    }

    #[inline(always)]
    fn value<V: Real>(&self, z: V, y: V) -> V {
        let (one, two) = (1.0 - self.power, 2.0 - self.power);
        exp_or_line(V::of(two) * z) * V::of(1.0 / two) - y * exp_or_line(V::of(one) * z) * V::of(1.0 / one)
    }

    #[inline(always)]
    fn slope(&self, z: f32, y: f32) -> f32 {
        slope_of_exp((2.0 - self.power) * z) - y * slope_of_exp((1.0 - self.power) * z)
    }

    fn deviance(&self, z: f64, y: f64) -> f64 {
        let (one, two) = (1.0 - self.power as f64, 2.0 - self.power as f64);
        let best = if y > 0.0 { y.powf(two) * (1.0 / two - 1.0 / one) } else { 0.0 };
        2.0 * ((two * z).exp() / two - y * (one * z).exp() / one - best)
    }

    fn best_constant(&self, labels: &Labels<'_>) -> f32 {
        log_of_mean(labels)
    }
}
