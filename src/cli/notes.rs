//! Notes about sparse rows, their labels, and what a model makes of data (scores, metrics), a line each: what is not wrong, but seldom
//! meant. What is odd about ratings is in `warn`, the one line on what was read in `summary`.
use super::{
    summary::{count, real},
    warn,
};
use hogwild::{
    Classes, Loss, Metrics, Outcome, Scored, TrainedModel,
    data::{Data, Ids, Rows},
    loss::Standardise,
    unseen_classes,
};
use std::path::Path;

/// Of training rows: which label is +1, a class that is alone, a target far from all others.
pub fn of_training(data: &Rows, loss: Loss, positive: Option<f32>, name: &str) -> Vec<String> {
    let labels = data.labels();
    if !loss.is_classification() {
        // Outliers move a mean.
        let moved = loss.meaning().standardise == Standardise::Mean;
        let remedy = if moved { "mend it, leave the row out, or use --loss huber" } else { "mend it or leave the row out" };
        let spread = &labels.spread;
        let alike = (spread.count > 1 && spread.min == spread.max)
            .then(|| format!("warning: {name}: all labels are {}: there is nothing to learn from", real(spread.min)));
        return alike
            .into_iter()
            .chain(warn::far_off(spread, name, "the label of row", remedy))
            .chain(warn::rounded(spread, name, "labels"))
            .collect();
    }
    // What is wrong with labels is told where the model is trained.
    let Ok(classes) = Classes::of(data, loss, positive) else { return Vec::new() };
    let mut notes = Vec::new();
    if let &[only] = labels.few() {
        let label = if classes == Classes::SIGNS { format!("{:+}", only.label) } else { only.label.to_string() };
        notes.push(format!("warning: {name}: all labels are {label}: the model can only predict that class"));
    } else if !classes.are_usual() {
        let choice = if positive.is_some() { "as chosen" } else { "the larger; --positive chooses" };
        notes.push(format!("{name}: labels are {}: {} is +1 ({choice})", labels.list().replace(", ", " and "), classes.positive));
    }
    notes
}

/// Of held-out rows: whether the model can know anything of them.
pub fn of_held_out(data: &Rows, valid: &Rows, path: &Path) -> hogwild::Result<Option<String>> {
    Ok((valid.nonzeros() > 0 && are_strange(data, valid)?).then(|| {
        format!(
            "warning: {}: no feature of these rows occurs in the training data: held-out metrics tell nothing of the model",
            path.display()
        )
    }))
}

/// Whether the features of two sets are all different.
fn are_strange(data: &Rows, valid: &Rows) -> hogwild::Result<bool> {
    let (known, asked) = (data.feature_ids()?, valid.feature_ids()?);
    // The most frequent ones come first: of ordinary data a few of either tell.
    if let (Ids::Numbers(known), Ids::Numbers(asked)) = (&known, &asked)
        && asked.iter().take(64).any(|id| known.iter().take(1024).any(|other| id == other))
    {
        return Ok(false);
    }
    Ok(asked.translate(&known).iter().all(|&column| column == u32::MAX))
}

/// Of scored rows: whether the model knew anything of them.
pub fn of_scored(scored: &Scored, data: &Data, name: &str) -> Option<String> {
    let Data::Rows(data) = data else { return None };
    (data.nonzeros() > 0 && scored.unknown == data.nonzeros())
        .then(|| format!("warning: {name}: the model knows no feature of these rows: each score is its bias"))
}

/// Of a cut: edges whose nodes it does not know.
pub fn of_edges_left_out(scored: &Scored, data: &Data) -> Option<String> {
    let (Some(cut), Data::Ratings(data)) = (scored.cut, data) else { return None };
    let (all, left) = (data.len() as u64, (data.len() as u64).saturating_sub(cut.edges));
    (left > 0).then(|| format!("{} of {} edges are left out: the model does not know their nodes", count(left), count(all)))
}

/// Of scored rows that come from columns: how many cells of each the model did not know.
pub fn of_unknown_columns(data: &Data, model: &TrainedModel) -> hogwild::Result<Option<String>> {
    let (Data::Rows(data), Some(recipe), Some(known)) = (data, &model.recipe, model.ids("feature")) else { return Ok(None) };
    let (ids, counts) = (data.feature_ids()?, data.feature_counts()?);
    let mut columns: Vec<(&str, u64)> = Vec::new();
    for (i, _) in ids.translate(known).iter().enumerate().filter(|(_, column)| **column == u32::MAX) {
        let Some(column) = recipe.single_column_of(&ids.name(i)) else { continue };
        match columns.iter_mut().find(|(name, _)| *name == column) {
            Some((_, cells)) => *cells += counts[i],
            None => columns.push((column, counts[i])),
        }
    }
    columns.sort_by_key(|&(_, cells)| std::cmp::Reverse(cells));
    let told: Vec<String> = columns.iter().map(|(name, cells)| format!("{} of `{name}`", count(*cells))).collect();
    Ok((!told.is_empty()).then(|| format!("cells unknown to the model, which add nothing: {}", told.join(", "))))
}

/// Metrics of scores; where one of these is no number, none of those is one.
pub fn metrics_of(scored: &Scored, loss: Loss) -> Metrics {
    let found = scored.metrics(loss);
    if scored.scores.iter().all(|(score, _)| score.is_finite()) {
        return found;
    }
    let none = |metric: Option<f64>| metric.map(|_| f64::NAN);
    let [logloss, auc, accuracy] = [found.logloss, found.auc, found.accuracy].map(none);
    let [top5, micro_f1, macro_f1] = [found.top5, found.micro_f1, found.macro_f1].map(none);
    let [deviance, rmse, mae] = [found.deviance, found.rmse, found.mae].map(none);
    Metrics { loss: f64::NAN, logloss, auc, accuracy, top5, micro_f1, macro_f1, deviance, rmse, mae, ..found }
}

/// Of held-out data: which of their classes training data have not.
pub fn of_new_classes(data: &Rows, valid: &Rows, path: &Path) -> hogwild::Result<Option<String>> {
    if data.is_unlabelled() || valid.is_unlabelled() {
        return Ok(None); // which is refused, in words of its own
    }
    let names = unseen_classes(data, valid)?;
    Ok((!names.is_empty())
        .then(|| format!("warning: {}: classes that training data have not count as errors: {}", path.display(), few(&names))))
}

/// The first few of some names.
pub fn few(names: &[String]) -> String {
    const FEW: usize = 5;
    names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ") + if names.len() > FEW { ", ..." } else { "" }
}

/// Of labels that are classes: which the model was not trained on, and what that means to the metrics.
pub fn of_unseen(scored: &Scored, data: &Data, model: &TrainedModel) -> hogwild::Result<Option<String>> {
    let (Some(classes), Data::Rows(data)) = (&scored.classes, data) else { return Ok(None) };
    let unseen = classes.unseen();
    if unseen == 0 {
        return Ok(None);
    }
    let names = few(&model.unseen_classes(data)?);
    let what = if unseen == 1 { "label is" } else { "labels are" };
    Ok(Some(format!(
        "warning: {} {what} of classes that the model does not know ({names}): each counts as an error, and for nothing in the loss",
        count(unseen)
    )))
}

/// The examples whose scores are no numbers, but for rows that could not be read.
pub fn wrong_scores<'a>(scored: &'a Scored, data: &'a Data) -> impl Iterator<Item = usize> + 'a {
    let wrong = |&(i, &(score, _)): &(usize, &(f32, f32))| !score.is_finite() && !data.is_bad(i);
    scored.scores.iter().enumerate().filter(wrong).map(|(i, _)| i)
}

/// Of scores: how many are no numbers, and the first of them. Those of rows that could not be read do not count.
pub fn of_scores(scored: &Scored, data: &Data) -> Option<String> {
    let wrong: Vec<String> = wrong_scores(scored, data).map(|i| (i + 1).to_string()).collect();
    let (first, more) = (wrong.get(..wrong.len().min(5))?.join(", "), if wrong.len() > 5 { ", ..." } else { "" });
    let (count, all) = (wrong.len(), scored.scores.len());
    (count > 0).then(|| {
        format!("{count} of {all} scores are NaN or infinite (examples {first}{more}); the data or the model have numbers too large")
    })
}

/// Of metrics: which are no numbers.
pub fn of_metrics(metrics: &Metrics) -> Option<String> {
    let names: Vec<&str> = metrics.named().filter(|(_, value)| !value.is_finite()).map(|(name, _)| name).collect();
    (!names.is_empty()).then(|| format!("not finite: {}", names.join(", ")))
}

/// Of the held-out metrics of a run: those of the epochs, and of an ensemble, that are no numbers.
pub fn of_outcome(outcome: &Outcome) -> Vec<String> {
    let epoch = |(epoch, metrics): (usize, &Metrics)| Some(format!("held-out metrics after epoch {epoch} are {}", of_metrics(metrics)?));
    let epochs = outcome.epochs.iter().filter_map(|report| epoch((report.epoch, report.valid.as_ref()?)));
    let ensemble =
        outcome.ensemble.iter().filter_map(|metrics| Some(format!("held-out metrics of the ensemble are {}", of_metrics(metrics)?)));
    epochs.chain(ensemble).collect()
}
