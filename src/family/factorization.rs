//! Matrix factorization of ratings, with biases (Koren, Bell & Volinsky 2009).
use super::{
    explained::{Explain, Explained},
    implicit::no_ranking,
    linear::{needs_bias, no_classes, no_factors},
    prepared::Prepared,
    ratings::{FactorModel, RatingsRun, explain},
    traits::Family,
};
use crate::{
    Batch, Order, Parallel,
    classes::check_ratings,
    model::{
        Schema, Scored, Size, TensorKind, Tensors, TrainedModel,
        inspect::{heaviest, length, mean},
    },
    options::Settings,
};
use hogwild_base::{Error, Result};
use hogwild_data::{Ratings, Window};
use hogwild_kernels::{
    engine::{FactorKernel, Loops},
    feed::Normalize,
};
use serde_json::{Map, Value, json};

/// Matrix factorization.
pub struct Factorization;

/// What models of users and items consist of.
pub(super) const TENSORS: &[TensorKind] = &[
    TensorKind { name: "mean", shape: &[Size::One] },
    TensorKind { name: "user_bias", shape: &[Size::Ids("user")] },
    TensorKind { name: "user_factor", shape: &[Size::Ids("user"), Size::Free("rank")] },
    TensorKind { name: "item_bias", shape: &[Size::Ids("item")] },
    TensorKind { name: "item_factor", shape: &[Size::Ids("item"), Size::Free("rank")] },
];

impl Family for Factorization {
    const SUMMARY: &'static str = "Matrix factorization of ratings, with biases";
    const SCHEMA: Schema = Schema { family: "mf", axes: &["user", "item"], tensors: TENSORS, own_classes: false };
    const WORK: u64 = 500_000;
    type Data = Ratings;
    type Kernel = FactorKernel;

    fn defaults() -> Settings {
        Settings::for_ratings()
    }

    fn check(settings: &Settings) -> Result<()> {
        let refused = |setting, value: String, problem: &str| Err(Error::BadSetting { setting, value, problem: problem.into() });
        no_classes(settings)?;
        no_ranking(settings)?;
        if let Some(hot) = settings.hot_rows.filter(|&hot| hot > 0) {
            let problem = "factorization keeps hot rows apart by its order of tiles; leave the setting out";
            return refused("hot_rows", hot.to_string(), problem);
        }
        if let Some(in_flight) = settings.in_flight {
            let problem = "is of linear models; blocks of items pass on whole; leave the setting out";
            return refused("in_flight", in_flight.to_string(), problem);
        }
        if let Some(positive) = settings.positive {
            let problem = "is a label of sparse rows, and ratings have none; leave the setting out";
            return refused("positive", positive.to_string(), problem);
        }
        if let Window::Bytes(_) = settings.window {
            let problem = "is of sparse rows; ratings are copied into memory, all of them; leave it out";
            return refused("window", settings.window.to_string(), problem);
        }
        if settings.parallel == Parallel::Partitioned && settings.order == Order::Sequential {
            let problem = "is of the file, and by `parallel` partitioned blocks have an order of their own; use shuffle";
            return refused("order", settings.order.name().into(), problem);
        }
        if settings.parallel == Parallel::Partitioned && settings.batch != Batch::One {
            let problem = "has workers that pass whole blocks of items on, a step a rating; leave out `batch`";
            return refused("parallel", settings.parallel.name().into(), problem);
        }
        no_factors(settings)?;
        needs_bias(settings)?;
        if settings.transforms.l1 > 0.0 {
            return refused("l1", settings.transforms.l1.to_string(), "is of linear models; factors take `l2`");
        }
        if !matches!(settings.normalize, Normalize::Auto | Normalize::None) {
            let problem = "scales features, and ratings have none; leave the setting out";
            return refused("normalize", settings.normalize.name().into(), problem);
        }
        Ok(())
    }

    fn prepare<'a>(
        rule: &'a dyn Loops<FactorKernel>,
        data: &'a Ratings,
        valid: Option<&'a Ratings>,
        settings: &'a Settings,
    ) -> Result<Box<dyn Prepared + 'a>> {
        Ok(Box::new(RatingsRun::new(rule, data, valid, settings)?))
    }

    fn score(model: &TrainedModel, member: &Tensors, data: &Ratings) -> Result<Scored> {
        FactorModel::new(model, member).map_or_else(|| Ok(Scored::default()), |view| view.score_ratings(model.loss, data))
    }

    fn check_labels(model: &TrainedModel, data: &Ratings) -> Result<()> {
        check_ratings(model.loss, data)
    }

    fn explain(model: &TrainedModel, data: &Ratings, asked: &Explain) -> Result<Vec<Explained>> {
        explain(model, data, asked)
    }

    fn describe_member(member: &Tensors) -> Value {
        json!({
            "length_of_biases": length(&[member.numbers("user_bias"), member.numbers("item_bias")]),
            "length_of_factors": length(&[member.numbers("user_factor"), member.numbers("item_factor")]),
        })
    }

    fn describe(model: &TrainedModel, top: usize) -> Map<String, Value> {
        let last = model.last();
        let count = |axis| model.ids(axis).map_or(0, |ids| ids.len());
        let rank = last.get("user_factor").and_then(|factors| factors.shape.last().copied());
        let heaviest = model.ids("item").map(|ids| heaviest(ids, &mean(model, "item_bias"), top));
        Map::from_iter([
            ("users".into(), count("user").into()),
            ("items".into(), count("item").into()),
            ("rank".into(), rank.into()),
            ("mean".into(), json!(last.number("mean"))),
            ("heaviest_item_biases".into(), heaviest.unwrap_or_default()),
        ])
    }
}
