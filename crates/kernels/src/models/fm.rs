//! Factorization machines (Rendle, "Factorization Machines", ICDM 2010): a linear model, and an effect of each pair of features.
//!
//! `z = b + sum_j w_j x_j + sum_{i<j} <v_i, v_j> x_i x_j`, with `rank` factors `v_j` a feature. The pairs are not gone through: with
//! `s = sum_j x_j v_j` their sum is `(|s|^2 - sum_j |x_j v_j|^2) / 2` (lemma 3.1), and the gradient of `v_j` is `x_j (s - x_j v_j)`. So an
//! example costs `rank` times its features.
//!
//! Feature column `c` is row `c` of a table: its factors, with its weight beside them. So a feature of up to eight factors is one line of the
//! cache under a row-wise rule: weight, factors and their states. Only the bias is a slot of one weight. L2 is [`Linear`]'s, exact in
//! expectation on sparse data, and factors have it too.
//!
//! Factors are trained at a lower rate than weights: at the same rate they overfit before the weights are learnt. What is trained is
//! `v / rate`. A rule that goes by the size of gradients (Adagrad, Adam) then moves `v` at `rate` times its learning rate, SGD at the
//! square of that.
use super::{Linear, Model, Row, Width, factorization::AnyWidth};
use crate::{
    params::{Weights, face_sum},
    simd::{LANES, Line, Real, Vector, pairs},
};
use std::marker::PhantomData;

/// Where the bias is in the last block behind so many features.
static BIAS: [Line<f32>; LANES] = {
    let mut lines = [Line([0.0; LANES]); LANES];
    let mut features = 0;
    while features < LANES {
        lines[features].0[features] = 1.0;
        features += 1;
    }
    lines
};

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
    /// The linear part, and how many features have `rank` factors each. The bias is the one slot of one weight; the features have
    /// [rows](crate::params::TableShape::feature_rows) by column.
    ///
    /// # Panics
    /// When the linear part has L1, which factors do without.
    pub fn new(linear: Linear, features: usize, rank: usize) -> FactorizationMachine {
        assert!(!linear.has_l1(), "a factorization machine has no L1");
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

    /// The same for parameters whose rows lie so many [places](crate::params::Parameters::feature_row_stride) apart; one
    /// in [`Plain`](crate::params::Plain) ones.
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

    /// A feature's slot, by which it is penalised, and its value.
    #[inline(always)]
    fn feature(x: &Row, i: usize) -> (u32, f32) {
        let block = &x.blocks[i / LANES];
        (block.rows.0[i % LANES], block.values.0[i % LANES])
    }

    /// Where the factors of an example's features lie.
    pub(crate) fn places(&self, x: &Row) -> impl Iterator<Item = u32> {
        (0..self.count(x)).map(|i| self.place(Self::feature(x, i).0))
    }

    /// Where the row of a slot lies; behind the last ones for the bias, empty lanes, and what a file that has changed
    /// may have.
    #[inline(always)]
    fn place(&self, slot: u32) -> u32 {
        slot.wrapping_sub(1).min(self.features) * self.stride
    }
}

/// What is kept of the example at hand.
#[derive(Debug)]
pub struct Room<V, R> {
    /// The factors by feature, and the weights by block.
    factors: Vec<V>,
    weights: Vec<Line<f32>>,
    /// `sum_j x_j v_j`.
    sum: R,
    /// The same of every other feature: so no addition waits for the one before.
    others: R,
    /// Where the factors of the features lie, by block.
    places: Vec<Line<u32>>,
    /// Of sixteen features.
    gradients: Vec<V>,
}

impl<W: Width> Model for FactorizationMachine<W> {
    type Example = Row;
    type Scratch<V: Vector> = Room<V, W::Row<V>>;
    const FIRST_ROW: Option<u32> = Some(0);

    fn scratch<V: Vector>(&self, longest: usize) -> Room<V, W::Row<V>> {
        let row = || W::row(self.rank);
        let rows = |count: usize| vec![V::of(0.0); count.next_multiple_of(LANES) * row().as_ref().len()];
        Room {
            factors: rows(longest),
            weights: vec![Line([0.0; LANES]); longest / LANES + 1],
            sum: row(),
            others: row(),
            places: vec![Line([0; LANES]); longest / LANES + 1],
            gradients: rows(LANES),
        }
    }

    #[inline(always)]
    fn score<P: Weights>(&self, x: &Row, weights: &mut P, room: &mut Room<P::V, W::Row<P::V>>) -> f32 {
        let last = &x.blocks[x.features / LANES];
        let bias = self.linear.base() + weights.gather_one(0, &last.places, x.features % LANES);
        let [mut a, mut b] = [W::take(&mut room.sum), W::take(&mut room.others)];
        let (sum, others, zero) = (a.as_mut(), b.as_mut(), P::V::of(0.0));
        let (n, count) = (sum.len(), self.count(x));
        for k in 0..n {
            (sum[k], others[k]) = (zero, zero);
        }
        let [mut each, mut each_other, mut all, mut linear] = [zero; 4];
        let mut first = 0;
        for (block, (places, besides)) in pairs(x.blocks(), pairs(&mut room.places, &mut room.weights)) {
            let some = LANES.min(count - first);
            if some == 0 {
                break; // the bias alone
            }
            weights.row_places(&block.rows, (1, self.features, self.stride), places);
            let factors = &mut room.factors[first * n..][..LANES * n];
            weights.gather_rows((places, some), (factors, n), besides);
            let mut i = 0;
            while i < some {
                let (row, x) = (&factors[i * n..][..n], block.values.0[i]);
                for k in 0..n {
                    let v = P::V::of(x) * row[k];
                    (sum[k], each) = (sum[k] + v, v.mul_add(v, each));
                }
                i += 1;
                if i == some {
                    break;
                }
                let (row, x) = (&factors[i * n..][..n], block.values.0[i]);
                for k in 0..n {
                    let v = P::V::of(x) * row[k];
                    (others[k], each_other) = (others[k] + v, v.mul_add(v, each_other));
                }
                i += 1;
            }
            linear = P::V::load(&besides.0).mul_add(P::V::load(&block.values.0), linear);
            first += some;
        }
        for k in 0..n {
            sum[k] = sum[k] + others[k];
            all = sum[k].mul_add(sum[k], all);
        }
        (room.sum, room.others) = (a, b);
        bias + linear.sum() + 0.5 * self.pairs * (all - (each + each_other)).sum()
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
        self.linear.gradient_square(x, &Vec::<V>::new()) + self.pairs * self.pairs * square.sum()
    }

    /// The gradient of `v_j` is `x_j` times the slope times `s - x_j v_j`, and L2's decay.
    #[inline(always)]
    fn backward<P: Weights>(&self, x: &Row, slope: f32, weights: &mut P, room: &mut Room<P::V, W::Row<P::V>>) {
        let penalises = self.linear.penalises();
        if slope == 0.0 && !penalises {
            return; // a hinge that is satisfied moves nothing
        }
        let (last, of_bias) = (&x.blocks[x.features / LANES], P::V::load(&BIAS[x.features % LANES].0));
        weights.step_one(0, &last.places, x.features % LANES, slope);
        let (mut a, by) = (W::take(&mut room.sum), slope * self.pairs);
        let sum = a.as_mut();
        let (n, count) = (sum.len(), self.count(x));
        for k in 0..n {
            sum[k] = P::V::of(by) * sum[k];
        }
        let mut first = 0;
        for (block, (places, of_block)) in pairs(x.blocks(), pairs(&room.places, &room.weights)) {
            let some = LANES.min(count - first);
            if some == 0 {
                break; // the bias alone
            }
            let (factors, gradients) = (&room.factors[first * n..][..LANES * n], &mut room.gradients[..LANES * n]);
            let mut values = P::V::load(&block.values.0);
            if some < LANES {
                values = values - of_bias;
            }
            let mut besides = P::V::of(slope) * values;
            if !penalises {
                weights.step_against((places, some), &block.values.0, (sum, by), (factors, gradients), besides);
                first += some;
                continue;
            }
            let (mut squares, mut decays) = (Line([0.0; LANES]), [0.0; LANES]);
            for i in 0..some {
                let (row, gradient) = (&factors[i * n..][..n], &mut gradients[i * n..][..n]);
                face_sum(block.values.0[i], (sum, by), row, gradient);
                decays[i] = self.linear.decay(block.rows.0[i]);
                let (decay, mut square) = (P::V::of(decays[i] * self.decay), P::V::of(0.0));
                for k in 0..n {
                    gradient[k] = decay.mul_add(row[k], gradient[k]);
                    square = gradient[k].mul_add(gradient[k], square);
                }
                squares.0[i] = square.sum();
                decays[i] *= of_block.0[i];
            }
            besides = besides + P::V::load(&decays);
            weights.step_each((places, some), &[1.0; LANES], (gradients, n), &squares, besides);
            first += some;
        }
        room.sum = a;
    }
}
