//! Matrix factorization with biases: `z = mean + b_u + b_i + p_u . q_i` (Koren, Bell & Volinsky 2009, eq. 4).
//!
//! Users are the wide rows `0..users`, items the rows after them; factors are the row, the bias is the weight beside it.
//! L2 is per rating, as in that paper's equation 5 and in LIBMF: each rating decays the rows it touches by lambda.
use super::Model;
use crate::params::{LANES, Real, Vector, Weights};

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

/// The rows of the rating at hand, with their biases.
#[derive(Debug)]
pub struct Scratch<V> {
    user: Vec<V>,
    item: Vec<V>,
    biases: [f32; 2],
    /// Room for two rows of unusual width.
    room: Vec<V>,
}

/// Runs the expression with room for two rows of the width, which is a constant where it is a usual one: rows then stay in registers,
/// and loops over them become straight lines.
macro_rules! with_rows {
    ($s:ident, [$a:ident, $b:ident] => $body:expr) => {
        with_rows!($s, [$a, $b] => $body, 1 2 4 8)
    };
    ($s:ident, [$a:ident, $b:ident] => $body:expr, $($n:literal)*) => {
        match $s.user.len() {
            $($n => {
                let ($a, $b) = (&mut [W::V::of(0.0); $n][..], &mut [W::V::of(0.0); $n][..]);
                $body
            })*
            n => {
                let mut room = std::mem::take(&mut $s.room);
                let ($a, $b) = room.split_at_mut(n);
                let result = $body;
                $s.room = room;
                result
            }
        }
    };
}

impl Model for Factorization {
    type Example = Pair;
    type Scratch<V: Vector> = Scratch<V>;

    fn scratch<V: Vector>(&self, _longest: usize) -> Scratch<V> {
        let row = vec![V::of(0.0); self.rank.div_ceil(LANES)];
        Scratch { user: row.clone(), item: row.clone(), biases: [0.0; 2], room: [row.clone(), row].concat() }
    }

    #[inline(always)]
    fn score<W: Weights>(&self, x: &Pair, weights: &mut W, s: &mut Scratch<W::V>) -> f32 {
        with_rows!(s, [user, item] => {
            s.biases = [weights.gather_row(x.user, user), weights.gather_row(x.item, item)];
            let mut dot = W::V::of(0.0);
            for i in 0..user.len() {
                dot = dot + user[i] * item[i];
            }
            s.user.copy_from_slice(user);
            s.item.copy_from_slice(item);
            (self.mean + s.biases[0] + s.biases[1]) + dot.sum()
        })
    }

    #[inline(always)]
    fn backward<W: Weights>(&self, x: &Pair, slope: f32, weights: &mut W, s: &mut Scratch<W::V>) {
        let (e, l2) = (W::V::of(slope), W::V::of(self.l2));
        with_rows!(s, [user, item] => {
            for i in 0..user.len() {
                let (p, q) = (s.user[i], s.item[i]);
                (user[i], item[i]) = (e * q + l2 * p, e * p + l2 * q);
            }
            weights.step_row(x.user, user, slope + self.l2 * s.biases[0]);
            weights.step_row(x.item, item, slope + self.l2 * s.biases[1]);
        })
    }
}
