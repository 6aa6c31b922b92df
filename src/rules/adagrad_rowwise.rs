//! Row-wise Adagrad: one accumulator for a whole row of factors, of its mean squared gradient (as in LIBMF: Chin et al.,
//! "A learning-rate schedule for stochastic gradient methods to matrix factorization", PAKDD 2015).
//!
//! `s <- s + |g|^2 / k`, `w_i <- w_i - rate g_i / (sqrt(s) + epsilon)`. It halves the memory that factor rows move; on rows of one
//! weight (linear models, biases) it is Adagrad itself.
use super::{Adagrad, UpdateRule};
use crate::params::LANES;

/// Row-wise Adagrad; the settings are Adagrad's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AdagradRowwise(pub Adagrad);

impl UpdateRule for AdagradRowwise {
    type State = [f32; 1];

    fn initial(&self) -> [f32; 1] {
        self.0.initial()
    }

    #[inline(always)]
    fn step(&self, rate: f32, w: f32, g: f32, state: &mut [f32; 1]) -> f32 {
        self.0.step(rate, w, g, state)
    }

    fn row_state(_width: usize) -> usize {
        1
    }

    #[inline(always)]
    fn step_row(&self, rate: f32, weights: &mut [f32], gradient: &[f32], state: &mut [f32]) {
        let mut squares = [0.0; LANES];
        for g in gradient.as_chunks::<LANES>().0 {
            for (sum, g) in squares.iter_mut().zip(g) {
                *sum += g * g;
            }
        }
        let [sum, ..] = state else { return };
        *sum += crate::math::sum(squares) / weights.len() as f32;
        let scale = rate / (sum.sqrt() + self.0.epsilon);
        for (w, g) in weights.iter_mut().zip(gradient) {
            *w -= scale * g;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_gradients_move_as_in_adagrad() {
        let (mut row, mut sum) = ([0.5; LANES], [1.0; LANES]);
        AdagradRowwise::default().step_row(0.1, &mut row, &[2.0; LANES], &mut sum);
        let mut state = [1.0];
        let one = Adagrad::DEFAULT.step(0.1, 0.5, 2.0, &mut state);
        assert_eq!((sum[0], row), (state[0], [one; LANES]));
    }
}
