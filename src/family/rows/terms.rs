//! The terms of the scores of sparse rows: bias, features, and pairs of features where a model has factors.
use super::score::{Asked, Scorer};
use crate::{
    family::explained::{Explain, Explained, Terms, check_single},
    model::{ClassScores, TrainedModel},
};
use hogwild_base::{Error, Result, threads};
use hogwild_data::{Ids, Rows};
use hogwild_kernels::{loss::Taken, models::Output};

/// What adds to a score.
#[derive(Clone, Copy)]
enum Key {
    Bias,
    Feature(u32),
    Pair(u32, u32),
}

/// Explains rows by a linear model, a factorization machine of either kind, or a model of several classes of which each has an `output`.
///
/// # Errors
/// An ensemble, a class that there is not, or dictionaries that cannot be read.
pub(crate) fn explain(model: &TrainedModel, output: Option<Output>, data: &Rows, asked: &Explain) -> Result<Vec<Explained>> {
    check_single(model)?;
    let Some(ids) = model.ids("feature") else { return Ok(Vec::new()) };
    let class = asked.class.as_ref().map(|name| class_of(model, name)).transpose()?;
    let columns = data.feature_ids()?.translate(ids);
    let scorer = Scorer { output, ..Scorer::new(model.last(), model.unit_rows, Taken::Nothing) };
    let of = Of { model, ids, scorer, asked: Asked { columns: Some(&columns), ..Asked::all(data) }, class, top: asked.top };
    let rows = asked.rows.start..asked.rows.end.min(data.rows()).max(asked.rows.start);
    let explained = threads::in_call(|| {
        threads::map(rows.len(), |i| match rows.start + i {
            row if data.is_bad(row) => Explained::unread(row),
            row => of.row(row),
        })
    });
    data.whole().map(|()| explained)
}

/// The number of a class.
fn class_of(model: &TrainedModel, name: &str) -> Result<usize> {
    let bad = |problem: String| Error::BadSetting { setting: "class", value: name.into(), problem };
    let classes = model.ids("class").ok_or_else(|| bad("is of models of several classes, and this one has one score a row".into()))?;
    let names = || (0..classes.len()).map(|class| classes.name(class));
    names().position(|known| known == name).ok_or_else(|| {
        let (few, more) = (names().take(20).collect::<Vec<_>>().join(", "), if classes.len() > 20 { ", ..." } else { "" });
        bad(format!("is no class of the model, which has {few}{more}"))
    })
}

struct Of<'a> {
    model: &'a TrainedModel,
    ids: &'a Ids,
    scorer: Scorer<'a>,
    asked: Asked<'a>,
    class: Option<usize>,
    top: usize,
}

impl Of<'_> {
    fn row(&self, row: usize) -> Explained {
        let mut features = self.scorer.features(&self.asked, row as u32);
        let all = features.len();
        features.retain(|&(column, _)| column != u32::MAX);
        let unknown = (all - features.len()) as u64;
        let classes = self.scorer.bias.len().max(1);
        let (class, probability) = self.class_of_row(row);
        let mut terms = Terms::new(self.top);
        terms.push(Key::Bias, 1.0, f64::from(self.scorer.bias.get(class).copied().unwrap_or(0.0)));
        for &(column, value) in &features {
            let weight = self.scorer.weights.get(column as usize * classes + class).copied().unwrap_or(0.0);
            terms.push(Key::Feature(column), value, f64::from(weight) * f64::from(value));
        }
        if self.scorer.rank > 0 {
            self.pairs(&features, &mut terms);
        }
        let (terms, others, score) = terms.into_named(|key| self.name(key));
        let name = self.model.ids("class").map(|names| names.name(class));
        let prediction = probability.unwrap_or_else(|| self.model.loss.predict(score as f32));
        Explained { row, class: name, score, prediction, terms, others, unknown }
    }

    /// What pairs of features add.
    fn pairs(&self, features: &[(u32, f32)], terms: &mut Terms<Key>) {
        let (rank, fields) = (self.scorer.rank, self.scorer.fields);
        // Of a field-aware model a feature has a row for each field: that of the other feature counts.
        let width = fields.map_or(1, |fields| fields.all);
        let field = |column: u32| fields.and_then(|fields| fields.of.get(column as usize)).map_or(0, |&field| field as usize);
        let factors = |column: u32, facing: u32| {
            let from = (column as usize * width + field(facing)) * rank;
            self.scorer.factors.get(from..).and_then(|rest| rest.get(..rank)).unwrap_or_default()
        };
        for (i, &(first, value)) in features.iter().enumerate() {
            for &(second, other) in &features[i + 1..] {
                let (own, of_other) = (factors(first, second), factors(second, first));
                if own.is_empty() || of_other.is_empty() {
                    continue; // rare features have no factors
                }
                let dot: f64 = own.iter().zip(of_other).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                terms.push(Key::Pair(first, second), value * other, dot * f64::from(value) * f64::from(other));
            }
        }
    }

    /// Whose score is explained, and the probability of that class.
    fn class_of_row(&self, row: usize) -> (usize, Option<f32>) {
        let Some(output) = self.scorer.output else { return (0, None) };
        let scores = self.scorer.classes(&self.asked, row as u32);
        let mut one = ClassScores::new(output, scores.len(), false);
        one.push(&scores, &[u32::MAX]);
        let class = self.class.unwrap_or_else(|| one.predicted(0).first().map_or(0, |&class| class as usize));
        (class, one.probabilities(0).get(class).copied())
    }

    fn name(&self, key: Key) -> String {
        let feature = |column: u32| self.ids.name(column as usize);
        match key {
            Key::Bias => "bias".into(),
            Key::Feature(column) => feature(column),
            Key::Pair(first, second) => format!("{} * {}", feature(first), feature(second)),
        }
    }
}
