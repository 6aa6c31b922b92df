//! The cells of a row, and the loop that scoring a linear model is.
//!
//! The memory may be that of a file which someone changes meanwhile: nothing is taken for granted of a column that was read. (Plain loops:
//! without ThinLTO `zip` and its like are calls, which take as long as a cell.)
use super::score::Asked;
use hogwild_kernels::feed::row_length;
use std::ops::Add;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Sums of a row: they hide how long an addition takes.
pub(super) const SUMS: usize = 8;

/// A row of data, which is divided by its length if it has one.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    columns: &'a [AtomicU32],
    /// As many; none where all are 1.
    values: Option<&'a [AtomicU32]>,
    length: Option<f64>,
}

impl<'a> Cells<'a> {
    #[inline(always)]
    pub fn of(asked: &Asked<'a>, row: u32, unit_rows: bool) -> Cells<'a> {
        let range = asked.data.row_range(row as usize);
        let columns = asked.data.column_cells().get(range.clone()).unwrap_or_default();
        let values = asked.data.value_cells().map(|values| values.get(range).unwrap_or_default());
        let mut cells = Cells { columns, values, length: None };
        if unit_rows {
            cells.length = Some(row_length((0..cells.len()).map(|i| cells.value(i))));
        }
        cells
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.values.map_or(self.columns.len(), |values| values.len().min(self.columns.len()))
    }

    #[inline(always)]
    pub fn column(&self, i: usize) -> u32 {
        self.columns[i].load(Relaxed)
    }

    /// As the data have it.
    #[inline(always)]
    fn value(&self, i: usize) -> f32 {
        self.values.map_or(1.0, |values| f32::from_bits(values[i].load(Relaxed)))
    }

    /// Copies them, as they are scored, with the model's column of each (`u32::MAX` where there is none).
    #[inline(always)]
    pub fn put(&self, asked: &Asked<'_>, features: &mut Vec<(u32, f32)>) {
        features.clear();
        for i in 0..self.len() {
            features.push((asked.column(self.column(i)), self.value(i)));
        }
        if let Some(length) = self.length {
            for (_, value) in features {
                *value = (f64::from(*value) / length) as f32;
            }
        }
    }

    /// The sum of weight times value. It has 64 bits, so that the order of cells, which differs by file, all but never shows in the score.
    #[inline(always)]
    pub fn dot(&self, weight: impl Fn(u32) -> f32) -> f32 {
        let weight = |column| f64::from(weight(column));
        let sum = match self.values {
            None => dot(self.columns, self.columns, |column, _| weight(column)),
            Some(values) => dot(self.columns, values, |column, value| weight(column) * f64::from(f32::from_bits(value))),
        };
        self.length.map_or(sum, |length| sum / length) as f32
    }

    /// How many of the cells are of such a column.
    #[inline(always)]
    pub fn count(&self, is: impl Fn(u32) -> bool) -> u64 {
        let mut count = 0;
        for i in 0..self.len() {
            count += u64::from(is(self.column(i)));
        }
        count
    }
}

/// Does the same to each pair of numbers, `(0.., 0..)` of two of one length: by eight, by four and by one, as rows of a model are short.
#[inline(always)]
pub(super) fn each_of_two(to: &mut [f32], from: &[f32], mut each: impl FnMut(&mut f32, f32)) {
    #[inline(always)]
    fn blocks<const N: usize>(to: &mut [[f32; N]], from: &[[f32; N]], each: &mut impl FnMut(&mut f32, f32)) {
        for block in 0..to.len().min(from.len()) {
            let (to, from) = (&mut to[block], &from[block]);
            for i in 0..N {
                each(&mut to[i], from[i]);
            }
        }
    }
    let ((to, to_rest), (from, from_rest)) = (to.as_chunks_mut::<8>(), from.as_chunks::<8>());
    blocks(to, from, &mut each);
    let ((to, to_rest), (from, from_rest)) = (to_rest.as_chunks_mut::<4>(), from_rest.as_chunks::<4>());
    blocks(to, from, &mut each);
    let ((to, _), (from, _)) = (to_rest.as_chunks_mut::<1>(), from_rest.as_chunks::<1>());
    blocks(to, from, &mut each);
}

/// Adds the products of two rows of one length, each times `scale`, to some sums.
#[inline(always)]
pub(super) fn add_products(sums: &mut [f32; 4], scale: f32, (one, other): (&[f32], &[f32])) {
    let ((one, one_rest), (other, other_rest)) = (one.as_chunks::<4>(), other.as_chunks::<4>());
    for block in 0..one.len().min(other.len()) {
        let (one, other) = (&one[block], &other[block]);
        for i in 0..4 {
            sums[i] += (one[i] * scale) * (other[i] * scale);
        }
    }
    for i in 0..one_rest.len().min(other_rest.len()).min(4) {
        sums[i] += (one_rest[i] * scale) * (other_rest[i] * scale);
    }
}

#[inline(always)]
fn dot(columns: &[AtomicU32], values: &[AtomicU32], term: impl Fn(u32, u32) -> f64) -> f64 {
    let mut sums = [0.0; SUMS];
    let term = |column: &AtomicU32, value: &AtomicU32| term(column.load(Relaxed), value.load(Relaxed));
    // By arrays, whose cells need no check.
    let (columns, last_columns) = columns.as_chunks::<SUMS>();
    let (values, last_values) = values.as_chunks::<SUMS>();
    for block in 0..columns.len().min(values.len()) {
        let (columns, values) = (&columns[block], &values[block]);
        for lane in 0..SUMS {
            sums[lane] += term(&columns[lane], &values[lane]);
        }
    }
    for lane in 0..last_columns.len().min(last_values.len()).min(SUMS) {
        sums[lane] += term(&last_columns[lane], &last_values[lane]);
    }
    total(sums)
}

/// What the sums of a row come to.
#[inline(always)]
pub(super) fn total<T: Add<Output = T>>([a, b, c, d, e, f, g, h]: [T; SUMS]) -> T {
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cells(numbers: impl Iterator<Item = u32>) -> Vec<AtomicU32> {
        numbers.map(AtomicU32::new).collect()
    }

    proptest! {
        #[test]
        fn as_one_after_the_other(
            row in proptest::collection::vec((0u32..40, -4f32..4.0), 0..70),
            weights in proptest::collection::vec(-2f32..2.0, 30),
            length in proptest::option::of(0.5f64..3.0),
            has_values: bool,
        ) {
            let columns = cells(row.iter().map(|&(column, _)| column));
            let values = cells(row.iter().map(|&(_, value)| value.to_bits()));
            let row_of = Cells { columns: &columns, values: has_values.then_some(&values[..]), length };
            let weight = |column: u32| weights.get(column as usize).copied().unwrap_or(0.0);
            let value = |x: f32| f64::from(if has_values { x } else { 1.0 }) / length.unwrap_or(1.0);
            let expected: f64 = row.iter().map(|&(column, x)| f64::from(weight(column)) * value(x)).sum();
            let found = f64::from(row_of.dot(weight));
            prop_assert!((found - expected).abs() <= 1e-6 * (1.0 + expected.abs()), "{found} {expected}");
            let unknown = row.iter().filter(|cell| cell.0 >= 30).count() as u64;
            prop_assert_eq!(row_of.count(|column| column >= 30), unknown);
        }

        #[test]
        fn rows_of_any_length(row in proptest::collection::vec((-4f32..4.0, -4f32..4.0), 0..45)) {
            let (one, other): (Vec<f32>, Vec<f32>) = row.iter().copied().unzip();
            let mut sums = one.clone();
            each_of_two(&mut sums, &other, |sum, x| *sum += 2.0 * x);
            prop_assert!(sums.iter().zip(&row).all(|(&sum, (a, b))| sum == a + 2.0 * b));
            let mut products = [0.0; 4];
            add_products(&mut products, 2.0, (&one, &other));
            let expected: f64 = row.iter().map(|&(a, b)| 4.0 * f64::from(a) * f64::from(b)).sum();
            prop_assert!((f64::from(products.iter().sum::<f32>()) - expected).abs() < 1e-3);
        }
    }
}
