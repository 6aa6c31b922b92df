//! Matrix factorization with biases: `z = mean + b_u + b_i + p_u . q_i` (Koren, Bell & Volinsky 2009, eq. 4).
//!
//! Users are rows `0..users`, items the rows after them, in both tables: the narrow one has the biases, the wide one the factors.
//! L2 is per rating, as in that paper's equation 5 and in LIBMF: each rating decays the rows it touches by lambda.
use super::Model;
use crate::params::{Weights, padded};

/// The rows of a user and of an item.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub(crate) user: u32,
    /// Row, that is, counted from behind the users.
    pub(crate) item: u32,
}

impl Pair {
    /// User and item by number, among `users` users.
    pub fn new(user: u32, item: u32, users: u32) -> Pair {
        Pair { user, item: users.saturating_add(item) }
    }
}

/// Settings of matrix factorization.
#[derive(Clone, Copy, Debug)]
pub struct Factorization {
    /// Factors a row, at least 1.
    pub rank: usize,
    /// What the score is without any parameter: the mean rating, or its log-odds.
    pub mean: f32,
    /// Lambda, per rating.
    pub l2: f32,
}

/// The rows of the rating at hand, and their gradients.
#[derive(Debug)]
pub struct Scratch {
    bias: [f32; 16],
    user: Vec<f32>,
    item: Vec<f32>,
    user_gradient: Vec<f32>,
    item_gradient: Vec<f32>,
}

impl Model for Factorization {
    type Example = Pair;
    type Scratch = Scratch;

    fn scratch(&self, _longest: usize) -> Scratch {
        let room = || vec![0.0; padded(self.rank)];
        Scratch { bias: [0.0; 16], user: room(), item: room(), user_gradient: room(), item_gradient: room() }
    }

    #[inline(always)]
    fn score<W: Weights>(&self, x: &Pair, weights: &mut W, s: &mut Scratch) -> f32 {
        weights.gather(&[x.user, x.item], &mut s.bias);
        weights.gather_row(x.user, &mut s.user);
        weights.gather_row(x.item, &mut s.item);
        self.mean + s.bias[0] + s.bias[1] + crate::math::dot(&s.user, &s.item)
    }

    #[inline(always)]
    fn backward<W: Weights>(&self, x: &Pair, slope: f32, weights: &mut W, s: &mut Scratch) {
        let mut bias = [0.0; 16];
        bias[0] = slope + self.l2 * s.bias[0];
        bias[1] = slope + self.l2 * s.bias[1];
        weights.step(&[x.user, x.item], &bias);
        let gradients = s.user_gradient.iter_mut().zip(&mut s.item_gradient);
        for ((gp, gq), (p, q)) in gradients.zip(s.user.iter().zip(&s.item)) {
            *gp = slope * q + self.l2 * p;
            *gq = slope * p + self.l2 * q;
        }
        weights.step_row(x.user, &s.user_gradient);
        weights.step_row(x.item, &s.item_gradient);
    }
}
