//! Matrix factorization by four ratings at a time, no two of which have a row in common: so what comes of it is what one after the other
//! gives, but for rounding.
//!
//! A rating alone waits for its sum, then for its slope, root and quotient, before the next one of the same row may begin. Of four, sums
//! come of one tree, and all single numbers lie in the quarters of a vector (see [`Quarters`]): biases and squared lengths `[b_u, b_i,
//! |p|^2, |q|^2]`, and their states `[.., .., s_p, s_q]`. There is one root and one quotient for all sixteen.
//!
//! A step is `p <- keep p + by q` with `keep = 1 - scale lambda` and `by = -scale slope`. So the squared length of the row follows from
//! numbers: `|p|^2 <- keep (keep |p|^2 + 2 by p.q) + by^2 |q|^2`, and only `p.q` is summed. The gradient's is `slope^2 |q|^2 + 2 slope
//! lambda p.q + lambda^2 |p|^2`, as one rating alone has it.
use super::{Factorization, Width};
use crate::{
    params::quads::{RowAt, load_tails, store_tails},
    rules::AdagradRowwise,
    simd::{Isa, LANES, Line, Quarters, Real},
};

/// The rows of four ratings.
#[derive(Clone, Copy)]
pub(crate) struct Quad<'t, W> {
    pub users: [RowAt<'t, W>; 4],
    pub items: [RowAt<'t, W>; 4],
}

/// Constants of a run, as vectors.
#[derive(Clone, Copy)]
pub(crate) struct Constants<V> {
    mean: V,
    l2: V,
    /// L2 for biases, whose gradients have it as one term with the slope; 0 for rows.
    of_biases: V,
    /// Twice L2, and its square, for rows.
    cross: V,
    square: V,
    /// What part of a squared gradient the state takes: all of a bias's, its mean over a row.
    part: V,
}

/// What a score leaves for the step.
pub(crate) struct Scored<R: Width, V: Quarters> {
    /// Factors of the four users, and of the items; none where the width is not known, as to load them once more is no slower then.
    users: [R::Row<V>; 4],
    items: [R::Row<V>; 4],
    /// `p.q`, in all lanes of a quarter.
    product: V,
    /// `[b_u, b_i, |p|^2, |q|^2]` and their states.
    numbers: V,
    states: V,
}

impl<R: Width, V: Quarters> Scored<R, V> {
    /// Room for them.
    #[inline(always)]
    pub fn room() -> Self {
        let zero = V::of(0.0);
        Scored {
            users: [R::row(0), R::row(0), R::row(0), R::row(0)],
            items: [R::row(0), R::row(0), R::row(0), R::row(0)],
            product: zero,
            numbers: zero,
            states: zero,
        }
    }
}

impl<R: Width> Factorization<R> {
    /// What stays the same over a run.
    #[inline(always)]
    pub(crate) fn constants<V: Quarters>(&self) -> Constants<V> {
        let (l2, part) = (self.l2, 1.0 / self.rank as f32);
        Constants {
            mean: V::of(self.mean),
            l2: V::of(l2),
            of_biases: V::repeated([l2, l2, 0.0, 0.0]),
            cross: V::repeated([0.0, 0.0, 2.0 * l2, 2.0 * l2]),
            square: V::repeated([0.0, 0.0, l2 * l2, l2 * l2]),
            part: V::repeated([1.0, 1.0, part, part]),
        }
    }

    /// The scores of four ratings, each in all lanes of its quarter. `n`: vectors of factors in a row.
    #[inline(always)]
    pub(crate) fn score_quad<I: Isa>(&self, isa: I, quad: &Quad<'_, R>, n: usize, c: &Constants<I::V>, to: &mut Scored<R, I::V>) -> I::V {
        let mut products = [I::V::of(0.0); 4];
        for j in 0..4 {
            for i in 0..n {
                let (p, q) = (quad.users[j].load(isa, i), quad.items[j].load(isa, i));
                products[j] = p.mul_add(q, products[j]);
                if R::VECTORS > 0 {
                    (to.users[j].as_mut()[i], to.items[j].as_mut()[i]) = (p, q);
                }
            }
        }
        (to.numbers, to.states) = I::V::interleaved(load_tails(isa, quad.users), load_tails(isa, quad.items));
        to.product = I::V::quarter_sums(products);
        ((c.mean + to.numbers.each::<0>()) + to.numbers.each::<1>()) + to.product
    }

    /// Steps the rows of four ratings whose scores were just taken, by their slopes.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // all of them are in registers
    pub(crate) fn step_quad<I: Isa>(
        &self,
        isa: I,
        quad: &Quad<'_, R>,
        n: usize,
        c: &Constants<I::V>,
        scored: &Scored<R, I::V>,
        slope: I::V,
        (rule, rate): (&AdagradRowwise, f32),
    ) {
        let &Scored { product, numbers, states, .. } = scored;
        // By what a slope is multiplied in the gradient, squared: 1 of a bias, of a row the other's squared length.
        let other = numbers.swapped().behind(I::V::of(1.0));
        let gradient = numbers.mul_add(c.of_biases, slope);
        let square = (gradient * gradient).mul_add(other, (slope * product).mul_add(c.cross, numbers * c.square));
        let scale = rule.row_scales(rate, states);
        let states = square.max(I::V::of(0.0)).mul_add(c.part, states);
        let by = -(scale * gradient);
        let keep = (-scale).mul_add(c.l2, I::V::of(1.0));
        let lengths = (by * by).mul_add(other, keep * keep.mul_add(numbers, (by + by) * product));
        let numbers = lengths.max(I::V::of(0.0)).behind(numbers + by);
        let (of_users, of_items) = I::V::parted(numbers, states);
        let Quad { users, items } = *quad;
        store_tails(isa, of_users, users);
        store_tails(isa, of_items, items);
        let (mut keeps, mut bys) = (Line([0.0; LANES]), Line([0.0; LANES]));
        let (keeps, bys) = (keep.spilled(&mut keeps), by.spilled(&mut bys));
        for j in 0..4 {
            let (keep_p, keep_q) = (I::V::of(keeps.0[4 * j + 2]), I::V::of(keeps.0[4 * j + 3]));
            let (by_p, by_q) = (I::V::of(bys.0[4 * j + 2]), I::V::of(bys.0[4 * j + 3]));
            for i in 0..n {
                let (p, q) = if R::VECTORS > 0 {
                    (scored.users[j].as_ref()[i], scored.items[j].as_ref()[i])
                } else {
                    (users[j].load(isa, i), items[j].load(isa, i))
                };
                users[j].store(isa, i, by_p.mul_add(q, keep_p * p));
                items[j].store(isa, i, by_q.mul_add(p, keep_q * q));
            }
        }
    }
}
