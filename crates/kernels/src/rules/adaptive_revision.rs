//! AdaptiveRevision (McMahan & Streeter, "Delay-Tolerant Algorithms for Asynchronous Distributed Online Learning", NIPS 2014,
//! algorithm 3): [`Adagrad`](super::Adagrad) that takes back what it did too much of while a gradient was under way.
//!
//! Three numbers stand beside a weight: `z`, its maximum `z'`, and the sum `G` of all gradients. Let `b = G - G_read` be the gradients that
//! came in between the reading of the weight and this step:
//!
//! `z <- z + g^2 + 2 g b`, `z' <- max(z', z)`, `w <- w - eta' g + (eta - eta') b`, `G <- G + g`, where `eta = rate / sqrt(z')` before and
//! `eta'` after.
//!
//! Gradients that agree with those that they missed (`g b > 0`) shrink the rate more, and the steps taken meanwhile are revised to it. So
//! several gradients from one weight end where one step by their sum would. Without delay `b` is 0: then the rule is Adagrad without epsilon,
//! to the bit.
//!
//! The delay is what passes between score and step. Slots that a worker holds privately, and slots that are rare, have none.
use super::{Clock, UpdateRule};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// AdaptiveRevision with its setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptiveRevision {
    /// What `z` and `z'` start at, above 0.
    pub initial: f32,
}

impl AdaptiveRevision {
    /// From 1, as Adagrad here.
    pub const DEFAULT: AdaptiveRevision = AdaptiveRevision { initial: 1.0 };
}

impl Default for AdaptiveRevision {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl UpdateRule for AdaptiveRevision {
    type State<V: Real> = [V; 3];
    type Step = f32;
    type Memory = ();

    #[inline(always)]
    fn proximal(&self) -> bool {
        true
    }

    #[inline(always)]
    fn averages(&self) -> bool {
        false
    }

    #[inline(always)]
    fn revises(&self) -> bool {
        true
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![Hyperparameter::new("initial", &mut self.initial, 1e-10, 1e6)]
    }

    fn initial(&self) -> [f32; 3] {
        [self.initial, self.initial, 0.0]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> f32 {
        clock.rate
    }

    #[inline(always)]
    fn step<V: Real>(&self, rate: &f32, w: V, g: V, state: &mut [V; 3]) -> V {
        let read = *state;
        self.step_since(rate, w, g, state, &read)
    }

    #[inline(always)]
    fn step_since<V: Real>(&self, rate: &f32, w: V, g: V, state: &mut [V; 3], read: &[V; 3]) -> V {
        let (two_g, back) = (V::of(2.0) * g, state[2] - read[2]);
        let z = g.mul_add(g, two_g.mul_add(back, state[0]));
        revised(*rate, w, g, back, z, state)
    }

    #[inline(always)]
    fn step_summed<V: Real>(&self, rate: &f32, w: V, g: V, squares: V, state: &mut [V; 3], read: &[V; 3]) -> V {
        let (two_g, back) = (V::of(2.0) * g, state[2] - read[2]);
        let z = squares + two_g.mul_add(back, state[0]);
        revised(*rate, w, g, back, z, state)
    }

    #[inline(always)]
    fn rate<V: Real>(&self, &rate: &f32, [_, most, _]: &[V; 3]) -> V {
        V::of(rate) / most.sqrt()
    }
}

/// The step, where `z` is known and `back` came in since the weight was read.
#[inline(always)]
fn revised<V: Real>(rate: f32, w: V, g: V, back: V, new_z: V, [z, most, sum]: &mut [V; 3]) -> V {
    let before = V::of(rate) / most.sqrt();
    *z = new_z;
    *most = most.max(*z);
    let after = V::of(rate) / most.sqrt();
    *sum = *sum + g;
    (-after).mul_add(g, (before - after).mul_add(back, w))
}

#[cfg(test)]
mod tests {
    use super::{super::Adagrad, *};

    #[test]
    fn without_delay_it_is_adagrad_to_the_bit() {
        for initial in [1.0, 0.25] {
            let (rule, adagrad) = (AdaptiveRevision { initial }, Adagrad { initial, epsilon: 0.0 });
            let (mut state, mut sums, mut w, mut theirs) = (rule.initial(), adagrad.initial(), 0.5f32, 0.5f32);
            for t in 0..1000 {
                let g = (t as f32 * 0.7).sin() * 3.0 - w;
                w = rule.step(&0.3, w, g, &mut state);
                theirs = adagrad.step(&0.3, theirs, g, &mut sums);
                assert_eq!((w.to_bits(), state[0].to_bits(), state[1].to_bits()), (theirs.to_bits(), sums[0].to_bits(), sums[0].to_bits()));
                assert_eq!(rule.rate(&0.3, &state), adagrad.rate(&0.3, &sums));
            }
        }
    }

    /// The same gradient from the same weight, n times: the weight goes where one step by their sum would have taken it.
    #[test]
    fn gradients_of_one_weight_end_as_their_sum_in_one_step() {
        let (rule, g, n) = (AdaptiveRevision::DEFAULT, 0.8f32, 7);
        let read = rule.initial();
        let (mut state, mut w) = (read, 0.0f32);
        for _ in 0..n {
            w = rule.step_since(&0.3, w, g, &mut state, &read);
        }
        let sum = n as f32 * g;
        let at_once = rule.step(&0.3, 0.0, sum, &mut rule.initial());
        assert!((w - at_once).abs() < 1e-6, "{w} {at_once}");
        assert!((state[0] - (1.0 + sum * sum)).abs() < 1e-4 && state[2] == (0..n).fold(0.0, |sum, _| sum + g), "{state:?}");
    }

    #[test]
    fn the_rate_never_rises_when_gradients_turn() {
        let rule = AdaptiveRevision::DEFAULT;
        let (read, mut state) = (rule.initial(), rule.initial());
        let mut before = rule.rate(&0.3, &state);
        for g in [1.0f32, 2.0, -3.0, -1.0, 0.5] {
            rule.step_since(&0.3, 0.0, g, &mut state, &read);
            let now = rule.rate(&0.3, &state);
            assert!(now <= before && state[1] >= state[0], "{g}: {state:?}");
            before = now;
        }
        assert!(state[0] < state[1], "a turn takes z below its maximum: {state:?}");
    }
}
