//! Training a linear model on sparse rows: settings and data become a run.
use super::{
    Outcome, Settings, Watch, hot,
    judges::Judges,
    race::{self, Race},
    recovery,
    rehearsal::{self, Fold, Stage},
    run::{Run, check_held_out, check_split},
    scale::{self, default_rate, scaling},
    window::{Window, Windows, rows_of_chunk},
};
use crate::{
    Batch, Classes, Error, Normalize, Order, Result,
    classes::check_given,
    data::Rows,
    evaluate,
    model_file::{LinearModel, ModelKind},
    models::Linear,
    rules::UpdateRule,
};
use hogwild_kernels::{
    engine::{LinearKernel, Loops, Own},
    feed::{RowCells, ScaledFeed, Scaling, SparseFeed},
    params::{Finish, Parameters, Shape},
    targets::Targets,
};
use std::sync::{Arc, atomic::AtomicBool};

/// Trains a linear model on sparse rows.
///
/// `valid` is evaluated after every epoch (or, with `settings.holdout`, the rows held out). `stop` may be set from another thread
/// or a signal handler: workers finish their block.
///
/// # Errors
/// Settings out of range, labels that do not fit the loss, too little memory. Divergence is not an error: see [`Ended`](crate::Ended).
pub fn train_linear(data: &Rows, valid: Option<&Rows>, settings: &Settings, watch: &mut dyn Watch, stop: &AtomicBool) -> Result<Outcome> {
    train(&settings.rule, settings.rule.name(), data, valid, settings, watch, stop)
}

/// The same with an update rule of the user's own; that of the settings is not looked at.
///
/// # Errors
/// As for [`train_linear`].
pub fn train_linear_with<R: UpdateRule>(
    rule: R,
    data: &Rows,
    valid: Option<&Rows>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    train(&Own(rule), std::any::type_name::<R>(), data, valid, settings, watch, stop)
}

fn train(
    rule: &dyn Loops<LinearKernel>,
    rule_name: &str,
    data: &Rows,
    valid: Option<&Rows>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    let mut settings = settings.clone();
    settings.check_with(&rule.facts(), rule_name)?;
    check_held_out(valid.is_some(), &settings)?;
    let classes = if settings.loss.is_classification() { Some(Classes::of(data, settings.loss, settings.positive)?) } else { None };
    for data in [Some(data), valid].into_iter().flatten() {
        check_unweighted(data)?;
        classes.map_or_else(|| check_given(data), |classes| classes.check(data))?;
    }
    let ids = data.feature_ids()?;
    if settings.order == Order::Curriculum {
        settings.pace.get_or_insert(Settings::PACE);
    }
    let workers = settings.workers();
    let rare = hot::choose(&mut settings, data, rule.facts().layout.stride())?;
    let (hot, block) = (settings.hot_rows.unwrap_or(0), settings.block());
    let counts = if settings.l2 > 0.0 || settings.aids.l1 > 0.0 { data.feature_counts()? } else { Vec::new() };
    let taken = Classes::taken(classes, settings.loss);
    let feed = SparseFeed::new(cells(data), Targets::plain(taken), settings.holdout, settings.seed);
    let (ref feed, targets) = feed.with_targets(settings.loss, taken, settings.standardize);
    settings.normalize = scale::choose(settings.normalize, data, watch);
    let (l1, base) = (settings.aids.l1 / targets.scale as f64, targets.base);
    let model = Linear::with_penalties(settings.l2, l1, data.rows(), &counts).with_base(base);
    let scaling = self::scaling(settings.normalize, data, |row| !feed.is_held_out(row))?;
    let held: Option<Vec<u32>> = (settings.holdout > 0.0).then(|| (0..data.rows() as u32).filter(|&row| feed.is_held_out(row)).collect());
    check_split(data.rows() as u64, held.as_ref().map(|held| held.len() as u64), &settings)?;
    let valid_columns = valid.map(|valid| valid.feature_ids().map(|theirs| theirs.translate(&ids))).transpose()?;
    // Parameters, a copy of the weights, the ids, and those of workers and races.
    let beside = (64 << 20) + 48 * data.columns() as u64;
    let window = settings.window.of(data, beside);
    let valid_window = valid.and_then(|valid| settings.window.of(valid, beside + window.unwrap_or(0)));
    settings.window = window.map_or(Window::Off, Window::Bytes);
    let loss = settings.loss;
    let unit_rows = settings.normalize == Normalize::Row;
    let score =
        |weights: &[f32], data, window, columns, only| evaluate::linear(weights, unit_rows, targets.taken, data, window, columns, only);
    let score_held = |weights: &Vec<f32>| match (valid, &valid_columns, &held) {
        (Some(valid), Some(columns), _) => Some(score(weights, valid, valid_window, Some(columns), None)),
        (_, _, Some(held)) => Some(score(weights, data, window, None, Some(held))),
        _ => None,
    };
    let is_kept = |row: u32| settings.holdout == 0.0 || !feed.is_held_out(row);
    let losses = |weights: &Vec<f32>| -> Vec<f32> {
        let of = |(row, &(z, y)): (u32, &(f32, f32))| {
            if is_kept(row) { loss.value(targets.standard(z), targets.standard(y)) } else { f32::INFINITY }
        };
        (0..).zip(&score(weights, data, window, None, None).scores).map(of).collect()
    };
    let units = feed.units(window.map_or(block, |bytes| block.min(rows_of_chunk(data, bytes))));
    let windows = window.map(|bytes| Windows::new(data, &units, bytes));
    let windows = windows.as_ref();
    windows.iter().for_each(|windows| watch.window(&windows.report(settings.batch == Batch::One)));
    let examples = data.rows() as u64 - held.as_ref().map_or(0, |held| held.len() as u64);
    let shape = Shape { narrow: data.columns() + 1, hot, rare, workers, averaged: settings.aids.average.is_some(), ..Shape::default() };
    // Weights of raw features, for standardised labels; and for labels as they are.
    let standard = |parameters: &Parameters, finish: &Finish<'_>, scaling: Option<&Scaling>| {
        let mut weights = parameters.narrow_weights(finish);
        scaling.iter().for_each(|scaling| scaling.fold(&mut weights));
        weights.first_mut().into_iter().for_each(|bias| *bias += base);
        weights
    };
    let keep = |parameters: &Parameters, finish: &Finish<'_>| {
        let mut weights = standard(parameters, finish, scaling.as_ref());
        if let Some((bias, weights)) = weights.split_first_mut() {
            *bias = targets.bias(*bias);
            weights.iter_mut().for_each(|w| *w *= targets.scale);
        }
        weights
    };
    let chosen = settings.lr.is_none();
    let rate = match settings.lr {
        Some(rate) => rate,
        None => {
            // Scales that grow are raced as they will be: models side by side are not to share a growing one.
            let online = settings.normalize == Normalize::Online;
            let grown = if online { self::scaling(Normalize::MaxAbs, data, |row| !feed.is_held_out(row))? } else { None };
            let scaling = grown.as_ref().or(scaling.as_ref());
            let sample = windows.filter(|_| settings.batch == Batch::One).map(|windows| windows.sample(race::LARGEST, settings.seed));
            let sampled = sample.as_ref().unwrap_or(&units);
            let held_out = valid.zip(valid_columns.as_deref());
            let judges = &Judges::new(data, held_out, held.as_deref(), examples, (unit_rows, targets), settings.seed);
            let judge =
                |parameters: &Parameters, finish: &Finish<'_>, fold: &Fold| judges.score(&standard(parameters, finish, scaling), fold);
            let numbers = data.nonzeros() as f64 / data.rows().max(1) as f64 + 1.0;
            let sizes = race::sizes(examples, numbers, &settings);
            let stage = |level: usize| {
                let folds = rehearsal::folds(&feed.kept_units(sampled), sizes[level], judges.alone, settings.seed);
                let feed = ScaledFeed { feed, scaling };
                Ok(Stage { feed, shape, start: Box::new(|_: &Parameters| ()), judge: Box::new(&judge), folds })
            };
            let race = Race { stage: &stage, examples, model: &model, rule, settings: &settings, base, by_heart: true };
            let rate = race.choose(default_rate(data, rule, scaling), watch, stop)?;
            windows.iter().for_each(|windows| windows.release());
            rate
        }
    };
    let (units, model) = (&units, &model);
    let damage = || [Some(data), valid].into_iter().flatten().find_map(|data| data.whole().err());
    let attempt = |rate: f32, chosen: bool, watch: &mut dyn Watch| {
        let parameters = &Parameters::new(shape, &rule.facts().layout)?;
        let feed = &ScaledFeed { feed, scaling: scaling.as_ref() };
        let run = Run { units, settings: &settings, rate, chosen, targets, examples, parameters, windows, damage: &damage };
        let admitted = run.admitted();
        let task = run.task(&admitted)?;
        run.epochs(rule.engine(feed, model, &task)?.as_mut(), watch, stop, keep, score_held, losses)
    };
    let (ran, rate) = recovery::at_rates(rate, chosen, watch, attempt)?;
    settings.lr = Some(rate);
    let ids = Arc::new(ids);
    let mut outcome = ran.outcome(settings, rule_name, targets.scale, |mut weights| {
        let bias = weights.remove(0);
        ModelKind::Linear(LinearModel { ids: ids.clone(), bias, weights, unit_rows })
    });
    outcome.model.iter_mut().for_each(|model| model.classes = classes);
    Ok(outcome)
}

/// Refuses rows of which some count more than others: they would be trained on as if all counted alike.
fn check_unweighted(data: &Rows) -> Result<()> {
    let (path, problem) = (data.name().to_owned(), "has weights of examples, and training takes all to count alike".into());
    data.weight_cells().map_or(Ok(()), |_| Err(Error::BadFile { path, problem, remedy: "give data without weights" }))
}

/// The cells of a data set.
fn cells(data: &Rows) -> RowCells<'_> {
    RowCells {
        starts: data.start_cells(),
        labels: data.label_cells(),
        columns: data.column_cells(),
        values: data.value_cells(),
        longest: data.longest_row(),
    }
}
