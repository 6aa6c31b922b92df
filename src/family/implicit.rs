//! Ranking by implicit feedback: BPR, WARP, sampled softmax and logistic factorization, of users' interactions with items.
//!
//! Their models are factors of users and items and a bias an item, in the tensors of matrix factorization: what scores, exports or recommends
//! by those takes these too. They differ by their loss alone: see [`RankingLoss`].
use super::{
    explained::{Explain, Explained},
    factorization::{Factorization, TENSORS},
    linear::{needs_bias, no_classes, no_factors},
    prepared::Prepared,
    ratings::{FactorModel, RankingRun, explain},
    traits::Family,
};
use crate::{
    ClassWeight, HoldoutBy, Loss, Metric, Parallel,
    model::{Schema, Scored, Tensors, TrainedModel},
    options::Settings,
};
use hogwild_base::{Error, Result};
use hogwild_data::{Ratings, Window};
use hogwild_kernels::{
    engine::{Loops, RankingKernel},
    feed::Normalize,
    models::RankingLoss,
};
use serde_json::{Map, Value};

/// Pairs of an item that the user took and one that the user did not (Rendle et al. 2009).
pub struct Bpr;
/// The first of some negatives that is not well below the user's item (Weston et al. 2011).
pub struct Warp;
/// The probability of the user's item among negatives.
pub struct SampledSoftmax;
/// Logistic matrix factorization (Johnson 2014).
pub struct LogisticMf;

macro_rules! families {
    ($($type:ident $name:literal $loss:ident $negatives:literal $rate:literal $settings:expr, $summary:literal;)*) => {
        $(impl Family for $type {
            const SUMMARY: &'static str = $summary;
            const SCHEMA: Schema = Schema { family: $name, axes: &["user", "item"], tensors: TENSORS, own_classes: false };
            const WORK: u64 = 100_000;
            const RANKS: bool = true;
            type Data = Ratings;
            type Kernel = RankingKernel;

            fn defaults() -> Settings {
                $settings
            }

            fn check(settings: &Settings) -> Result<()> {
                check(settings, &Self::defaults(), RankingLoss::$loss)
            }

            fn prepare<'a>(
                rule: &'a dyn Loops<RankingKernel>,
                data: &'a Ratings,
                valid: Option<&'a Ratings>,
                settings: &'a Settings,
            ) -> Result<Box<dyn Prepared + 'a>> {
                Ok(Box::new(RankingRun::new((RankingLoss::$loss, $negatives, $rate), rule, data, valid, settings)?))
            }

            fn score(model: &TrainedModel, member: &Tensors, data: &Ratings) -> Result<Scored> {
                FactorModel::new(model, member).map_or_else(|| Ok(Scored::default()), |view| view.score_ratings(model.loss, data))
            }

            fn check_labels(_model: &TrainedModel, _data: &Ratings) -> Result<()> {
                Ok(())
            }

            fn explain(model: &TrainedModel, data: &Ratings, asked: &Explain) -> Result<Vec<Explained>> {
                explain(model, data, asked)
            }

            fn describe_member(member: &Tensors) -> Value {
                Factorization::describe_member(member)
            }

            fn describe(model: &TrainedModel, top: usize) -> Map<String, Value> {
                Factorization::describe(model, top)
            }
        })*
    };
}
families! {
    Bpr "bpr" Bpr 1 0.08
        Settings { epochs: 100, l2: 0.01, ..Settings::for_ranking() },
        "Ranking of items by implicit feedback: the user's item above one that is drawn (Bayesian personalised ranking)";
    Warp "warp" Warp 30 0.05
        Settings { epochs: 30, l2: 0.1, ..Settings::for_ranking() },
        "Ranking of items by implicit feedback: the user's item above the first of some drawn that is not well below it (WARP)";
    SampledSoftmax "sampled-softmax" SampledSoftmax 64 0.1
        Settings { epochs: 40, l2: 0.1, ..Settings::for_ranking() },
        "Ranking of items by implicit feedback: the probability of the user's item among many that are drawn";
    LogisticMf "logistic-mf" Logistic 16 0.1
        Settings { epochs: 30, l2: 0.1, loss: Loss::Logistic, ..Settings::for_ranking() },
        "Implicit feedback by logistic matrix factorization: the user's item is +1, items that are drawn are -1";
}

/// The defaults of a loss.
pub(crate) fn ranking_settings(loss: RankingLoss) -> Settings {
    match loss {
        RankingLoss::Bpr => Bpr::defaults(),
        RankingLoss::Warp => Warp::defaults(),
        RankingLoss::SampledSoftmax => SampledSoftmax::defaults(),
        RankingLoss::Logistic => LogisticMf::defaults(),
    }
}

fn check(settings: &Settings, defaults: &Settings, loss: RankingLoss) -> Result<()> {
    let refused = |setting, value: String, problem: &str| Err(Error::BadSetting { setting, value, problem: problem.into() });
    no_classes(settings)?;
    no_graph(settings)?;
    no_factors(settings)?;
    needs_bias(settings)?;
    if settings.loss != defaults.loss {
        return refused("loss", settings.loss.name().into(), "is of labels, and this model has a loss of its own; leave it out");
    }
    if let Some(negatives) = settings.negatives.filter(|&negatives| loss == RankingLoss::Bpr && negatives != 1) {
        return refused(
            "negatives",
            negatives.to_string(),
            "is of other models: bpr learns by pairs; leave it out, or use `model` sampled-softmax",
        );
    }
    if let Some(hot) = settings.hot_rows.filter(|&hot| hot > 0) {
        return refused("hot_rows", hot.to_string(), "is of models of rows; leave it out");
    }
    if settings.parallel == Parallel::Partitioned {
        let problem = "has workers that own blocks of items, and negatives are drawn from all; use hogwild";
        return refused("parallel", settings.parallel.name().into(), problem);
    }
    if !settings.standardize {
        return refused("standardize", "false".into(), "is of labels that are numbers, and interactions have none; leave it out");
    }
    if let Some(in_flight) = settings.in_flight {
        return refused("in_flight", in_flight.to_string(), "is of linear models; leave it out");
    }
    if let Some(positive) = settings.positive {
        return refused("positive", positive.to_string(), "is a label of sparse rows, and interactions have none; leave it out");
    }
    if let Some(weight) = &settings.class_weight {
        return refused("class_weight", ClassWeight::to_string(weight), "is of labels, and interactions have none; leave it out");
    }
    if let Window::Bytes(_) = settings.window {
        return refused(
            "window",
            settings.window.to_string(),
            "is of sparse rows; interactions are copied into memory, all of them; leave it out",
        );
    }
    if settings.transforms.l1 > 0.0 {
        return refused("l1", settings.transforms.l1.to_string(), "is of linear models; factors take `l2`");
    }
    if !matches!(settings.normalize, Normalize::Auto | Normalize::None) {
        return refused("normalize", settings.normalize.name().into(), "scales features, and interactions have none; leave it out");
    }
    if let Some(snapshots) = settings.snapshots {
        return refused("snapshots", snapshots.to_string(), "makes an ensemble, whose members have a list of items each; leave it out");
    }
    if let Some(metric) = settings.stop_metric.filter(|metric| !metric.is_of_ranking() && *metric != Metric::Loss) {
        return refused(
            "stop_metric",
            metric.name().into(),
            "is of scores beside labels; use ndcg@20, recall@20, precision@20, map@20 or mrr@20",
        );
    }
    Ok(())
}

/// Refuses what is said of graphs, where a model has none.
fn no_graph(settings: &Settings) -> Result<()> {
    let metric = settings.stop_metric.filter(|metric| metric.is_of_cuts()).map(|metric| ("stop_metric", metric.name().to_owned()));
    let terminals = settings.terminals.as_ref().map(|path| ("terminals", path.display().to_string()));
    match terminals.or(metric) {
        Some((setting, value)) => {
            let problem = "is of cuts of graphs; leave it out, or use `model` cut".into();
            Err(Error::BadSetting { setting, value, problem })
        }
        None => Ok(()),
    }
}

/// Refuses what is said of ranking and of graphs, where a model does neither.
pub(super) fn no_ranking(settings: &Settings) -> Result<()> {
    no_graph(settings)?;
    let refused = |setting, value: String| {
        let problem = "is of models of implicit feedback; leave it out, or use `model` bpr, warp, sampled-softmax or logistic-mf".into();
        Err(Error::BadSetting { setting, value, problem })
    };
    if let Some(negatives) = settings.negatives {
        return refused("negatives", negatives.to_string());
    }
    if settings.negative_power != 0.0 {
        return refused("negative_power", settings.negative_power.to_string());
    }
    if settings.holdout_by != HoldoutBy::default() {
        return refused("holdout_by", settings.holdout_by.name().into());
    }
    if let Some(metric) = settings.stop_metric.filter(|metric| metric.is_of_ranking()) {
        return refused("stop_metric", metric.name().into());
    }
    Ok(())
}
