//! Several classes: a linear score each, `z_c = b_c + sum_j w_jc x_j`, and one loss of all of them.
//!
//! - *Softmax* (multinomial logistic regression): `p_c = e^z_c / sum e^z`, loss `-ln p_y` of the one class `y`. A score's slope is
//!   `p_c - [c = y]`.
//! - *One-vs-rest*: a loss of two classes for each class, summed; an example has any number of classes. By the logistic loss a slope is
//!   `sigmoid(z_c) - [c in set]`.
//!
//! The weights of a feature, one a class, are a row of the table; row 0 is the bias, row `c + 1` that of column `c`. So a nonzero is a run
//! of neighbouring numbers, scored and stepped by sixteen classes at a time. The gradient of row `j` is `x_j` times the slopes, so its
//! squared length is `x_j^2 |slopes|^2`: row-wise Adagrad needs one number an example for all rows. Its one state a row halves the time of
//! one a weight, and the loss is better too (news by 20 topics: log-loss .328 after ten epochs, .340 with a state a weight).
//!
//! The loop of a worker knows single scores. So the model does the loss itself: what it calls the score is the loss, which is minimised
//! [as given](crate::loss::Loss::AS_GIVEN) with slope 1.
use super::{
    Linear, Model, Row, Width,
    factorization::AnyWidth,
    output::{ClassLabels, Output, take_own},
};
use crate::{
    loss::Loss,
    params::Weights,
    simd::{
        LANES, Line, Real, Vector, copy,
        math::{exp, ln, ln_1p},
        pairs,
    },
};
use std::{marker::PhantomData, sync::Arc};

/// What stands in lanes without a class: no weight brings it near a probability above 0.
const NOWHERE: f32 = -1e30;

/// Settings of a model of several classes.
#[derive(Clone, Debug)]
pub struct Multiclass<W: Width = AnyWidth> {
    /// What L2 does to each row.
    linear: Linear,
    output: Output,
    /// The scores without any parameter, by sixteen; [`NOWHERE`] behind the last class.
    base: Vec<[f32; LANES]>,
    classes: usize,
    rows: u32,
    labels: Arc<ClassLabels>,
    stride: u32,
    width: PhantomData<W>,
}

impl Multiclass {
    /// `base`: the score of each class without any parameter, from which training starts; `features`: how many columns there are;
    /// `labels`: the classes of the example at each position.
    pub fn new(linear: Linear, output: Output, base: &[f32], features: usize, labels: Arc<ClassLabels>) -> Multiclass {
        let classes = base.len();
        let lane = |i: usize| base.get(i).copied().unwrap_or(NOWHERE);
        let base = (0..classes.div_ceil(LANES)).map(|k| std::array::from_fn(|i| lane(k * LANES + i))).collect();
        let rows = (features.min(u32::MAX as usize - 1) + 1) as u32;
        Multiclass { linear, output, base, classes, rows, labels, stride: 1, width: PhantomData }
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The same for parameters whose rows lie so many [places](crate::params::Parameters::row_stride) apart; one in
    /// [`Plain`](crate::params::Plain) ones.
    pub fn with_stride(self, stride: u32) -> Self {
        Multiclass { stride, ..self }
    }
}

impl<W: Width> Multiclass<W> {
    /// The same for rows of a width that suits the classes.
    pub(crate) fn with_width<To: Width>(&self) -> Multiclass<To> {
        assert!(To::VECTORS == 0 || To::VECTORS == self.base.len());
        let Multiclass { linear, output, base, classes, rows, labels, stride, .. } = self.clone();
        Multiclass { linear, output, base, classes, rows, labels, stride, width: PhantomData }
    }

    /// Where the weights of an example's features lie, those of the bias last.
    pub(crate) fn places(&self, x: &Row) -> impl Iterator<Item = u32> {
        (0..=x.features).map(|i| self.place(Self::feature(x, i).0))
    }

    /// A feature's slot, and its value; the bias is behind the features.
    #[inline(always)]
    fn feature(x: &Row, i: usize) -> (u32, f32) {
        let block = &x.blocks[i / LANES];
        (block.rows.0[i % LANES], block.values.0[i % LANES])
    }

    /// Where a row lies. A file that has changed may have slots beyond the last.
    #[inline(always)]
    fn place(&self, slot: u32) -> u32 {
        slot.min(self.rows - 1) * self.stride
    }

    /// Puts the slopes in the place of the scores; gives the loss.
    #[inline(always)]
    fn take_slopes<V: Vector>(&self, scores: &mut [V], lines: &mut [[f32; LANES]], own: &[u32]) -> f32 {
        let n = scores.len();
        for k in 0..n {
            scores[k].store(&mut lines[k]);
        }
        match self.output {
            Output::Softmax => {
                let mut most = scores[0];
                for k in 1..n {
                    most = most.max(scores[k]);
                }
                let most = largest(most);
                let z = own.first().and_then(|&class| lines.as_flattened().get(class as usize)).copied().unwrap_or(most);
                let mut sum = V::of(0.0);
                for k in 0..n {
                    scores[k] = exp(scores[k] - V::of(most));
                    sum = sum + scores[k];
                }
                let sum = sum.sum();
                let inverse = V::of(1.0 / sum);
                for k in 0..n {
                    (scores[k] * inverse).store(&mut lines[k]);
                }
                take_own(lines.as_flattened_mut(), own);
                for k in 0..n {
                    scores[k] = V::load(&lines[k]);
                }
                ln(sum) + (most - z)
            }
            Output::OneVsRest(Loss::Logistic) => {
                let mut of_own = 0.0;
                for &class in own {
                    of_own += lines.as_flattened().get(class as usize).copied().unwrap_or(0.0);
                }
                let (mut sum, one, zero) = (V::of(0.0), V::of(1.0), V::of(0.0));
                for k in 0..n {
                    // ln(1 + e^z), and the sigmoid, without overflow.
                    let e = exp(-scores[k].abs());
                    sum = sum + (ln_1p(e) + zero.max(scores[k]));
                    (scores[k].less(zero, e, one) / (one + e)).store(&mut lines[k]);
                }
                take_own(lines.as_flattened_mut(), own);
                for k in 0..n {
                    scores[k] = V::load(&lines[k]);
                }
                sum.sum() - of_own
            }
            Output::OneVsRest(Loss::SquaredHinge) => {
                // Labels in lanes: +1 its own, -1 all others.
                for line in &mut *lines {
                    V::of(-1.0).store(line);
                }
                for &class in own {
                    if let Some(y) = lines.as_flattened_mut().get_mut(class as usize) {
                        *y = 1.0;
                    }
                }
                let mut sum = V::of(0.0);
                for k in 0..n {
                    let y = V::load(&lines[k]);
                    let missing = V::of(0.0).max(V::of(1.0) - y * scores[k]);
                    (sum, scores[k]) = (missing.mul_add(missing, sum), -(y * missing));
                }
                0.5 * sum.sum()
            }
            Output::OneVsRest(_) => {
                let loss = one_by_one(self.output, &mut lines.as_flattened_mut()[..self.classes], own);
                for line in &mut lines.as_flattened_mut()[self.classes..] {
                    *line = 0.0;
                }
                for k in 0..n {
                    scores[k] = V::load(&lines[k]);
                }
                loss
            }
        }
    }
}

/// The largest lane, in four chains side by side.
#[inline(always)]
fn largest<V: Vector>(numbers: V) -> f32 {
    let mut line = [0.0; LANES];
    numbers.store(&mut line);
    let [mut a, mut b, mut c, mut d] = [line[0], line[1], line[2], line[3]];
    let mut i = 4;
    while i < LANES {
        (a, b) = (Real::max(line[i], a), Real::max(line[i + 1], b));
        (c, d) = (Real::max(line[i + 2], c), Real::max(line[i + 3], d));
        i += 4;
    }
    Real::max(Real::max(a, b), Real::max(c, d))
}

/// Out of the loops, which it would make longer.
#[inline(never)]
fn one_by_one(output: Output, scores: &mut [f32], classes: &[u32]) -> f32 {
    output.slopes(scores, classes)
}

/// What is kept of the example at hand.
#[derive(Debug)]
pub struct Room<V, R> {
    /// The scores, then the slopes.
    slopes: R,
    /// Of every other feature: so no addition waits for the one before.
    others: R,
    row: R,
    gradient: R,
    /// The squared length of the slopes.
    square: f32,
    lines: Vec<[f32; LANES]>,
    /// Where the rows of the features lie, by block.
    places: Vec<Line<u32>>,
    /// The rows of all features, where they are penalised.
    kept: Vec<V>,
}

impl<W: Width> Model for Multiclass<W> {
    type Example = Row;
    type Scratch<V: Vector> = Room<V, W::Row<V>>;
    const FIRST_ROW: Option<u32> = Some(1);
    const ROW_VECTORS: usize = W::VECTORS;

    fn scratch<V: Vector>(&self, longest: usize) -> Room<V, W::Row<V>> {
        let (row, n) = (|| W::row(self.classes), self.base.len());
        let kept = if self.linear.penalises() { (longest + 1) * n } else { 0 };
        Room {
            slopes: row(),
            others: row(),
            row: row(),
            gradient: row(),
            square: 0.0,
            lines: vec![[0.0; LANES]; n],
            places: vec![Line([0; LANES]); longest / LANES + 1],
            kept: vec![V::of(0.0); kept],
        }
    }

    #[inline(always)]
    fn score<P: Weights>(&self, x: &Row, weights: &mut P, room: &mut Room<P::V, W::Row<P::V>>) -> f32 {
        let [mut a, mut b, mut c] = [W::take(&mut room.slopes), W::take(&mut room.others), W::take(&mut room.row)];
        let (scores, others, row) = (a.as_mut(), b.as_mut(), c.as_mut());
        let n = scores.len();
        for k in 0..n {
            (scores[k], others[k]) = (P::V::load(&self.base[k]), P::V::of(0.0));
        }
        let keeps = self.linear.penalises();
        let mut first = 0;
        for (block, places) in pairs(x.blocks(), &mut room.places) {
            for i in 0..LANES {
                places.0[i] = weights.row_place(self.place(block.rows.0[i]));
            }
            let some = LANES.min(x.features + 1 - first);
            let mut i = 0;
            while i < some {
                weights.gather_weights(places.0[i], row);
                for k in 0..n {
                    scores[k] = row[k].mul_add(P::V::of(block.values.0[i]), scores[k]);
                }
                if keeps {
                    copy(row, &mut room.kept[(first + i) * n..]);
                }
                i += 1;
                if i == some {
                    break;
                }
                weights.gather_weights(places.0[i], row);
                for k in 0..n {
                    others[k] = row[k].mul_add(P::V::of(block.values.0[i]), others[k]);
                }
                if keeps {
                    copy(row, &mut room.kept[(first + i) * n..]);
                }
                i += 1;
            }
            first += LANES;
        }
        for k in 0..n {
            scores[k] = scores[k] + others[k];
        }
        let loss = self.take_slopes(scores, &mut room.lines, self.labels.of(x.position as usize));
        let mut square = P::V::of(0.0);
        for k in 0..n {
            square = scores[k].mul_add(scores[k], square);
        }
        room.square = square.sum();
        (room.slopes, room.others, room.row) = (a, b, c);
        loss
    }

    #[inline(always)]
    fn gradient_square<V: Vector>(&self, x: &Row, room: &Room<V, W::Row<V>>) -> f32 {
        let mut values = V::of(0.0);
        for block in x.blocks() {
            values = V::load(&block.values.0).mul_add(V::load(&block.values.0), values);
        }
        room.square * values.sum()
    }

    #[inline(always)]
    fn backward<P: Weights>(&self, x: &Row, slope: f32, weights: &mut P, room: &mut Room<P::V, W::Row<P::V>>) {
        let [mut a, mut b] = [W::take(&mut room.slopes), W::take(&mut room.gradient)];
        let (slopes, gradient) = (a.as_mut(), b.as_mut());
        let n = slopes.len();
        for k in 0..n {
            slopes[k] = P::V::of(slope) * slopes[k];
        }
        let square = slope * slope * room.square;
        if !self.linear.penalises() {
            let mut left = x.features + 1;
            for (block, places) in pairs(x.blocks(), &room.places) {
                let some = left.min(LANES);
                weights.step_rows((places, some), &block.places, &block.values.0, (slopes, square), gradient);
                left -= some;
            }
            (room.slopes, room.gradient) = (a, b);
            return;
        }
        for i in 0..=x.features {
            let (slot, value) = Self::feature(x, i);
            let (decay, value, row) = (P::V::of(self.linear.decay(slot)), P::V::of(value), &room.kept[i * n..][..n]);
            let mut square = P::V::of(0.0);
            for k in 0..n {
                let g = decay.mul_add(row[k], value * slopes[k]);
                (gradient[k], square) = (g, g.mul_add(g, square));
            }
            weights.step_row(room.places[i / LANES].0[i % LANES], gradient, square.sum(), 0.0);
        }
        (room.slopes, room.gradient) = (a, b);
    }
}
