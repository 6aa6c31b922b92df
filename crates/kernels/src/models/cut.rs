//! Multiway graph cuts: each node has a share of every label, and the shares of neighbours are drawn together (Niu, Recht, Ré & Wright 2011,
//! sections 2 and 6; the relaxation is that of Călinescu, Karloff & Rabani 2000).
//!
//! An example is an edge. It loses `w |x_u - x_v|_1 / 2`, where the shares `x` of a node are 0 or more and sum up to 1: of nodes that have one
//! label each, the weight `w` if these differ. Nodes that are terminals have their own label for good.
//!
//! A step goes down the subgradient, `rate w sign(x_u - x_v)`, and projects both rows on the simplex again. It goes no further than half the
//! distance, or to a terminal the whole: without that shares would jump to and fro between neighbours that all but agree.
//!
//! The rows are set, not stepped by the rule: the projection says where they are to be. So the only rule is plain gradient descent, whose
//! rate is all that is asked of it.
use super::{Model, Width, factorization::AnyWidth};
use crate::{
    params::Weights,
    simd::{LANES, Real, Vector},
};
use std::marker::PhantomData;

/// An edge, with the slots of its ends, by number or by place (see [`Pair`](super::Pair)).
#[derive(Clone, Copy, Debug, Default)]
pub struct Edge {
    /// The slots of both ends.
    pub nodes: [u32; 2],
    /// Which of them are terminals.
    pub fixed: [bool; 2],
    /// What it costs to cut it, 0 or more.
    pub weight: f32,
}

/// Settings of a graph cut.
#[derive(Clone, Copy, Debug)]
pub struct Cut<W: Width = AnyWidth> {
    labels: usize,
    width: PhantomData<W>,
}

impl Cut {
    /// A cut into so many parts, 2 or more.
    pub fn new(labels: usize) -> Cut {
        Cut { labels, width: PhantomData }
    }

    /// Labels of a node.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// The same for rows of a width that suits the labels.
    pub(crate) fn with_width<To: Width>(&self) -> Cut<To> {
        assert!(To::VECTORS == 0 || To::VECTORS == self.labels.div_ceil(LANES));
        Cut { labels: self.labels, width: PhantomData }
    }
}

/// What is kept of the edge at hand.
#[derive(Debug)]
pub struct Room<V, R> {
    ends: [R; 2],
    /// What is taken from the first end's row, and given to the other's.
    moves: R,
    /// 1 in the lanes of labels that the last vector has.
    mask: V,
    /// `|x_u - x_v|_1`.
    distance: f32,
}

impl<W: Width> Model for Cut<W> {
    type Example = Edge;
    type Scratch<V: Vector> = Room<V, W::Row<V>>;

    fn scratch<V: Vector>(&self, _longest: usize) -> Room<V, W::Row<V>> {
        let row = || W::row(self.labels);
        Room { ends: [row(), row()], moves: row(), mask: mask(self.labels), distance: 0.0 }
    }

    #[inline(always)]
    fn score<P: Weights>(&self, x: &Edge, weights: &mut P, room: &mut Room<P::V, W::Row<P::V>>) -> f32 {
        let [first, second] = &mut room.ends;
        let (first, second, moves) = (first.as_mut(), second.as_mut(), room.moves.as_mut());
        weights.gather_weights(x.nodes[0], first);
        weights.gather_weights(x.nodes[1], second);
        let mut sum = P::V::of(0.0);
        for k in 0..moves.len() {
            moves[k] = first[k] - second[k];
            sum = sum + moves[k].abs();
        }
        room.distance = sum.sum();
        0.5 * x.weight * room.distance
    }

    /// A subgradient has the weight for each label whose shares differ.
    #[inline(always)]
    fn gradient_square<V: Vector>(&self, x: &Edge, room: &Room<V, W::Row<V>>) -> f32 {
        let (zero, mut count) = (V::of(0.0), V::of(0.0));
        for &difference in room.moves.as_ref() {
            count = count + zero.less(difference.abs(), V::of(1.0), zero);
        }
        2.0 * x.weight * x.weight * count.sum()
    }

    #[inline(always)]
    fn backward<P: Weights>(&self, x: &Edge, slope: f32, weights: &mut P, room: &mut Room<P::V, W::Row<P::V>>) {
        if room.distance == 0.0 || x.fixed == [true; 2] {
            return;
        }
        let zero = P::V::of(0.0);
        let (most, share) = (P::V::of(weights.rate() * x.weight * slope), P::V::of(if x.fixed == [false; 2] { 0.5 } else { 1.0 }));
        let moves = room.moves.as_mut();
        for k in 0..moves.len() {
            let size = (share * moves[k].abs()).min(most);
            moves[k] = moves[k].less(zero, -size, size);
        }
        for end in 0..2 {
            if x.fixed[end] {
                continue;
            }
            // As it is now: others may have moved it since.
            let (row, sign) = (room.ends[end].as_mut(), P::V::of([-1.0, 1.0][end]));
            weights.gather_weights(x.nodes[end], row);
            for k in 0..row.len() {
                row[k] = sign.mul_add(moves[k], row[k]);
            }
            project_row(row, self.labels, room.mask);
            weights.set_row(x.nodes[end], row);
        }
    }
}

/// 1 in the lanes of labels that the last vector of a row has, 0 behind them.
fn mask<V: Vector>(labels: usize) -> V {
    let mut line = [0.0; LANES];
    line[..(labels - 1) % LANES + 1].fill(1.0);
    V::load(&line)
}

/// Projects a row on the simplex (Michelot 1986): what is too much is taken from all labels alike, then from those alone that are left with
/// more than nothing, until these stay the same. The row's lanes behind the labels are 0 and stay so.
#[inline(always)]
fn project_row<V: Vector>(row: &mut [V], labels: usize, mask: V) {
    let (zero, one) = (V::of(0.0), V::of(1.0));
    let last = row.len() - 1;
    let mut sum = zero;
    for k in 0..row.len() {
        sum = sum + row[k];
    }
    let mut count = labels as f32;
    let mut threshold = (sum.sum() - 1.0) / count;
    if labels == 2 {
        // What one label is left without, the other has beyond 1.
        row[0] = (row[0] - V::of(threshold)).max(zero).min(one) * mask;
        return;
    }
    loop {
        let (at, mut sum, mut above) = (V::of(threshold), zero, zero);
        for k in 0..row.len() {
            let counted = if k == last { mask } else { one };
            sum = sum + at.less(row[k], row[k], zero);
            above = above + at.less(row[k], counted, zero);
        }
        let [sum, above, _] = V::sums([sum, above, zero]);
        if above >= count || above == 0.0 {
            break;
        }
        (count, threshold) = (above, (sum - 1.0) / above);
    }
    for k in 0..row.len() {
        row[k] = (row[k] - V::of(threshold)).max(zero);
    }
    row[last] = row[last] * mask;
}

/// Projects numbers on the simplex, exactly but for rounding: the nearest point whose numbers are 0 or more and sum up to 1.
///
/// ```
/// let mut shares = [0.9, 0.5, -0.2];
/// hogwild_kernels::models::project(&mut shares);
/// assert_eq!(shares, [0.7, 0.3, 0.0]);
/// ```
pub fn project(shares: &mut [f32]) {
    let mut falling: Vec<f64> = shares.iter().map(|&x| x as f64).collect();
    falling.sort_unstable_by(|a, b| b.total_cmp(a));
    let (mut sum, mut threshold) = (0.0, 0.0);
    for (i, x) in falling.into_iter().enumerate() {
        sum += x;
        let next = (sum - 1.0) / (i + 1) as f64;
        if x <= next {
            break;
        }
        threshold = next;
    }
    shares.iter_mut().for_each(|x| *x = (*x as f64 - threshold).max(0.0) as f32);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        params::Plain,
        rules::{Clock, Sgd},
        simd::F32x16,
    };
    use proptest::prelude::*;

    /// A row as vectors, and back.
    fn projected(shares: &[f32]) -> Vec<f32> {
        let mut lines = vec![F32x16([0.0; LANES]); shares.len().div_ceil(LANES)];
        shares.iter().enumerate().for_each(|(i, &x)| lines[i / LANES].0[i % LANES] = x);
        project_row(&mut lines, shares.len(), mask(shares.len()));
        let all: Vec<f32> = lines.iter().flat_map(|line| line.0).collect();
        assert!(all[shares.len()..].iter().all(|&x| x == 0.0));
        all[..shares.len()].to_vec()
    }

    proptest! {
        /// The vectors' projection is the sorted one, on the simplex, and nearest: no step towards a corner comes nearer.
        #[test]
        fn a_projection_is_the_nearest_point(shares in prop::collection::vec(-2.0f32..2.0, 2..40)) {
            let (one, mut other) = (projected(&shares), shares.clone());
            project(&mut other);
            prop_assert!(one.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-5), "{one:?} {other:?}");
            prop_assert!((one.iter().sum::<f32>() - 1.0).abs() < 1e-5 && one.iter().all(|&x| x >= 0.0));
            // Of a convex set: the way back is at no acute angle to any way into it.
            for corner in 0..shares.len() {
                let angle = |i: usize| (shares[i] - one[i]) * ((i == corner) as u8 as f32 - one[i]);
                prop_assert!((0..shares.len()).map(angle).sum::<f32>() < 1e-4);
            }
        }

        /// A step is the plain one: down the subgradient, no further than half the distance, and projected; terminals stay.
        #[test]
        fn a_step_is_the_plain_one(
            rows in prop::collection::vec(prop::collection::vec(0.0f32..1.0, 19), 2),
            labels in 2usize..20,
            (rate, weight) in (0.001f32..0.5, 0.0f32..4.0),
            fixed in any::<[bool; 2]>(),
        ) {
            let (model, mut weights) = (Cut::new(labels), Plain::new(Sgd, 0, 2, labels));
            let mut plain: Vec<Vec<f32>> = rows.iter().map(|row| row[..labels].to_vec()).collect();
            for (node, row) in plain.iter_mut().enumerate() {
                project(row);
                weights.wide_mut(node as u32).zip(row.iter()).for_each(|(to, &x)| *to = x);
            }
            weights.set_clock(&Clock { rate, ..Clock::default() });
            let (edge, mut room) = (Edge { nodes: [0, 1], fixed, weight }, model.scratch(2));
            let lost = model.score(&edge, &mut weights, &mut room);
            let differ: Vec<f32> = plain[0].iter().zip(&plain[1]).map(|(u, v)| u - v).collect();
            prop_assert!((lost - 0.5 * weight * differ.iter().map(|d| d.abs()).sum::<f32>()).abs() < 1e-5);
            let differing = differ.iter().filter(|d| **d != 0.0).count() as f32;
            prop_assert_eq!(model.gradient_square(&edge, &room), 2.0 * weight * weight * differing);
            model.backward(&edge, 1.0, &mut weights, &mut room);
            let most = if fixed == [false; 2] { 0.5 } else { 1.0 };
            for (node, sign) in [(0, -1.0), (1, 1.0)] {
                if !fixed[node] {
                    plain[node].iter_mut().zip(&differ).for_each(|(x, d)| *x += sign * d.signum() * (most * d.abs()).min(rate * weight));
                    project(&mut plain[node]);
                }
                let now: Vec<f32> = weights.wide_mut(node as u32).take(labels).map(|x| *x).collect();
                prop_assert!(now.iter().zip(&plain[node]).all(|(a, b)| (a - b).abs() < 1e-5), "{:?} {:?}", now, plain[node]);
            }
        }

        /// Without clipping the step is a subgradient's: at a small rate the edge loses as much as the rate times its length says.
        #[test]
        fn a_small_step_falls_by_its_gradient(share in 0.3f32..0.45) {
            let (model, mut weights) = (Cut::new(3), Plain::new(Sgd, 0, 2, 3));
            for (node, row) in [[share, 0.9 - share, 0.1], [0.9 - share, share - 0.05, 0.15]].into_iter().enumerate() {
                weights.wide_mut(node as u32).zip(row).for_each(|(to, x)| *to = x);
            }
            let rate = 1e-3;
            weights.set_clock(&Clock { rate, ..Clock::default() });
            let (edge, mut room) = (Edge { nodes: [0, 1], weight: 2.0, ..Edge::default() }, model.scratch(2));
            let before = model.score(&edge, &mut weights, &mut room);
            model.backward(&edge, 1.0, &mut weights, &mut room);
            let after = model.score(&edge, &mut weights, &mut room);
            prop_assert!(after < before, "{before} {after}");
        }
    }
}
