//! Training matrix factorization on ratings: settings and data become a run.
use super::{
    Outcome, Settings, Watch, Window,
    race::{self, Race},
    recovery,
    run::{Run, check_held_out, check_split},
    sample,
    tiles::tiles,
};
use crate::{
    Error, LANES, Normalize, Order, Result,
    classes::check_ratings,
    data::Ratings,
    model_file::{FactorModel, ModelKind},
    models::Factorization,
    rules::UpdateRule,
};
use hogwild_kernels::{
    engine::{FactorKernel, Loops, Own},
    feed::Rating,
    params::{Finish, Parameters, Shape, TableShape},
};
use rayon::prelude::*;
use std::{
    ops::Range,
    sync::{Arc, atomic::AtomicBool},
};

/// What a rating of sixteen factors takes, beside a nonzero of a linear model.
const NUMBERS: usize = 5;
/// What rates begin with: the mean squared length of a rating's gradients beside its slope.
const MEAN_SQUARE: f32 = 3.5;

/// Trains matrix factorization on ratings. As [`train_linear`](crate::train_linear) otherwise.
///
/// # Errors
/// As for [`train_linear`](crate::train_linear).
pub fn train_factorization(
    data: &Ratings,
    valid: Option<&Ratings>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    train(&settings.rule, settings.rule.name(), data, valid, settings, watch, stop)
}

/// The same with an update rule of the user's own; that of the settings is not looked at.
///
/// # Errors
/// As for [`train_linear`](crate::train_linear).
pub fn train_factorization_with<R: UpdateRule>(
    rule: R,
    data: &Ratings,
    valid: Option<&Ratings>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    train(&Own(rule), std::any::type_name::<R>(), data, valid, settings, watch, stop)
}

fn train(
    rule: &dyn Loops<FactorKernel>,
    rule_name: &str,
    data: &Ratings,
    valid: Option<&Ratings>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    let mut settings = settings.clone();
    settings.check_with(&rule.facts(), rule_name)?;
    check_held_out(valid.is_some(), &settings)?;
    check_ratings(settings.loss, data)?;
    valid.map_or(Ok(()), |valid| check_ratings(settings.loss, valid))?;
    if let Some(hot) = settings.hot_rows.filter(|&hot| hot > 0) {
        let problem = "factorization keeps hot rows apart by its order of tiles; leave the setting out".into();
        return Err(Error::BadSetting { setting: "--hot-rows", value: hot.to_string(), problem });
    }
    if let Some(positive) = settings.positive {
        let problem = "is a label of sparse rows, and ratings have none; leave the setting out".into();
        return Err(Error::BadSetting { setting: "--positive", value: positive.to_string(), problem });
    }
    if let Window::Bytes(_) = settings.window {
        let problem = "is of sparse rows; ratings are copied into memory, all of them; leave it out".into();
        return Err(Error::BadSetting { setting: "--window", value: settings.window.to_string(), problem });
    }
    settings.window = Window::Off;
    if settings.aids.l1 > 0.0 {
        let problem = "is of linear models; factors take --l2".into();
        return Err(Error::BadSetting { setting: "--l1", value: settings.aids.l1.to_string(), problem });
    }
    if !matches!(settings.normalize, Normalize::Auto | Normalize::None) {
        let problem = "scales features, and ratings have none; leave the setting out".into();
        return Err(Error::BadSetting { setting: "--normalize", value: settings.normalize.name().into(), problem });
    }
    if settings.order == Order::Curriculum {
        settings.pace.get_or_insert(Settings::PACE);
    }
    settings.normalize = Normalize::None;
    settings.hot_rows = Some(0);
    settings.exchange_every.get_or_insert(4096);
    let loss = settings.loss;
    let (users, items) = (Arc::new(data.user_ids()?), Arc::new(data.item_ids()?));
    let (user_count, item_count, rank) = (data.users(), data.items(), settings.rank);
    let (mut feed, held) = tiles(data, &settings)?;
    check_split(data.len() as u64, (settings.holdout > 0.0).then_some(held.len() as u64), &settings)?;
    let targets = feed.targets;
    let model = Factorization::new(rank, targets.base, settings.l2 as f32);
    let held = if settings.holdout > 0.0 {
        Some(held.iter().map(|r| (r.pair.user, r.pair.item - user_count as u32, r.value)).collect::<Vec<_>>())
    } else {
        valid.map(|valid| crate::evaluate::translate_ratings(valid, &users, &items, loss)).transpose()?
    };
    let all = user_count + item_count;
    let evaluate = |model: &FactorModel| held.as_ref().map(|held| crate::evaluate::ratings(model, held));
    let shape = &Shape { workers: settings.workers(), averaged: settings.aids.average.is_some(), ..Shape::of(TableShape::rows(all, rank)) };
    let stride = Parameters::row_stride(&rule.facts().layout, rank);
    let chosen = settings.lr.is_none();
    let rate = match settings.lr {
        Some(rate) => rate,
        None => {
            let numbers = (rank.div_ceil(LANES) * NUMBERS) as f64;
            let (examples, sizes) = (feed.ratings.len() as u64, race::sizes(feed.ratings.len() as u64, numbers, &settings));
            let stage = |level: usize| {
                Ok(sample::stage(&feed, &rule.facts().layout, user_count as u32, item_count as u32, sizes[level], &settings))
            };
            let race = Race { stage: &stage, examples, model: &model, rule, settings: &settings, base: targets.base, by_heart: false };
            race.choose(rule.default_rate(MEAN_SQUARE), watch, stop)?
        }
    };
    feed.set_places(stride);
    let split = |parameters: &Parameters, finish: &Finish<'_>| -> FactorModel {
        let biases = |rows: Range<usize>| rows.map(|row| targets.scale * parameters.table(0).beside(row, finish)).collect();
        // The product of two is in the unit of the ratings.
        let root = targets.scale.sqrt();
        let factors = |rows: Range<usize>| parameters.table(0).weights(rows, finish).map(|w| root * w).collect();
        FactorModel {
            mean: targets.bias(targets.base),
            rank,
            users: users.clone(),
            items: items.clone(),
            user_bias: biases(0..user_count),
            item_bias: biases(user_count..all),
            user_factor: factors(0..user_count),
            item_factor: factors(user_count..all),
        }
    };
    let losses = |model: &FactorModel| -> Vec<f32> {
        let of = |rating: &Rating| {
            let (user, item) = (rating.pair.user / stride, rating.pair.item / stride);
            loss.value(targets.standard(model.score(user as usize, item as usize - user_count)), rating.value)
        };
        feed.ratings.par_iter().map(of).collect()
    };
    let (units, examples) = (&feed.units, feed.ratings.len() as u64);
    let attempt = |rate: f32, chosen: bool, watch: &mut dyn Watch| {
        let parameters = &Parameters::new(shape, &rule.facts().layout)?;
        start_factors(parameters, rank, settings.seed);
        let run = Run { units, settings: &settings, rate, chosen, targets, examples, parameters, windows: None, damage: &|| None };
        let admitted = run.admitted();
        let task = run.task(&admitted)?;
        run.epochs(rule.engine(&feed, &model, &task)?.as_mut(), watch, stop, split, evaluate, losses)
    };
    let (ran, rate) = recovery::at_rates(rate, chosen, watch, attempt)?;
    settings.lr = Some(rate);
    Ok(ran.outcome(settings, rule_name, targets.scale, ModelKind::Factorization))
}

/// Factors start small and random, so that no two are alike.
pub(super) fn start_factors(parameters: &Parameters, rank: usize, seed: u64) {
    use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0xFAC7);
    let scale = 0.1 / (rank as f32).sqrt();
    parameters.table(0).set_weights(|| scale * (2.0 * random.random::<f32>() - 1.0));
}
