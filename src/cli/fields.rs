//! Notes on the fields of features, for models that go by them: how many features have factors, and what of other rows is not as the model
//! has it.
use super::{notes::few, summary::count};
use hogwild::{
    Settings, TrainedModel,
    data::{Data, Ids, Rows},
};
use std::path::Path;

/// Of training rows: how many features have factors, if not all have.
pub fn of_training(data: &Rows, settings: &Settings, name: &str) -> hogwild::Result<Option<String>> {
    let (counts, least) = (data.feature_counts()?, settings.least_count());
    let (all, factored) = (counts.len(), counts.iter().filter(|&&count| count >= least).count());
    // Rows without fields are refused, in words of their own.
    if factored == all || data.fields()?.is_none() {
        return Ok(None);
    }
    let least = count(least);
    Ok(Some(match factored {
        0 => format!("warning: {name}: no feature occurs in {least} examples, so none has factors: give a lower --factor-min-count"),
        _ => format!(
            "{name}: {} of {} features occur in {least} examples or more, and have factors",
            count(factored as u64),
            count(all as u64)
        ),
    }))
}

/// Of held-out rows, beside those that the model is trained on.
pub fn of_held_out(data: &Rows, valid: &Rows, path: &Path) -> hogwild::Result<Vec<String>> {
    let Some(fields) = data.fields()? else { return Ok(Vec::new()) };
    let known = Known { features: &data.feature_ids()?, fields: &fields.names, whose: "the training data" };
    let notes = known.notes(valid, |column| fields.of.get(column).map(|&field| field.into()))?;
    Ok(notes.into_iter().map(|note| format!("warning: {}: {note}", path.display())).collect())
}

/// Of rows that a model scores.
pub fn of_scored(data: &Data, model: &TrainedModel) -> hogwild::Result<Vec<String>> {
    let (Data::Rows(data), Some(features), Some(fields)) = (data, model.ids("feature"), model.ids("field")) else { return Ok(Vec::new()) };
    let of = model.last().numbers("feature_field");
    Known { features, fields, whose: "the model" }.notes(data, |column| of.get(column).map(|&field| field as usize))
}

/// What is known of features and fields.
struct Known<'a> {
    features: &'a Ids,
    fields: &'a Ids,
    whose: &'a str,
}

impl Known<'_> {
    /// Which fields of some rows are unknown, and how many features have another field there than by `field_of`, which takes a known column.
    fn notes(&self, data: &Rows, field_of: impl Fn(usize) -> Option<usize>) -> hogwild::Result<Vec<String>> {
        let whose = self.whose;
        let Some(own) = data.fields()? else {
            let none = format!("these rows do not say which field each feature is in: features are in those of {whose}");
            return Ok((data.nonzeros() > 0).then_some(none).into_iter().collect());
        };
        let fields = own.names.translate(self.fields);
        let unknown: Vec<String> = (0..fields.len()).filter(|&i| fields[i] == u32::MAX).map(|i| own.names.name(i)).collect();
        let columns = data.feature_ids()?.translate(self.features);
        let is_elsewhere = |&(i, &column): &(usize, &u32)| {
            let field = fields.get(own.of[i] as usize).map(|&field| field as usize);
            column != u32::MAX && field_of(column as usize) != field
        };
        let elsewhere = columns.iter().enumerate().filter(is_elsewhere).count() as u64;
        let told = (!unknown.is_empty()).then(|| format!("fields unknown to {whose}: {}", few(&unknown)));
        let moved = (elsewhere > 0)
            .then(|| format!("features in another field than that of {whose}, which they are scored by: {}", count(elsewhere)));
        Ok(told.into_iter().chain(moved).collect())
    }
}
