//! Training a linear model on sparse rows: settings and data become a run.
use super::{
    Batch, Outcome, Settings, SparseFeed, Watch,
    run::{Run, Way, Workers, check_held_out, check_split},
    synchronous::Synchronous,
};
use crate::{
    Result,
    data::Dataset,
    model_file::{LinearModel, ModelKind},
    models::Linear,
    params::{Finish, Parameters, Shape},
    rules::{UpdateRule, with_rule},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Trains a linear model on sparse rows.
///
/// `valid` is evaluated after every epoch (or, with `settings.holdout`, the rows held out). `stop` may be set from another thread
/// or a signal handler: workers finish their block.
///
/// # Errors
/// Settings out of range, labels that do not fit the loss, too little memory. Divergence is not an error: see [`Ended`](crate::Ended).
pub fn train_linear(
    data: &Dataset,
    valid: Option<&Dataset>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    with_rule!(settings.rule, rule => train(rule, settings.rule.name(), data, valid, settings, watch, stop))
}

/// The same with an update rule of the user's own; that of the settings is not looked at.
///
/// # Errors
/// As for [`train_linear`].
pub fn train_linear_with<R: UpdateRule>(
    rule: R,
    data: &Dataset,
    valid: Option<&Dataset>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    train(rule, std::any::type_name::<R>(), data, valid, settings, watch, stop)
}

fn train<R: UpdateRule>(
    rule: R,
    rule_name: &str,
    data: &Dataset,
    valid: Option<&Dataset>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    let mut settings = settings.clone();
    settings.check_with(&rule, rule_name)?;
    check_held_out(valid.is_some(), &settings)?;
    settings.loss.check_labels(data)?;
    valid.map_or(Ok(()), |valid| settings.loss.check_labels(valid))?;
    let ids = data.feature_ids()?;
    let rate = *settings.lr.get_or_insert_with(|| rule.default_rate(mean_square(data)));
    let workers = if settings.batch == Batch::One { settings.threads } else { 1 };
    let hot = *settings.hot_rows.get_or_insert(if workers > 1 { 8192 } else { 0 });
    let counts = if settings.l2 > 0.0 || settings.aids.l1 > 0.0 { data.feature_counts()? } else { Vec::new() };
    let model = Linear::with_penalties(settings.l2, settings.aids.l1, data.rows(), &counts);
    let feed = SparseFeed::new(data, settings.loss, settings.holdout, settings.seed);
    let held: Option<Vec<u32>> = (settings.holdout > 0.0).then(|| (0..data.rows() as u32).filter(|&row| feed.is_held_out(row)).collect());
    check_split(data.rows() as u64, held.as_ref().map(|held| held.len() as u64), &settings)?;
    let valid_columns = valid.map(|valid| valid.feature_ids().map(|theirs| theirs.translate(&ids))).transpose()?;
    let loss = settings.loss;
    let evaluate = |weights: &[f32]| match (valid, &valid_columns, &held) {
        (Some(valid), Some(columns), _) => Some(crate::evaluate::linear(weights, loss, valid, Some(columns), None)),
        (_, _, Some(held)) => Some(crate::evaluate::linear(weights, loss, data, None, Some(held))),
        _ => None,
    };
    let units = feed.units(settings.exchange_every);
    let examples = data.rows() as u64 - held.as_ref().map_or(0, |held| held.len() as u64);
    let shape = Shape { narrow: data.columns() + 1, hot, workers, averaged: settings.aids.average.is_some(), ..Shape::default() };
    let parameters = Parameters::new(shape, &rule)?;
    let run = Run { feed: &feed, units: &units, model: &model, rule, settings: &settings, rate, examples, parameters: &parameters };
    let keep = |parameters: &Parameters, finish: &Finish<'_, R>| parameters.narrow_weights(finish);
    let mut way: Box<dyn Way<_>> =
        if settings.batch == Batch::One { Box::new(Workers::new(&run)?) } else { Box::new(Synchronous::new(&run)?) };
    let ran = run.epochs(way.as_mut(), watch, stop, keep, |weights| evaluate(weights))?;
    drop(way);
    let ids = Arc::new(ids);
    Ok(ran.outcome(settings, rule_name, |mut weights| {
        let bias = weights.remove(0);
        ModelKind::Linear(LinearModel { ids: ids.clone(), bias, weights })
    }))
}

/// The mean squared length of a row, by the first ten thousand.
fn mean_square(data: &Dataset) -> f32 {
    let rows = data.rows().min(10_000);
    let squares: f64 = (0..rows)
        .map(|row| {
            let range = data.row_range(row);
            let square = |cell: &std::sync::atomic::AtomicU32| (f32::from_bits(cell.load(Relaxed)) as f64).powi(2);
            data.value_cells().map_or(range.len() as f64, |values| values[range].iter().map(square).sum())
        })
        .sum();
    (squares / rows.max(1) as f64) as f32
}
