//! Matrix factorization with biases: `z = mean + b_u + b_i + p_u . q_i` (Koren, Bell & Volinsky 2009, eq. 4).
//!
//! Users are the slots `0..users`, items the slots after them; the factors are the weights of a slot, the bias is the weight beside them.
//! L2 is per rating, as in that paper's equation 5 and in LIBMF: each rating decays the rows it touches by lambda, times its weight.
use super::Model;
use crate::{
    params::Weights,
    simd::{LANES, Real, Vector},
};
use std::marker::PhantomData;

/// The rows of a user and of an item.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The user's slot number, unless a trainer has put a place of its own there, as in [`Row`](super::Row).
    pub user: u32,
    /// The item's, counted from behind the users.
    pub item: u32,
}

impl Pair {
    /// User and item by number, among `users` users.
    pub fn new(user: u32, item: u32, users: u32) -> Pair {
        Pair { user, item: users.saturating_add(item) }
    }
}

/// A pair, and how much its rating counts; it decays its rows by so much, too.
#[derive(Clone, Copy, Debug)]
pub struct WeightedPair {
    /// The rows.
    pub pair: Pair,
    /// 1 where all ratings count alike.
    pub weight: f32,
}

impl From<Pair> for WeightedPair {
    fn from(pair: Pair) -> WeightedPair {
        WeightedPair { pair, weight: 1.0 }
    }
}

/// How many vectors of factors a row has. Where the compiler knows, a rating's rows stay in registers from the score to the step:
/// ml10m at rank 32 takes 15.6 ns a rating without, 13.6 with.
pub trait Width: Copy + Send + Sync + 'static {
    /// The number of vectors, or 0 where only the rank tells.
    const VECTORS: usize;
    /// Room for a row.
    type Row<V: Vector>: AsRef<[V]> + AsMut<[V]> + Send;
    /// A row of zeros.
    fn row<V: Vector>(rank: usize) -> Self::Row<V>;
    /// Takes a row out of its room, so that one of a known width stays in registers; what is left there means nothing.
    fn take<V: Vector>(room: &mut Self::Row<V>) -> Self::Row<V>;
}

/// Rows of `N` vectors: of ranks up to `N` times [`LANES`].
#[derive(Clone, Copy, Debug)]
pub struct Fixed<const N: usize>;

impl<const N: usize> Width for Fixed<N> {
    const VECTORS: usize = N;
    type Row<V: Vector> = [V; N];

    #[inline(always)]
    fn row<V: Vector>(_rank: usize) -> [V; N] {
        [V::of(0.0); N]
    }

    #[inline(always)]
    fn take<V: Vector>(room: &mut [V; N]) -> [V; N] {
        *room
    }
}

/// Rows of any length.
#[derive(Clone, Copy, Debug)]
pub struct AnyWidth;

impl Width for AnyWidth {
    const VECTORS: usize = 0;
    type Row<V: Vector> = Vec<V>;

    fn row<V: Vector>(rank: usize) -> Vec<V> {
        vec![V::of(0.0); rank.div_ceil(LANES)]
    }

    #[inline(always)]
    fn take<V: Vector>(room: &mut Vec<V>) -> Vec<V> {
        std::mem::take(room)
    }
}

/// Settings of matrix factorization.
#[derive(Clone, Copy, Debug)]
pub struct Factorization<W: Width = AnyWidth> {
    pub(super) rank: usize,
    pub(super) mean: f32,
    pub(super) l2: f32,
    width: PhantomData<W>,
}

impl Factorization {
    /// Factors a row.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// `rank`: factors a row, at least 1; `mean`: what the score is without any parameter, the mean rating or its log-odds; `l2`:
    /// lambda, per rating.
    pub fn new(rank: usize, mean: f32, l2: f32) -> Factorization {
        Factorization { rank, mean, l2, width: PhantomData }
    }
}

impl<W: Width> Factorization<W> {
    /// The same for rows of a width that suits the rank.
    pub fn with_width<To: Width>(&self) -> Factorization<To> {
        assert!(To::VECTORS == 0 || To::VECTORS == self.rank.div_ceil(LANES));
        Factorization { rank: self.rank, mean: self.mean, l2: self.l2, width: PhantomData }
    }
}

/// The rows of the rating at hand (their gradients, on the way back), with their biases.
#[derive(Debug)]
pub struct Scratch<R> {
    user: R,
    item: R,
    user_bias: f32,
    item_bias: f32,
    /// `p.p`, `q.q` and `p.q`.
    products: [f32; 3],
}

impl<R: Width> Model for Factorization<R> {
    type Example = WeightedPair;
    type Scratch<V: Vector> = Scratch<R::Row<V>>;

    fn scratch<V: Vector>(&self, _longest: usize) -> Scratch<R::Row<V>> {
        Scratch { user: R::row(self.rank), item: R::row(self.rank), user_bias: 0.0, item_bias: 0.0, products: [0.0; 3] }
    }

    #[inline(always)]
    fn score<W: Weights>(&self, x: &WeightedPair, weights: &mut W, s: &mut Scratch<R::Row<W::V>>) -> f32 {
        s.user_bias = weights.gather_row(x.pair.user, s.user.as_mut());
        s.item_bias = weights.gather_row(x.pair.item, s.item.as_mut());
        let [mut pp, mut qq, mut pq] = [W::V::of(0.0); 3];
        let (user, item) = (s.user.as_ref(), s.item.as_ref());
        for i in 0..user.len().min(item.len()) {
            let (p, q) = (user[i], item[i]);
            (pp, qq, pq) = (p.mul_add(p, pp), q.mul_add(q, qq), p.mul_add(q, pq));
        }
        s.products = W::V::sums([pp, qq, pq]);
        (self.mean + s.user_bias + s.item_bias) + s.products[2]
    }

    #[inline(always)]
    fn gradient_square<V: Vector>(&self, _x: &WeightedPair, s: &Scratch<R::Row<V>>) -> f32 {
        // That of each bias is 1.
        s.products[0] + s.products[1] + 2.0
    }

    #[inline(always)]
    fn backward<W: Weights>(&self, x: &WeightedPair, slope: f32, weights: &mut W, s: &mut Scratch<R::Row<W::V>>) {
        let decay = self.l2 * x.weight;
        let (e, l2) = (W::V::of(slope), W::V::of(decay));
        let (user, item) = (s.user.as_mut(), s.item.as_mut());
        for i in 0..user.len().min(item.len()) {
            let (p, q) = (user[i], item[i]);
            (user[i], item[i]) = (e.mul_add(q, l2 * p), e.mul_add(p, l2 * q));
        }
        // The squared lengths of both: by products known before the slope, which all else waits for.
        let [pp, qq, pq] = s.products;
        let (ee, ll, el) = (slope * slope, decay * decay, 2.0 * slope * decay * pq);
        let (user_square, item_square) = ((ee * qq + el) + ll * pp, (ee * pp + el) + ll * qq);
        weights.step_row(x.pair.user, s.user.as_ref(), user_square, slope + decay * s.user_bias);
        weights.step_row(x.pair.item, s.item.as_ref(), item_square, slope + decay * s.item_bias);
    }
}
