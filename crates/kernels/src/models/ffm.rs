//! Field-aware factorization machines (Juan, Zhuang, Chin & Lin, "Field-aware factorization machines for CTR prediction", RecSys 2016): a
//! linear model, and an effect of each pair of features that depends on the fields of both.
//!
//! `z = b + sum_j w_j x_j + sum_{i<j} <v_{i,f_j}, v_{j,f_i}> x_i x_j`: feature `i` has `rank` factors for each field, and by those for the
//! field of `j` it meets `j`. The factors of a feature are one row, `[field][rank]`; the fields of the features, by column, come with the
//! model. Columns behind the last field have no factors: as columns are ranked by frequency, these are the rare features.
//!
//! Pairs are not gone through. Rows are added up by field, `S_a = sum_{i in a} x_i v_i`; what field `a` *faces* is block `a` of the sums of
//! all others, `T_a[b] = S_b[a]`. Then the pairs come to `(sum_a <S_a, T_a> - sum_i |x_i v_{i,f_i}|^2) / 2`, and the gradient of the whole
//! row `i` is `x_i T_a`, but for what the feature itself has in block `a`. So an example costs two passes over its rows, and a move of
//! `rank` numbers for each pair of its fields.
//!
//! Where each field has one feature at most, as columns of tables do, nothing has to be added up: what a field faces is
//! [read](Weights::face) from the rows where they lie, and multiplied by the features' values. What it so faces of itself is taken out again.
//!
//! The linear part and the rate of factors are those of [`FactorizationMachine`](super::FactorizationMachine).
mod apart;

use super::{Linear, Model, Row};
use crate::{
    params::Weights,
    simd::{LANES, Real, Vector, copy, pairs},
};
use apart::Apart;
use std::sync::Arc;

/// The rank whose blocks are moved at once: the default, and that of the paper's program.
const USUAL: usize = 4;
/// Of a field that the example at hand has no feature of.
const ABSENT: u16 = u16::MAX;

/// Settings of a field-aware factorization machine.
#[derive(Clone, Debug)]
pub struct FieldAware {
    linear: Linear,
    rank: usize,
    /// How many fields there are.
    all: usize,
    /// The field of each column that has factors.
    fields: Arc<[u16]>,
    /// Places from a row of factors to the next.
    stride: u32,
    /// What all pairs are multiplied by: the square of what factors are.
    pairs: f32,
    /// What the decay of factors is multiplied by, beside that of weights.
    decay: f32,
}

impl FieldAware {
    /// The most fields.
    pub const MOST_FIELDS: usize = ABSENT as usize;

    /// The linear part; the field of each column that has factors, the first so many, among `all` fields; factors a field.
    ///
    /// # Panics
    /// When a column has another field, or there are more than [`MOST_FIELDS`](Self::MOST_FIELDS).
    pub fn new(linear: Linear, fields: Arc<[u16]>, all: usize, rank: usize) -> FieldAware {
        assert!(all <= FieldAware::MOST_FIELDS && fields.iter().all(|&field| (field as usize) < all), "a field that there is not");
        FieldAware { linear, rank, all, fields, stride: 1, pairs: 1.0, decay: 1.0 }
    }

    /// The same with parameters that are the factors divided by `rate`.
    pub fn with_rate(self, rate: f32) -> Self {
        FieldAware { pairs: rate * rate, decay: self.decay * rate * rate, ..self }
    }

    /// The same for labels that were divided by `scale`, as is the L2 of the linear part: factors are then in the unit of its root.
    pub fn with_scale(self, scale: f32) -> Self {
        FieldAware { decay: self.decay / scale, ..self }
    }

    /// The same for parameters whose rows lie so many [places](crate::params::Parameters::row_stride) apart; one in
    /// [`Plain`](crate::params::Plain) ones.
    pub fn with_stride(self, stride: u32) -> Self {
        FieldAware { stride, ..self }
    }

    /// Vectors of a row.
    fn vectors(&self) -> usize {
        (self.all * self.rank).div_ceil(LANES)
    }

    /// A feature of an example, where it has factors: its slot of the linear part, its value, its field, and where its factors lie.
    #[inline(always)]
    fn feature(&self, x: &Row, i: usize) -> Option<(u32, f32, usize, u32)> {
        let block = &x.blocks[i / LANES];
        let (slot, value) = (block.rows.0[i % LANES], block.values.0[i % LANES]);
        let column = slot.wrapping_sub(1);
        let &field = self.fields.get(column as usize)?;
        Some((slot, value, field as usize, column * self.stride))
    }

    /// Where the factors of an example's features lie.
    pub(crate) fn places(&self, x: &Row) -> impl Iterator<Item = u32> {
        (0..x.features).filter_map(|i| self.feature(x, i).map(|(.., place)| place))
    }
}

/// Numbers that begin at a line of the cache.
#[derive(Debug)]
struct Lines {
    numbers: Vec<f32>,
    first: usize,
}

impl Lines {
    fn new(count: usize) -> Lines {
        let numbers = vec![0f32; count + LANES];
        let first = numbers.as_ptr().align_offset(size_of::<[f32; LANES]>()).min(LANES);
        Lines { numbers, first }
    }

    #[inline(always)]
    fn all(&self) -> &[f32] {
        &self.numbers[self.first..]
    }

    #[inline(always)]
    fn all_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[self.first..]
    }
}

/// What is kept of the example at hand.
#[derive(Debug)]
pub struct Room<V> {
    /// Of the linear part.
    linear: Vec<V>,
    /// The fields that the example has, in the order in which they come, and whether each has several features.
    present: Vec<(u16, bool)>,
    /// By field, its place among these.
    places: Vec<u16>,
    /// A row for each field that is present: `S` and `T` above.
    sums: Lines,
    facing: Lines,
    /// `x_i v_{i,f_i}` by feature.
    own: Vec<f32>,
    /// The squared length of what each field faces.
    squares: Vec<f32>,
    /// Rows by feature, where they are penalised.
    kept: Vec<V>,
    row: Vec<V>,
    line: Lines,
    apart: Apart,
}

impl FieldAware {
    /// Forgets the example before.
    #[inline(always)]
    fn begin<V>(&self, room: &mut Room<V>) {
        for &(field, _) in &room.present {
            room.places[field as usize] = ABSENT;
        }
        room.present.clear();
    }

    /// Adds a feature's row, which is in the room, to the sum of its field.
    #[inline(always)]
    fn add<V: Vector>(&self, i: usize, value: f32, field: usize, room: &mut Room<V>) {
        let (rank, width) = (self.rank, room.row.len() * LANES);
        let value = V::of(value);
        let own = &mut room.own[i * rank..][..rank];
        let place = room.places[field];
        if place == ABSENT {
            let place = room.present.len();
            room.places[field] = place as u16;
            room.present.push((field as u16, false));
            let sums = &mut room.sums.all_mut()[place * width..][..width];
            for (sum, &v) in pairs(sums.as_chunks_mut().0, &room.row) {
                (value * v).store(sum);
            }
            copy(&sums[field * rank..][..rank], own);
            return;
        }
        room.present[place as usize].1 = true;
        let sums = &mut room.sums.all_mut()[place as usize * width..][..width];
        let line = &mut room.line.all_mut()[..width];
        for (k, sum) in sums.as_chunks_mut().0.iter_mut().enumerate() {
            let v = value * room.row[k];
            v.store(&mut line.as_chunks_mut().0[k]);
            (V::load(sum) + v).store(sum);
        }
        copy(&line[field * rank..][..rank], own);
    }

    /// The squares of what features of fields with several of them have in common with themselves.
    #[inline(always)]
    fn own_squares<V>(&self, x: &Row, room: &Room<V>) -> f32 {
        let mut squares = 0.0;
        if room.present.iter().any(|&(_, several)| several) {
            for i in 0..x.features {
                if let Some((_, _, field, _)) = self.feature(x, i)
                    && room.present[room.places[field] as usize].1
                {
                    for &v in &room.own[i * self.rank..][..self.rank] {
                        squares = Real::mul_add(v, v, squares);
                    }
                }
            }
        }
        squares
    }

    /// The gradient for the factors of a feature, where that is not simply what its field faces: what the feature has of its own in the block
    /// of its field, where that has several, is no part of it, and decay is. Gives its squared length.
    #[inline(always)]
    fn gradient<V: Vector>(
        &self,
        (field, by): (usize, f32),
        facing: &[f32],
        own: &[f32],
        decay: Option<(f32, &[V])>,
        line: &mut [f32],
    ) -> f32 {
        for (g, t) in pairs(line.as_chunks_mut().0, facing.as_chunks().0) {
            (V::of(by) * V::load(t)).store(g);
        }
        for k in 0..own.len() {
            line[field * self.rank + k] = by * (facing[field * self.rank + k] - own[k]);
        }
        let mut square = V::of(0.0);
        let (factor, kept) = decay.unwrap_or_default();
        for (k, g) in line.as_chunks_mut().0.iter_mut().enumerate() {
            let mut v = V::load(g);
            if !kept.is_empty() {
                v = V::of(factor).mul_add(kept[k], v);
                v.store(g);
            }
            square = v.mul_add(v, square);
        }
        square.sum()
    }
}

/// Works out what each field faces: of itself, what its own features are together where there are several. What it faces of absent fields is
/// left as it was.
///
/// Compiled once, and not into each loop: no vector is wider than a block, and the loops have no registers left for its five pointers.
#[inline(never)]
fn face((rank, width): (usize, usize), present: &[(u16, bool)], sums: &[f32], facing: &mut [f32]) {
    for (&(field, several), to) in pairs(present, facing.chunks_exact_mut(width.max(1))) {
        let field = field as usize;
        if rank == USUAL {
            let to = to.as_chunks_mut::<USUAL>().0;
            for (from, &(other, _)) in pairs(sums.chunks_exact(width), present) {
                to[other as usize] = from.as_chunks::<USUAL>().0[field];
            }
        } else {
            for (from, &(other, _)) in pairs(sums.chunks_exact(width), present) {
                copy(&from[field * rank..][..rank], &mut to[other as usize * rank..]);
            }
        }
        if !several {
            to[field * rank..][..rank].fill(0.0);
        }
    }
}

impl Model for FieldAware {
    type Example = Row;
    type Scratch<V: Vector> = Room<V>;
    const FIRST_ROW: Option<u32> = Some(0);

    fn scratch<V: Vector>(&self, longest: usize) -> Room<V> {
        let n = self.vectors();
        let rows = longest.min(self.all);
        let kept = if self.linear.penalises() { longest * n } else { 0 };
        Room {
            linear: self.linear.scratch(longest),
            present: Vec::with_capacity(rows),
            places: vec![ABSENT; self.all],
            sums: Lines::new(rows * n * LANES),
            facing: Lines::new(rows * n * LANES),
            own: vec![0.0; longest * self.rank],
            squares: vec![0.0; rows],
            kept: vec![V::of(0.0); kept],
            row: vec![V::of(0.0); n],
            line: Lines::new(n * LANES),
            apart: Apart::new(rows, n),
        }
    }

    #[inline(always)]
    fn score<P: Weights>(&self, x: &Row, weights: &mut P, room: &mut Room<P::V>) -> f32 {
        let z = self.linear.score(x, weights, &mut room.linear);
        let (n, keeps) = (room.row.len(), self.linear.penalises());
        self.begin(room);
        if !keeps && self.may_lie_apart() && weights.faces() {
            if self.lay(x, &mut room.present, &mut room.places, &mut room.apart) {
                return z + 0.5 * self.pairs * self.score_apart(weights, room);
            }
            self.begin(room);
        }
        for i in 0..x.features {
            let Some((_, value, field, place)) = self.feature(x, i) else { continue };
            weights.gather_weights(place, &mut room.row);
            if keeps {
                for (kept, &v) in pairs(&mut room.kept[i * n..][..n], &room.row) {
                    *kept = v;
                }
            }
            self.add(i, value, field, room);
        }
        let count = room.present.len() * n * LANES;
        for line in room.facing.all_mut()[..count].as_chunks_mut().0 {
            P::V::of(0.0).store(line);
        }
        face((self.rank, n * LANES), &room.present, room.sums.all(), room.facing.all_mut());
        // Two sums, so that no addition waits for the one before.
        let [mut even, mut odd] = [P::V::of(0.0); 2];
        let (sums, facing) = (room.sums.all().as_chunks::<LANES>().0, room.facing.all().as_chunks::<LANES>().0);
        for place in 0..room.present.len() {
            let (sums, facing, mut squares) = (&sums[place * n..][..n], &facing[place * n..][..n], P::V::of(0.0));
            for k in 0..n {
                let t = P::V::load(&facing[k]);
                squares = t.mul_add(t, squares);
                (even, odd) = (odd, P::V::load(&sums[k]).mul_add(t, even));
            }
            room.squares[place] = squares.sum();
        }
        z + 0.5 * self.pairs * ((even + odd).sum() - self.own_squares(x, room))
    }

    #[inline(always)]
    fn gradient_square<V: Vector>(&self, x: &Row, room: &Room<V>) -> f32 {
        let (rank, width) = (self.rank, room.row.len() * LANES);
        let mut sum = 0.0;
        for i in 0..x.features {
            let Some((_, value, field, _)) = self.feature(x, i) else { continue };
            let place = room.places[field] as usize;
            let facing = &room.facing.all()[place * width..][..width];
            let mut square = room.squares[place];
            if room.present[place].1 {
                for k in 0..rank {
                    let (t, own) = (facing[field * rank + k], room.own[i * rank + k]);
                    square += (t - own) * (t - own) - t * t;
                }
            }
            sum += value * value * square;
        }
        self.linear.gradient_square(x, &room.linear) + self.pairs * self.pairs * sum
    }

    #[inline(always)]
    fn backward<P: Weights>(&self, x: &Row, slope: f32, weights: &mut P, room: &mut Room<P::V>) {
        self.linear.backward(x, slope, weights, &mut room.linear);
        let keeps = self.linear.penalises();
        if slope == 0.0 && !keeps {
            return;
        }
        let (n, width) = (room.row.len(), room.row.len() * LANES);
        for i in 0..x.features {
            let Some((slot, value, field, place)) = self.feature(x, i) else { continue };
            let (mut by, at) = (slope * self.pairs * value, room.places[field] as usize);
            let mut square = room.squares[at];
            let is_faced = !keeps && !room.present[at].1;
            if !is_faced {
                let decay = if keeps { Some((self.linear.decay(slot) * self.decay, &room.kept[i * n..][..n])) } else { None };
                let own = if room.present[at].1 { &room.own[i * self.rank..][..self.rank] } else { &[] };
                let (facing, line) = (&room.facing.all()[at * width..][..width], &mut room.line.all_mut()[..width]);
                square = self.gradient((field, by), facing, own, decay, line);
                by = 1.0;
            }
            // One step, so that it stands in a loop once.
            let gradient = if is_faced { &room.facing.all()[at * width..][..width] } else { &room.line.all()[..width] };
            weights.step_row_times(place, by, (gradient.as_chunks().0, square), &mut room.row);
        }
    }
}
