//! What the machine lets an epoch have at best, whatever the trainer does.
//!
//! - Streaming: all packed bytes are read once, in order, from memory.
//! - Random lines, of linear models: a nonzero whose parameters lie in no near cache costs a line from a random place. Caches are
//!   taken to hold the most frequent rows, as many as they have room for: a line comes from the last-level cache where its row is
//!   beyond what a core has for itself, and from memory where it is beyond the last-level cache. Ratings are visited in tiles whose
//!   rows are near.
//!
//! Both overlap, so the longer one is the limit. Each goes by what as many threads have been measured to read. Lines written back are
//! not counted, nor are instructions. Streaming is counted from memory; data smaller than the last-level cache may do better than this
//! limit.
use super::machine::{Caches, Rates};
use hogwild::{
    AnyFamily, Outcome, Settings,
    data::{Data, Rows},
};

/// What an epoch needs.
pub struct Work {
    pub examples: u64,
    /// Nonzeros, ratings or edges.
    pub nonzeros: u64,
    /// Packed bytes that are read.
    pub bytes: u64,
    /// Whether the last-level cache may hold these.
    pub fits_cache: bool,
    /// Bytes of parameters.
    pub parameters: usize,
    /// Nonzeros whose rows are beyond a core's own cache, and beyond all.
    pub lines_cached: u64,
    pub lines_far: u64,
}

/// A limit by its name in JSON, in seconds an epoch.
#[derive(Clone, Copy)]
pub struct Limit {
    pub name: &'static str,
    pub seconds: f64,
}

impl Work {
    /// By what the model of a run has: scores of classes, and nodes.
    pub fn of(data: &Data, family: &dyn AnyFamily, run: &Outcome, settings: &Settings, caches: &Caches) -> hogwild::Result<Work> {
        let classes = classes_of(run);
        Ok(match data {
            Data::Rows(data) => {
                let (rule, counts) = (&settings.rule, data.feature_counts()?);
                let row = match (width_of(family, data, settings)?, classes) {
                    (Some(width), _) if family.by_field() => rule.row_bytes(0) + rule.row_bytes(width),
                    (Some(width), _) => rule.feature_row_bytes(width),
                    (None, Some(classes)) => rule.row_bytes(0) + rule.feature_row_bytes(classes),
                    (None, None) => rule.row_bytes(0),
                };
                let beyond = |cache: usize| counts.iter().skip(cache / row).sum::<u64>();
                let lines_far = beyond(caches.last);
                let (nonzeros, examples) = (data.nonzeros(), data.rows() as u64);
                // Columns and values; a row's start and label.
                let bytes = nonzeros * if data.all_ones() { 4 } else { 8 } + examples * 12;
                let (fits_cache, parameters) = (bytes <= caches.last as u64, (data.columns() + 1) * row);
                // Assumed caches may be of any size.
                let lines_cached = beyond(caches.near).saturating_sub(lines_far);
                Work { examples, nonzeros, bytes, fits_cache, parameters, lines_cached, lines_far }
            }
            Data::Ratings(data) => {
                let (rows, ratings) = (nodes_of(run).unwrap_or(data.users() + data.items()), data.len() as u64);
                let (bytes, parameters) = (12 * ratings, rows * settings.rule.row_bytes(classes.unwrap_or(settings.rank)));
                let fits_cache = bytes <= caches.last as u64;
                Work { examples: ratings, nonzeros: ratings, bytes, fits_cache, parameters, lines_cached: 0, lines_far: 0 }
            }
        })
    }

    /// Streaming and random lines.
    pub fn limits(&self, rates: &Rates) -> [Limit; 2] {
        let lines = self.lines_cached as f64 / rates.cached.independent + self.lines_far as f64 / rates.far.independent;
        [Limit { name: "streaming", seconds: self.bytes as f64 / rates.sequential }, Limit { name: "random_lines", seconds: lines }]
    }

    /// The tighter of them.
    pub fn limit(&self, rates: &Rates) -> Limit {
        let [streaming, lines] = self.limits(rates);
        if lines.seconds > streaming.seconds { lines } else { streaming }
    }
}

/// How many scores a run's model has, where it has one a class.
fn classes_of(outcome: &Outcome) -> Option<usize> {
    let model = outcome.model.as_ref()?;
    model.ids("class").or_else(|| model.ids("label")).map(|names| names.len())
}

/// How many nodes a run's graph has, where it cuts one: users and items may be the same.
pub fn nodes_of(outcome: &Outcome) -> Option<usize> {
    outcome.model.as_ref()?.ids("node").map(|nodes| nodes.len())
}

/// Factors of a feature, of models that have such.
fn width_of(family: &dyn AnyFamily, data: &Rows, settings: &Settings) -> hogwild::Result<Option<usize>> {
    let fields = if family.by_field() { data.fields()? } else { None };
    Ok(has_factors(family).then(|| settings.rank * fields.map_or(1, |fields| fields.names.len())))
}

/// Whether models of rows have a row of factors a feature.
pub fn has_factors(family: &dyn AnyFamily) -> bool {
    family.schema().tensors.iter().any(|tensor| tensor.name == "factor")
}
