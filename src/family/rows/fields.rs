//! Fields of features, for models that go by them: those of a run's data, and what pairs of features come to by a model's factors.
use super::{
    cells::{add_products, each_of_two},
    score::Scorer,
};
use crate::options::Settings;
use hogwild_base::{Error, Result, memory, threads};
use hogwild_data::{Fields, Ids, Rows};
use hogwild_kernels::simd::LANES;
use std::sync::Arc;

/// The fields of a run's data.
pub(crate) struct RunFields {
    pub names: Arc<Ids>,
    /// The field of each column, as models keep it.
    pub of: Vec<f32>,
    /// Of the columns that have factors, the first so many.
    pub factored: Arc<[u16]>,
}

impl RunFields {
    /// # Errors
    /// When the data have none; examples that take more memory than there is.
    pub fn of(data: &Rows, settings: &Settings) -> Result<RunFields> {
        let none = || {
            let problem = "has no features with fields, which an ffm model goes by".into();
            let remedy = "give libffm's rows of at most 65535 fields (the text, where a packed file has lost its fields), a table with a \
                heading, JSON lines or namespaces, without `hash_bits`; or use an fm model";
            Error::BadFile { path: data.name().to_owned(), problem, remedy }
        };
        let Fields { of, names } = data.fields()?.filter(|fields| !fields.names.is_empty()).ok_or_else(none)?;
        // A worker keeps what each field has, what it faces and, where factors decay, the rows of all features.
        let (workers, rank) = (settings.all_threads().max(1), settings.rank);
        let remedy = "use fewer `threads` or a smaller `rank`";
        ask(data.longest_row(), names.len(), rank, (2 * workers, if settings.l2 > 0.0 { workers } else { 0 }), remedy)?;
        // Columns are ranked by their counts.
        let least = settings.least_count();
        let factored = data.feature_counts()?.partition_point(|&count| count >= least).min(of.len());
        Ok(RunFields { names: names.into(), factored: of[..factored].into(), of: of.into_iter().map(f32::from).collect() })
    }
}

/// Asks for the memory of so many rows of factors for each field of an example, and for each of its features.
fn ask(longest: usize, all: usize, rank: usize, (by_field, by_feature): (usize, usize), remedy: &'static str) -> Result<()> {
    let (most, longest) = (longest.min(all) as u64, longest as u64);
    let row = ((all.saturating_mul(rank) / LANES + 1) as u64).saturating_mul((LANES * size_of::<f32>()) as u64);
    let rows = most.saturating_mul(by_field as u64).saturating_add(longest.saturating_mul(by_feature as u64));
    let what = || format!("what is kept of an example, of up to {most} fields out of {all},");
    memory::ask(row.saturating_mul(rows), what, remedy)
}

/// The fields that a model scores by.
#[derive(Clone, Copy)]
pub(crate) struct ByField<'a> {
    /// The field of each column.
    pub of: &'a [f32],
    /// How many fields there are.
    pub all: usize,
}

impl ByField<'_> {
    /// Asks for what all threads keep of an example, of so many features at most, while they score.
    pub fn ask(&self, longest: usize, rank: usize) -> Result<()> {
        ask(longest, self.all, rank, (threads::count(), 0), "use fewer `threads`")
    }
}

/// The rows of an example's features, added up by field: see the kernel's `FieldAware`.
pub(super) struct FieldSums<'a> {
    fields: ByField<'a>,
    rank: usize,
    /// The fields that are present, and the place of each among them, plus one; 0 for those that are not.
    present: Vec<usize>,
    places: Vec<usize>,
    /// A row for each field that is present.
    sums: Vec<f32>,
    /// The squares of what features have in common with themselves.
    own: f32,
}

impl<'a> FieldSums<'a> {
    /// Of a model that goes by fields.
    pub fn of(scorer: &Scorer<'a>) -> Option<FieldSums<'a>> {
        let (fields, rank) = (scorer.fields?, scorer.rank);
        Some(FieldSums { fields, rank, present: Vec::new(), places: vec![0; fields.all], sums: Vec::new(), own: 0.0 })
    }

    /// Forgets the example before.
    #[inline(always)]
    pub fn clear(&mut self) {
        self.present.drain(..).for_each(|field| self.places[field] = 0);
        self.sums.clear();
        self.own = 0.0;
    }

    /// Adds a feature, if it has factors: of these is a row for each field.
    #[inline(always)]
    pub fn add(&mut self, column: usize, value: f32, factors: &[f32]) {
        let width = self.fields.all * self.rank;
        let row = column.checked_mul(width).and_then(|from| factors.get(from..)?.get(..width));
        // A file may say anything.
        let field = self.fields.of.get(column).map(|&field| field as usize).filter(|&field| field < self.fields.all);
        let (Some(row), Some(field)) = (row, field) else { return };
        if self.places[field] == 0 {
            self.present.push(field);
            self.places[field] = self.present.len();
            self.sums.resize(self.present.len() * width, 0.0);
        }
        let sums = &mut self.sums[(self.places[field] - 1) * width..][..width];
        each_of_two(sums, row, |sum, v| *sum += value * v);
        let mut own = [0.0; 4];
        let facing = &row[field * self.rank..][..self.rank];
        add_products(&mut own, value, (facing, facing));
        self.own += own.iter().sum::<f32>();
    }

    /// What all pairs come to.
    #[inline(always)]
    pub fn pairs(&self) -> f32 {
        let (rank, width) = (self.rank, self.fields.all * self.rank);
        let block = |place: usize, field: usize| &self.sums[place * width + field * rank..][..rank];
        let (mut pairs, mut own) = ([0.0; 4], [0.0; 4]);
        for (a, &field) in self.present.iter().enumerate() {
            add_products(&mut own, 1.0, (block(a, field), block(a, field)));
            for (b, &other) in self.present.iter().enumerate().skip(a + 1) {
                add_products(&mut pairs, 1.0, (block(a, other), block(b, field)));
            }
        }
        pairs.iter().sum::<f32>() + 0.5 * (own.iter().sum::<f32>() - self.own)
    }
}
