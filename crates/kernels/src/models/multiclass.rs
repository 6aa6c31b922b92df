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
    output::{ClassLabels, Output},
    slopes::take_slopes,
};
use crate::{
    params::{Weights, add_one_by_one},
    simd::{LANES, Line, Real, Vector, pairs},
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

    /// The same for parameters whose rows lie so many [places](crate::params::Parameters::feature_row_stride) apart; one
    /// in [`Plain`](crate::params::Plain) ones.
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
        let (mut left, mut kept) = (x.features + 1, room.kept.chunks_exact_mut(n.max(1)));
        for (block, places) in pairs(x.blocks(), &mut room.places) {
            weights.row_places(&block.rows, (0, self.rows, self.stride), places);
            let some = left.min(LANES);
            left -= some;
            let (slots, sums) = ((&*places, some), [&mut *scores, &mut *others]);
            if self.linear.penalises() {
                add_one_by_one(weights, slots, &block.values.0, sums, row, &mut kept);
            } else {
                weights.add_rows(slots, &block.values.0, sums, row);
            }
        }
        for k in 0..n {
            // What lies behind the classes, states of packed rows, may have come with them.
            let base = P::V::load(&self.base[k]);
            scores[k] = base.less(P::V::of(0.5 * NOWHERE), base, scores[k] + others[k]);
        }
        for k in 0..n {
            scores[k].store(&mut room.lines[k]);
        }
        let loss = take_slopes::<P::V>(self.output, &mut room.lines, self.labels.of(x.position as usize), self.classes);
        for k in 0..n {
            scores[k] = P::V::load(&room.lines[k]);
        }
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
