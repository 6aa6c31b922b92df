//! Ranking by implicit feedback: `z_ui = b_i + p_u . q_i`, trained so that an item that a user took stands above items that the user did not.
//!
//! An example is a user, an item of the user's, and `m` negatives, items drawn from those that the user does not have (see
//! [`feed`](crate::feed)). All losses are of these scores, `z_0` that of the user's item:
//!
//! - *BPR* (Rendle et al. 2009), with one negative: `-ln sigmoid(z_0 - z_1)`.
//! - *WARP* (Weston, Bengio & Usunier 2011): the first negative with `z_j > z_0 - 1` counts `L (1 + z_j - z_0)`, where `L` estimates by the
//!   number of draws `j` how far down the item stands: `ln((items - 1) / j)`, here over its value for one draw, so that rates suit any
//!   number of items. Where there is no such negative, nothing is learnt.
//! - *Sampled softmax* (Bengio & Senécal 2008; Jean et al. 2015): `-ln e^z_0 / sum e^z_j`, the scores of negatives less `ln(q_j n)`, where `q_j / (1/n)`
//!   is how much oftener than at random an item is drawn.
//! - *Logistic* (Johnson 2014): `ln(1 + e^-z_0) + sum ln(1 + e^z_j)`.
//!
//! The gradient of an item's row is its slope times the user's row, that of the user's row the sum of slopes times item rows. L2 is per
//! example, of all rows that it has; negatives share one lambda: `lambda / m` each.
//!
//! The loop of a worker knows single scores. For BPR that is the difference `z_0 - z_1`, by the logistic loss with label 1. The other models do
//! the loss themselves: their score is the loss, [as given](crate::loss::Loss::AS_GIVEN) with slope 1.
use super::{Model, Width, factorization::AnyWidth, output::Output, slopes::take_slopes};
use crate::{
    params::Weights,
    simd::{LANES, Real, Vector, math::ln},
};
use std::marker::PhantomData;

/// What stands in lanes without an item: no weight brings it near a probability above 0.
const NOWHERE: f32 = -1e30;

/// How the scores of a user's item and of negatives become a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RankingLoss {
    /// Bayesian personalised ranking: pairs.
    Bpr,
    /// Weighted approximate rank pairwise: the first negative that is not well below.
    Warp,
    /// The probability of the user's item among negatives.
    SampledSoftmax,
    /// The user's item has label +1, negatives -1.
    Logistic,
}

impl RankingLoss {
    /// What an example loses, by scores of which the first is that of the user's item, among `items` items. Each score gives way to its slope.
    pub fn slopes(self, scores: &mut [f32], items: usize) -> f32 {
        let [first, negatives @ ..] = scores else { return 0.0 };
        if negatives.is_empty() {
            *first = 0.0;
            return 0.0;
        }
        match self {
            RankingLoss::Bpr => {
                let loss = crate::loss::Loss::Logistic;
                let (mut sum, z) = (0.0, std::mem::take(first));
                let share = 1.0 / negatives.len() as f32;
                for other in negatives {
                    sum += share * loss.value(z - *other, 1.0);
                    let slope = share * loss.slope(z - *other, 1.0);
                    (*first, *other) = (*first + slope, -slope);
                }
                sum
            }
            RankingLoss::Warp => warp(scores, items),
            RankingLoss::SampledSoftmax => Output::Softmax.slopes(scores, &[0]),
            RankingLoss::Logistic => Output::OneVsRest(crate::loss::Loss::Logistic).slopes(scores, &[0]),
        }
    }

    /// What a model loses whose scores are all 0, as training begins, with so many negatives among so many items.
    pub fn constant(self, negatives: usize, items: usize) -> f64 {
        self.slopes(&mut vec![0.0; negatives + 1], items) as f64
    }
}

/// The loss by the first negative that is less than 1 below the user's item, and the slopes.
#[inline(always)]
fn warp(scores: &mut [f32], items: usize) -> f32 {
    let least = scores[0] - 1.0;
    let mut at = 1;
    while at < scores.len() && scores[at] <= least {
        at += 1;
    }
    if at == scores.len() {
        scores.fill(0.0);
        return 0.0;
    }
    // Of two items the one negative stands for all that are below.
    let all = items.max(3) as f32 - 1.0;
    let rank = Real::max(ln(Real::max(all / at as f32, 1.0)) / ln(all), 0.0);
    let missing = scores[at] - least;
    scores.fill(0.0);
    (scores[0], scores[at]) = (-rank, rank);
    rank * missing
}

/// A user with an item of the user's and negatives, by slot number or by place (see [`Pair`](super::Pair)).
#[derive(Clone, Debug)]
pub struct Candidates {
    /// The user's slot.
    pub user: u32,
    /// Those of the items: the user's, then negatives.
    pub items: Vec<u32>,
    /// What is taken from each negative's score; none where that is nothing.
    pub corrections: Vec<f32>,
    /// The state of the generator that draws negatives.
    pub noise: u64,
    /// How much the interaction counts: it decays its rows by so much, too.
    pub weight: f32,
}

impl Default for Candidates {
    /// Of nobody, with the weight 1.
    fn default() -> Candidates {
        Candidates { user: 0, items: Vec::new(), corrections: Vec::new(), noise: 0, weight: 1.0 }
    }
}

/// Settings of ranking by implicit feedback.
#[derive(Clone, Copy, Debug)]
pub struct Ranking<W: Width = AnyWidth> {
    loss: RankingLoss,
    rank: usize,
    l2: f32,
    /// Of an example, at most.
    negatives: usize,
    items: usize,
    width: PhantomData<W>,
}

impl Ranking {
    /// `rank`: factors a row; `l2`: lambda, per example; `negatives`: how many an example has at most; `items`: how many there are in all.
    pub fn new(loss: RankingLoss, rank: usize, l2: f32, negatives: usize, items: usize) -> Ranking {
        Ranking { loss, rank, l2, negatives, items, width: PhantomData }
    }

    /// Factors a row.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The same for rows of a width that suits the rank.
    pub(crate) fn with_width<To: Width>(&self) -> Ranking<To> {
        assert!(To::VECTORS == 0 || To::VECTORS == self.rank.div_ceil(LANES));
        let Ranking { loss, rank, l2, negatives, items, .. } = *self;
        Ranking { loss, rank, l2, negatives, items, width: PhantomData }
    }
}

/// What is kept of the example at hand.
#[derive(Debug)]
pub struct Room<V, R> {
    user: R,
    gradient: R,
    row: R,
    /// The items' rows, one after the other.
    rows: Vec<V>,
    /// Of each item its bias, `p.q` and `q.q`.
    numbers: Vec<[f32; 3]>,
    /// The scores, then the slopes.
    lines: Vec<[f32; LANES]>,
    /// `p.p`.
    user_square: f32,
}

impl<W: Width> Model for Ranking<W> {
    type Example = Candidates;
    type Scratch<V: Vector> = Room<V, W::Row<V>>;

    fn scratch<V: Vector>(&self, _longest: usize) -> Room<V, W::Row<V>> {
        let (row, n) = (|| W::row(self.rank), self.rank.div_ceil(LANES));
        let count = self.negatives + 1;
        Room {
            user: row(),
            gradient: row(),
            row: row(),
            rows: vec![V::of(0.0); count * n],
            numbers: vec![[0.0; 3]; count],
            lines: vec![[0.0; LANES]; count.div_ceil(LANES)],
            user_square: 0.0,
        }
    }

    #[inline(always)]
    fn score<P: Weights>(&self, x: &Candidates, weights: &mut P, room: &mut Room<P::V, W::Row<P::V>>) -> f32 {
        let zero = P::V::of(0.0);
        let mut own = W::take(&mut room.user);
        let user = own.as_mut();
        let n = user.len();
        weights.gather_row(x.user, user);
        let mut square = zero;
        for k in 0..n {
            square = user[k].mul_add(user[k], square);
        }
        room.user_square = square.sum();
        let count = x.items.len().min(room.numbers.len());
        let scores = room.lines.as_flattened_mut();
        for j in 0..count {
            let row = &mut room.rows[j * n..(j + 1) * n];
            let bias = weights.gather_row(x.items[j], row);
            let [mut dot, mut square] = [zero; 2];
            for k in 0..n {
                (dot, square) = (user[k].mul_add(row[k], dot), row[k].mul_add(row[k], square));
            }
            let [dot, square, _] = P::V::sums([dot, square, zero]);
            room.numbers[j] = [bias, dot, square];
            scores[j] = bias + dot;
        }
        room.user = own;
        if self.loss == RankingLoss::Bpr {
            if count < 2 {
                scores[0] = 0.0;
                return -NOWHERE; // a user of all items: nothing is lost, and nothing learnt
            }
            let difference = scores[0] - scores[1];
            (scores[0], scores[1]) = (1.0, -1.0);
            return difference;
        }
        if count < 2 {
            scores[0] = 0.0;
            return 0.0;
        }
        if self.loss == RankingLoss::Warp {
            return warp(&mut scores[..count], self.items);
        }
        let corrected = x.corrections.len().min(count - 1);
        for j in 0..corrected {
            scores[1 + j] -= x.corrections[j];
        }
        for j in count..scores.len() {
            scores[j] = NOWHERE;
        }
        let output =
            if self.loss == RankingLoss::SampledSoftmax { Output::Softmax } else { Output::OneVsRest(crate::loss::Loss::Logistic) };
        take_slopes::<P::V>(output, &mut room.lines, &[0], count)
    }

    #[inline(always)]
    fn gradient_square<V: Vector>(&self, x: &Candidates, room: &Room<V, W::Row<V>>) -> f32 {
        let n = self.rank.div_ceil(LANES);
        let slopes = room.lines.as_flattened();
        let (mut of_items, mut of_user) = (0.0, V::of(0.0));
        let count = x.items.len().min(room.numbers.len());
        for j in 0..count {
            of_items += slopes[j] * slopes[j];
        }
        for k in 0..n {
            let mut sum = V::of(0.0);
            for j in 0..count {
                sum = V::of(slopes[j]).mul_add(room.rows[j * n + k], sum);
            }
            of_user = sum.mul_add(sum, of_user);
        }
        of_items * (room.user_square + 1.0) + of_user.sum()
    }

    #[inline(always)]
    fn backward<P: Weights>(&self, x: &Candidates, slope: f32, weights: &mut P, room: &mut Room<P::V, W::Row<P::V>>) {
        let [own, mut sums, mut room_of_row] = [W::take(&mut room.user), W::take(&mut room.gradient), W::take(&mut room.row)];
        let (user, gradient, row) = (own.as_ref(), sums.as_mut(), room_of_row.as_mut());
        let n = user.len();
        let count = x.items.len().min(room.numbers.len());
        let slopes = room.lines.as_flattened();
        let negatives = if self.loss == RankingLoss::Warp { 1 } else { count.max(2) - 1 };
        let of_own = self.l2 * x.weight;
        let of_negative = of_own / negatives as f32;
        for k in 0..n {
            gradient[k] = P::V::of(of_own) * user[k];
        }
        let mut learns = false;
        for j in 0..count {
            let e = slope * slopes[j];
            if slopes[j] == 0.0 {
                continue;
            }
            learns = true;
            let l2 = if j == 0 { of_own } else { of_negative };
            let (by, decay) = (P::V::of(e), P::V::of(l2));
            let item = &room.rows[j * n..(j + 1) * n];
            for k in 0..n {
                gradient[k] = by.mul_add(item[k], gradient[k]);
                row[k] = by.mul_add(user[k], decay * item[k]);
            }
            let [bias, dot, square] = room.numbers[j];
            let square = (e * e * room.user_square + 2.0 * e * l2 * dot) + l2 * l2 * square;
            weights.step_row(x.items[j], row, square, e + l2 * bias);
        }
        if learns {
            let mut square = P::V::of(0.0);
            for k in 0..n {
                square = gradient[k].mul_add(gradient[k], square);
            }
            weights.step_row(x.user, gradient, square.sum(), 0.0);
        }
        (room.user, room.gradient, room.row) = (own, sums, room_of_row);
    }
}
