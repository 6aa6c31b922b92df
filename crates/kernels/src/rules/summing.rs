//! Adagrad that sums its gradients in the slot: of a replica that pushes them to parameter servers.
//!
//! A slot is `[w, s, G, s at the last push]`. `G` is the sum of the gradients since the last push. That of their squares is what `s` has
//! grown by. So a step moves one row of sixteen bytes, where sums beside would take a second gathering and a second scattering of two
//! numbers each: with those an epoch of imdb_1gram took 1.6 times as long as Hogwild!'s, before anything was pushed.
use super::{Adagrad, Clock, Layout, UpdateRule};
use crate::simd::Real;

/// See above. Its steps are Adagrad's to the bit.
#[derive(Clone, Copy)]
pub(crate) struct Summing(pub Adagrad);

impl UpdateRule for Summing {
    type State<V: Real> = [V; 3];
    type Step = f32;
    type Memory = ();

    fn layout(&self) -> Layout {
        Layout { sums: true, ..Layout::of_state(self) }
    }

    #[inline(always)]
    fn averages(&self) -> bool {
        false
    }

    fn initial(&self) -> [f32; 3] {
        [self.0.initial, 0.0, self.0.initial]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, memory: &()) -> f32 {
        self.0.prepare(clock, memory)
    }

    #[inline(always)]
    fn step<V: Real>(&self, rate: &f32, w: V, g: V, state: &mut [V; 3]) -> V {
        state[1] = state[1] + g;
        let mut squares = [state[0]];
        let w = self.0.step(rate, w, g, &mut squares);
        state[0] = squares[0];
        w
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_the_sums_of_gradients_and_squares() {
        let (rule, adagrad) = (Summing(Adagrad::DEFAULT), Adagrad::DEFAULT);
        let (mut sums, mut plain) = ((0.5f32, rule.initial()), (0.5f32, adagrad.initial()));
        for g in [0.5, -2.0, 0.25] {
            sums.0 = rule.step(&0.1, sums.0, g, &mut sums.1);
            plain.0 = adagrad.step(&0.1, plain.0, g, &mut plain.1);
        }
        let (w, [squares, gradients, before]) = sums;
        assert_eq!((w, squares, gradients, before, squares - before), (plain.0, plain.1[0], -1.25, 1.0, 4.3125));
        assert!(Layout::of(&rule).sums && Layout::of(&rule).stride() == 4);
    }
}
