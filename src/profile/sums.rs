//! One pass over rows: sums by feature and by column, part by part on all threads.
use super::NumbersProfile;
use hogwild_base::{Result, memory, threads};
use hogwild_data::Rows;
use std::{collections::HashSet, ops::Range, sync::atomic::Ordering::Relaxed};

/// Different numbers of a column that are told apart.
pub(super) const MOST_NUMBERS: usize = 1 << 12;
/// Stands for no column.
pub(super) const NONE: u32 = u32::MAX;
/// Rows that are worth a part, and the most parts: the same on any number of threads, so that the sums are the same.
const FEW: usize = 1 << 12;
const PARTS: usize = 4;

/// What is gone through.
pub(super) struct Pass<'a> {
    pub data: &'a Rows,
    /// The column of each feature.
    pub of_feature: &'a [u32],
    /// Whether a column is of numbers.
    pub are_numbers: &'a [bool],
    /// What the label of a row counts for.
    pub label: &'a (dyn Fn(usize) -> f64 + Sync),
}

/// Weighted means of a number `x` and of a label `y` with it, and sums of squares about these (Chan, Golub & LeVeque 1983): numbers far
/// from 0 lose no digits.
#[derive(Clone, Copy, Default)]
pub(super) struct Moments {
    pub w: f64,
    pub x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

/// Of a column.
#[derive(Clone)]
pub(super) struct OfColumn {
    /// Examples that have a value, by weight.
    pub there: f64,
    /// The last row that had one.
    last: usize,
    /// Of a column of numbers: these with the labels, their range, and the bits of those that are told apart.
    pub moments: Moments,
    pub range: (f32, f32),
    pub distinct: HashSet<u32>,
}

/// What the rows come to.
#[derive(Default)]
pub(super) struct Sums {
    /// Of the labels.
    pub all: Moments,
    pub columns: Vec<OfColumn>,
    /// Of each feature: weight, and weight times label.
    pub features: Vec<[f64; 2]>,
}

impl Moments {
    fn add(&mut self, w: f64, x: f64, y: f64) {
        self.join(&Moments { w, x, y, ..Moments::default() });
    }

    fn join(&mut self, o: &Moments) {
        let w = self.w + o.w;
        if o.w <= 0.0 || w <= 0.0 {
            return;
        }
        let (dx, dy, share) = (o.x - self.x, o.y - self.y, o.w / w);
        let both = self.w * share;
        self.xx += o.xx + dx * dx * both;
        self.yy += o.yy + dy * dy * both;
        self.xy += o.xy + dx * dy * both;
        (self.w, self.x, self.y) = (w, self.x + dx * share, self.y + dy * share);
    }

    /// The variance of the numbers.
    pub fn variance(&self) -> f64 {
        if self.w > 0.0 { self.xx / self.w } else { 0.0 }
    }

    /// How the numbers are spread.
    pub fn numbers(&self, (min, max): (f32, f32)) -> NumbersProfile {
        NumbersProfile { mean: self.x, deviation: self.variance().sqrt(), min, max }
    }

    /// The share of the label's variance that goes with the numbers by a straight line.
    pub fn told(&self) -> f64 {
        if self.xx > 0.0 && self.yy > 0.0 { (self.xy * self.xy / (self.xx * self.yy)).min(1.0) } else { 0.0 }
    }
}

impl Default for OfColumn {
    fn default() -> OfColumn {
        let range = (f32::INFINITY, f32::NEG_INFINITY);
        OfColumn { there: 0.0, last: usize::MAX, moments: Moments::default(), range, distinct: HashSet::new() }
    }
}

impl Pass<'_> {
    /// # Errors
    /// Too little memory; a file that cannot be read.
    pub fn run(&self) -> Result<Sums> {
        let rows = self.data.rows();
        let parts = rows.div_ceil(FEW).clamp(1, PARTS);
        let bytes = ((parts + 1) * self.data.columns() * size_of::<[f64; 2]>()) as u64;
        memory::ask(bytes, || format!("{}: sums over all features", self.data.name().display()), "describe fewer rows or columns")?;
        let cut = |part: usize| rows * part / parts;
        let sums = threads::map(parts, |part| self.part(cut(part)..cut(part + 1)));
        self.data.whole()?;
        Ok(sums.into_iter().fold(self.nothing(), Sums::join))
    }

    fn nothing(&self) -> Sums {
        Sums {
            all: Moments::default(),
            columns: vec![OfColumn::default(); self.are_numbers.len()],
            features: vec![[0.0; 2]; self.data.columns()],
        }
    }

    fn part(&self, rows: Range<usize>) -> Sums {
        let (mut sums, cells, values) = (self.nothing(), self.data.column_cells(), self.data.value_cells());
        for row in rows {
            let (w, y) = (f64::from(self.data.weight(row)), (self.label)(row));
            sums.all.add(w, y, y);
            for cell in self.data.row_range(row) {
                let feature = cells[cell].load(Relaxed) as usize;
                let Some([weight, label]) = sums.features.get_mut(feature) else { continue };
                (*weight, *label) = (*weight + w, *label + w * y);
                let Some(of) = self.of_feature.get(feature).and_then(|&column| sums.columns.get_mut(column as usize)) else { continue };
                if of.last != row {
                    (of.last, of.there) = (row, of.there + w);
                }
                if self.are_numbers[self.of_feature[feature] as usize] {
                    let x = values.map_or(1.0, |values| f32::from_bits(values[cell].load(Relaxed)));
                    of.moments.add(w, f64::from(x), y);
                    of.range = (of.range.0.min(x), of.range.1.max(x));
                    if of.distinct.len() <= MOST_NUMBERS {
                        of.distinct.insert((x + 0.0).to_bits());
                    }
                }
            }
        }
        sums
    }
}

impl Sums {
    fn join(mut self, other: Sums) -> Sums {
        self.all.join(&other.all);
        for (of, more) in self.columns.iter_mut().zip(other.columns) {
            of.there += more.there;
            of.moments.join(&more.moments);
            of.range = (of.range.0.min(more.range.0), of.range.1.max(more.range.1));
            of.distinct.extend(more.distinct);
        }
        for ([weight, label], more) in self.features.iter_mut().zip(other.features) {
            (*weight, *label) = (*weight + more[0], *label + more[1]);
        }
        self
    }
}
