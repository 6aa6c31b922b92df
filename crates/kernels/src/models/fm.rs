//! Factorization machines (Rendle, "Factorization Machines", ICDM 2010): a linear model, and an effect of each pair of features.
//!
//! `z = b + sum_j w_j x_j + sum_{i<j} <v_i, v_j> x_i x_j`, with `rank` factors `v_j` a feature. The pairs are not gone through: with
//! `s = sum_j x_j v_j` their sum is `(|s|^2 - sum_j |x_j v_j|^2) / 2` (lemma 3.1), and the gradient of `v_j` is `x_j (s - x_j v_j)`. So an
//! example costs `rank` times its features.
//!
//! The linear part is [`Linear`] itself: slots of one weight, the bias first, with its hot slots and its exact L2, which factors have too.
//! The factors of feature column `c` are row `c` of a second table. The bias has none.
//!
//! Factors are trained at a lower rate than weights: at the same rate they overfit before the weights are learnt. What is trained is
//! `v / rate`. A rule that goes by the size of gradients (Adagrad, Adam) then moves `v` at `rate` times its learning rate, SGD at the
//! square of that.
use super::{Linear, Model, Row, Width, factorization::AnyWidth};
use crate::{
    params::Weights,
    simd::{LANES, Line, Real, Vector, copy},
};
use std::marker::PhantomData;

/// Features whose gradients are worked out together: their squared lengths are summed by one tree.
const TOGETHER: usize = 3;

/// Settings of a factorization machine.
#[derive(Clone, Debug)]
pub struct FactorizationMachine<W: Width = AnyWidth> {
    linear: Linear,
    rank: usize,
    features: u32,
    /// Places from a row of factors to the next.
    stride: u32,
    /// What all pairs are multiplied by: the square of what factors are.
    pairs: f32,
    /// What the decay of factors is multiplied by, beside that of weights.
    decay: f32,
    width: PhantomData<W>,
}

impl FactorizationMachine {
    /// The linear part, and how many features have `rank` factors each.
    pub fn new(linear: Linear, features: usize, rank: usize) -> FactorizationMachine {
        FactorizationMachine {
            linear,
            rank,
            features: features.min(u32::MAX as usize) as u32,
            stride: 1,
            pairs: 1.0,
            decay: 1.0,
            width: PhantomData,
        }
    }

    /// Factors a feature.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The same with parameters that are the factors divided by `rate`.
    pub fn with_rate(self, rate: f32) -> Self {
        FactorizationMachine { pairs: rate * rate, decay: self.decay * rate * rate, ..self }
    }

    /// The same for labels that were divided by `scale`, as is the L2 of the linear part: factors are then in the unit of its root.
    pub fn with_scale(self, scale: f32) -> Self {
        FactorizationMachine { decay: self.decay / scale, ..self }
    }

    /// The same for parameters whose rows lie so many [places](crate::params::Parameters::row_stride) apart; one in
    /// [`Plain`](crate::params::Plain) ones.
    pub fn with_stride(self, stride: u32) -> Self {
        FactorizationMachine { stride, ..self }
    }
}

impl<W: Width> FactorizationMachine<W> {
    /// The same for rows of a width that suits the rank.
    pub(crate) fn with_width<To: Width>(&self) -> FactorizationMachine<To> {
        assert!(To::VECTORS == 0 || To::VECTORS == self.rank.div_ceil(LANES));
        let FactorizationMachine { linear, rank, features, stride, pairs, decay, .. } = self.clone();
        FactorizationMachine { linear, rank, features, stride, pairs, decay, width: PhantomData }
    }

    /// How many features of an example have factors: all of them.
    #[inline(always)]
    fn count(&self, x: &Row) -> usize {
        if self.features == 0 { 0 } else { x.features }
    }

    /// A feature's slot of the linear part, and its value.
    #[inline(always)]
    fn feature(x: &Row, i: usize) -> (u32, f32) {
        let block = &x.blocks[i / LANES];
        (block.rows.0[i % LANES], block.values.0[i % LANES])
    }

    /// Where the factors of an example's features lie.
    pub(crate) fn places(&self, x: &Row) -> impl Iterator<Item = u32> {
        (0..self.count(x)).map(|i| self.place(Self::feature(x, i).0))
    }

    /// Where the factors of a slot of the linear part lie. A file that has changed may have slots beyond the last.
    #[inline(always)]
    fn place(&self, slot: u32) -> u32 {
        slot.wrapping_sub(1).min(self.features - 1) * self.stride
    }
}

/// The factors of the example at hand.
#[derive(Debug)]
pub struct Room<V, R> {
    /// Of the linear part.
    linear: Vec<V>,
    /// By feature.
    factors: Vec<V>,
    /// `sum_j x_j v_j`.
    sum: R,
    /// Of sixteen features.
    gradients: Vec<V>,
}

impl<W: Width> Model for FactorizationMachine<W> {
    type Example = Row;
    type Scratch<V: Vector> = Room<V, W::Row<V>>;
    const FIRST_ROW: Option<u32> = Some(0);
    /// With the line of its state.
    const ROW_VECTORS: usize = if W::VECTORS > 0 { W::VECTORS + 1 } else { 0 };

    fn scratch<V: Vector>(&self, longest: usize) -> Room<V, W::Row<V>> {
        let row = || W::row(self.rank);
        let rows = |count: usize| vec![V::of(0.0); count * row().as_ref().len()];
        Room { linear: self.linear.scratch(longest), factors: rows(longest), sum: row(), gradients: rows(LANES) }
    }

    #[inline(always)]
    fn score<P: Weights>(&self, x: &Row, weights: &mut P, room: &mut Room<P::V, W::Row<P::V>>) -> f32 {
        let z = self.linear.score(x, weights, &mut room.linear);
        let (sum, zero) = (room.sum.as_mut(), P::V::of(0.0));
        let n = sum.len();
        for k in 0..n {
            sum[k] = zero;
        }
        let [mut all, mut each] = [zero; 2];
        for i in 0..self.count(x) {
            let (slot, value) = Self::feature(x, i);
            let factors = &mut room.factors[i * n..][..n];
            weights.gather_weights(self.place(slot), factors);
            for k in 0..n {
                let v = P::V::of(value) * factors[k];
                (sum[k], each) = (sum[k] + v, v.mul_add(v, each));
            }
        }
        for k in 0..n {
            all = sum[k].mul_add(sum[k], all);
        }
        z + 0.5 * self.pairs * (all - each).sum()
    }

    #[inline(always)]
    fn gradient_square<V: Vector>(&self, x: &Row, room: &Room<V, W::Row<V>>) -> f32 {
        let sum = room.sum.as_ref();
        let n = sum.len();
        let mut square = V::of(0.0);
        for i in 0..self.count(x) {
            let value = V::of(Self::feature(x, i).1);
            for k in 0..n {
                let g = value * (sum[k] - value * room.factors[i * n + k]);
                square = g.mul_add(g, square);
            }
        }
        self.linear.gradient_square(x, &room.linear) + self.pairs * self.pairs * square.sum()
    }

    #[inline(always)]
    fn backward<P: Weights>(&self, x: &Row, slope: f32, weights: &mut P, room: &mut Room<P::V, W::Row<P::V>>) {
        self.linear.backward(x, slope, weights, &mut room.linear);
        if slope == 0.0 && !self.linear.penalises() {
            return;
        }
        let sum = room.sum.as_ref();
        let (n, count) = (sum.len(), self.count(x));
        let mut first = 0;
        while first < count {
            let some = LANES.min(count - first);
            let (mut squares, mut places) = (Line([0.0; LANES]), Line([0; LANES]));
            let mut at = 0;
            while at < some {
                let few = TOGETHER.min(some - at);
                let mut sums = [P::V::of(0.0); TOGETHER];
                for j in 0..few {
                    let (slot, value) = Self::feature(x, first + at + j);
                    let (decay, value) = (P::V::of(self.linear.decay(slot) * self.decay), P::V::of(value));
                    let by = P::V::of(slope * self.pairs) * value;
                    let (factors, gradient) = (&room.factors[(first + at + j) * n..][..n], &mut room.gradients[(at + j) * n..][..n]);
                    for k in 0..n {
                        let g = decay.mul_add(factors[k], by * (sum[k] - value * factors[k]));
                        (gradient[k], sums[j]) = (g, g.mul_add(g, sums[j]));
                    }
                    places.0[at + j] = self.place(slot);
                }
                let sums = P::V::sums(sums);
                copy(&sums[..few], &mut squares.0[at..]);
                at += TOGETHER;
            }
            weights.step_each((&places, some), (&room.gradients, n), &squares);
            first += LANES;
        }
    }
}
