//! Row-wise Adagrad: one accumulator for a whole row of factors, of its mean squared gradient (as in LIBMF: Chin et al.,
//! "A learning-rate schedule for stochastic gradient methods to matrix factorization", PAKDD 2015).
//!
//! `w_i <- w_i - rate g_i / (sqrt(s) + epsilon)`, then `s <- s + |g|^2 / k`, over the row's k factors; the weight
//! beside them has a state of its own. It halves the memory that factor rows move. The step goes by the state before it, as in LIBMF: root and quotient are
//! then ready when the gradient comes, off the chain that each rating waits for. On
//! slots of one weight (linear models) it is Adagrad itself.
use super::{Adagrad, Clock, UpdateRule};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// Row-wise Adagrad; the settings are Adagrad's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AdagradRowwise(pub Adagrad);

impl AdagradRowwise {
    /// Adagrad's.
    pub const DEFAULT: AdagradRowwise = AdagradRowwise(Adagrad::DEFAULT);

    /// What multiplies the gradients of rows by their states: of one, or of as many as a vector has.
    #[inline(always)]
    pub(crate) fn row_scales<V: Real>(&self, rate: f32, sums: V) -> V {
        V::of(rate) / (sums.sqrt() + V::of(self.0.epsilon))
    }
}

impl UpdateRule for AdagradRowwise {
    type State<V: Real> = [V; 1];
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
    fn rowwise(&self) -> bool {
        true
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        self.0.hyperparameters()
    }

    fn initial(&self) -> [f32; 1] {
        self.0.initial()
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> f32 {
        clock.rate
    }

    #[inline(always)]
    fn step<V: Real>(&self, rate: &f32, w: V, g: V, state: &mut [V; 1]) -> V {
        self.0.step(rate, w, g, state)
    }

    #[inline(always)]
    fn step_summed<V: Real>(&self, rate: &f32, w: V, g: V, squares: V, state: &mut [V; 1], read: &[V; 1]) -> V {
        self.0.step_summed(rate, w, g, squares, state, read)
    }

    #[inline(always)]
    fn rate<V: Real>(&self, rate: &f32, state: &[V; 1]) -> V {
        self.0.rate(rate, state)
    }

    #[inline(always)]
    fn row_scale(&self, rate: &f32, [sum]: &[f32; 1]) -> f32 {
        self.row_scales(*rate, *sum)
    }

    const BY_ROWS: bool = true;

    #[inline(always)]
    fn step_by_rows<V: Real>(&self, rate: &f32, mean_squares: V, [sum]: &mut [V; 1]) -> V {
        let scales = self.row_scales(*rate, *sum);
        *sum = *sum + mean_squares;
        scales
    }

    #[inline(always)]
    fn row_state(&self, mean_square: f32, [sum]: &mut [f32; 1]) {
        *sum += mean_square;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_equal_gradients_moves_as_adagrad_with_the_state_before() {
        let rule = AdagradRowwise::default();
        let (mut row, mut one) = ([1.0f32], [1.0f32]);
        let (mut by_row, mut by_one) = (0.5f32, 0.5f32);
        for g in [2.0, -1.0, 3.0] {
            by_one -= 0.1 * g / one[0].sqrt();
            Adagrad::DEFAULT.step(&0.1, 0.0, g, &mut one);
            by_row -= g * rule.row_scale(&0.1, &row);
            rule.row_state(g * g, &mut row);
            assert!(row == one && (by_row - by_one).abs() < 1e-6);
        }
    }
}
