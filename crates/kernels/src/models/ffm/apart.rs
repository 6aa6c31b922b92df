//! Examples of one feature a field at most, as columns of tables give: nothing has to be added up by field.
//!
//! What a field faces is read from the rows of the other features where they lie, a quarter of a vector for each, and multiplied by their
//! values. What it so faces of itself is taken out again.
use super::{ABSENT, FieldAware, Lines, Room, USUAL};
use crate::{
    models::Row,
    params::Weights,
    simd::{LANES, Line, Real, Vector, pairs},
};

/// An example of one feature a field at most, laid out for [`Weights::face`].
#[derive(Debug)]
pub(super) struct Apart {
    /// By field that is present: the value of its feature, and where that one's row lies.
    features: Vec<(f32, u32)>,
    /// Of a row of all fields: where the rows are, by four numbers, and the values, by number.
    places: Vec<Line<u32>>,
    values: Lines,
}

impl Apart {
    /// Room for so many features, of rows of so many vectors.
    pub fn new(features: usize, vectors: usize) -> Apart {
        let places = vec![Line([0; LANES]); vectors.div_ceil(LANES / USUAL)];
        Apart { features: Vec::with_capacity(features), places, values: Lines::new(vectors * LANES) }
    }
}

impl FieldAware {
    /// Whether a block is a quarter of a vector.
    pub(super) fn may_lie_apart(&self) -> bool {
        self.rank == USUAL
    }

    /// Lays an example out, where each field has one feature at most; else says that it is to be added up by field.
    ///
    /// Compiled once: no vector is worth more than the stores of sixteen bytes here.
    #[inline(never)]
    pub(super) fn lay(&self, x: &Row, present: &mut Vec<(u16, bool)>, at: &mut [u16], apart: &mut Apart) -> bool {
        apart.features.clear();
        for i in 0..x.features {
            let Some((_, value, field, place)) = self.feature(x, i) else { continue };
            if at[field] != ABSENT {
                return false;
            }
            at[field] = present.len() as u16;
            present.push((field as u16, false));
            apart.features.push((value, place));
        }
        // Fields that are absent have any place, and the value 0. A field's block is the quarter of that number.
        let some = apart.features.first().map_or(0, |&(_, place)| place);
        apart.places.fill(Line([some; LANES]));
        let values = apart.values.all_mut();
        values.fill(0.0);
        for (&(field, _), &(value, place)) in present.iter().zip(&apart.features) {
            let field = field as usize;
            values.as_chunks_mut().0[field] = [value; USUAL];
            apart.places[field / LANES].0[field % LANES] = place;
        }
        true
    }

    /// The score of the pairs of an example that is so laid out.
    #[inline(always)]
    pub(super) fn score_apart<P: Weights>(&self, weights: &mut P, room: &mut Room<P::V>) -> f32 {
        let n = room.row.len();
        weights.face_places(&mut room.apart.places);
        let (mut sum, mut own_squares) = (P::V::of(0.0), 0.0);
        for (at, (&(field, _), &(value, place))) in pairs(&room.present, &room.apart.features).enumerate() {
            let first = field as usize * USUAL;
            let others = (&room.apart.places[..], &room.apart.values.all().as_chunks().0[..n]);
            let to = &mut room.facing.all_mut()[at * n * LANES..][..n * LANES];
            let [product, square] = weights.face((place, first), others, to.as_chunks_mut().0, &mut room.row);
            let own_square = take(&mut to[first..][..USUAL]);
            room.squares[at] = square.sum() - own_square;
            sum = P::V::of(value).mul_add(product, sum);
            own_squares += own_square;
        }
        sum.sum() - own_squares
    }
}

/// Leaves zeros; gives the squared length of what was there.
#[inline(always)]
fn take(numbers: &mut [f32]) -> f32 {
    let mut square = 0.0;
    for i in 0..numbers.len() {
        square = Real::mul_add(numbers[i], numbers[i], square);
        numbers[i] = 0.0;
    }
    square
}
