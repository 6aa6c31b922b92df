//! Which rows judge trials of learning rates: those that a sample holds out; where the run has held-out data of its own, half of these,
//! alone if they are enough, beside the others if they are few. So a rate suits data that are unlike the training data too.
use super::{fields::RunFields, outputs::Outputs, score::Asked, weights::RowWeights};
use crate::{
    family::{folds::Fold, prepared::Judged},
    model::Scored,
};
use hogwild_data::Rows;
use hogwild_kernels::{feed::Weighting, seeds::Stream, targets::Targets};
use rand::seq::SliceRandom;

/// So many held-out rows, or as many as there are to train on, judge alone; fewer than the least say nothing.
const ENOUGH: usize = 1_000;
const LEAST: usize = 50;
/// The most of them, and how many neighbours are taken together where there are more.
const MOST: usize = 16_384;
const RUN: usize = 16;

pub(super) struct Judges<'a> {
    data: &'a Rows,
    /// Validation data, with the model's column of each of theirs; otherwise the rows are of `data`.
    valid: Option<(&'a Rows, &'a [u32])>,
    /// Ascending.
    rows: Vec<u32>,
    /// Whether they judge alone.
    pub alone: bool,
    unit_rows: bool,
    targets: Targets,
    outputs: Option<&'a Outputs>,
    fields: Option<&'a RunFields>,
    weighting: Option<Weighting<'a>>,
}

impl<'a> Judges<'a> {
    /// `held`: rows of `data` that the run holds out; `examples`: how many it trains on.
    pub fn new(
        data: &'a Rows,
        valid: Option<(&'a Rows, &'a [u32])>,
        held: Option<&[u32]>,
        examples: u64,
        (unit_rows, targets, weighting, outputs): (bool, Targets, Option<Weighting<'a>>, Option<&'a Outputs>),
        fields: Option<&'a RunFields>,
        seed: u64,
    ) -> Judges<'a> {
        let rows: Vec<u32> = match valid {
            Some((valid, _)) => (0..valid.rows() as u32).collect(),
            None => held.unwrap_or_default().to_vec(),
        };
        // By runs of neighbours, which lie in one page of the file.
        let half = if rows.len() / 2 < LEAST { 0 } else { (rows.len() / 2).min(MOST) };
        let mut runs: Vec<&[u32]> = rows.chunks(if rows.len() < 2 * MOST { 1 } else { RUN }).collect();
        runs.shuffle(&mut Stream::Judges.random(seed));
        let mut rows: Vec<u32> = runs.into_iter().flatten().copied().take(half).collect();
        rows.sort_unstable();
        let alone = rows.len() >= ENOUGH.min(examples as usize).max(LEAST);
        Judges { data, valid, rows, alone, unit_rows, targets, weighting, outputs, fields }
    }

    /// What they say, by weights for standardised labels.
    pub fn score(&self, weights: &RowWeights, fold: &Fold) -> Vec<Judged> {
        let scorer = weights.scorer(self.unit_rows, self.targets.taken, self.outputs, self.fields);
        let own = self.outputs.map(|outputs| &*outputs.labels);
        let mut judged = Vec::new();
        let mut hear = |data, columns: Option<&[u32]>, rows: &[u32]| {
            let labels = if columns.is_some() { self.outputs.and_then(|outputs| outputs.valid.as_ref()) } else { own };
            let scored = scorer.score(&Asked { columns, only: Some(rows), labels, ..Asked::all(data) });
            let weights = weights_of(&scored, self.weighting);
            let judge = |(i, &(score, y)): (usize, &(f32, f32))| Judged {
                score,
                target: self.targets.standard(y),
                weight: weights.get(i).copied().unwrap_or(1.0),
            };
            judged.extend(scored.scores.iter().enumerate().map(judge));
        };
        if !self.alone {
            hear(self.data, None, &fold.held);
        }
        // Once, not in each fold again.
        if fold.first && !self.rows.is_empty() {
            match self.valid {
                Some((valid, columns)) => hear(valid, Some(columns), &self.rows),
                None => hear(self.data, None, &self.rows),
            }
        }
        judged
    }
}

/// How much scored examples count in training, beside a mean of 1: by their own weights and those of their classes; none where all count
/// alike.
pub(super) fn weights_of(scored: &Scored, weighting: Option<Weighting<'_>>) -> Vec<f32> {
    if weighting.is_none() && scored.weights.is_empty() {
        return Vec::new();
    }
    let by_class = |y: f32| weighting.map_or(1.0, |weighting| weighting.of_class(y));
    let weights: Vec<f64> = scored.scores.iter().enumerate().map(|(i, &(_, y))| scored.weight(i) * by_class(y)).collect();
    let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
    weights.into_iter().map(|weight| (weight / mean) as f32).collect()
}
