//! Factorization machines of sparse rows (Rendle 2010): a linear model, and an effect of each pair of features.
use super::{
    explained::{Explain, Explained},
    implicit::no_ranking,
    linear::{check_labels, needs_bias, no_classes, no_fields},
    prepared::Prepared,
    rows::{RowsRun, Scorer, explain},
    traits::Family,
};
use crate::{
    Parallel,
    classes::Classes,
    model::{
        Schema, Scored, Size, TensorKind, Tensors, TrainedModel,
        inspect::{heaviest, length, mean},
    },
    options::Settings,
};
use hogwild_base::{Error, Result};
use hogwild_data::Rows;
use hogwild_kernels::engine::{FmKernel, Loops};
use serde_json::{Map, Value, json};

/// Factorization machines.
pub struct FactorizationMachine;

impl Family for FactorizationMachine {
    const SUMMARY: &'static str = "Factorization machine: a linear model, and an effect of each pair of features";
    const SCHEMA: Schema = Schema {
        family: "fm",
        axes: &["feature"],
        tensors: &[
            TensorKind { name: "bias", shape: &[Size::One] },
            TensorKind { name: "weight", shape: &[Size::Ids("feature")] },
            TensorKind { name: "factor", shape: &[Size::Ids("feature"), Size::Free("rank")] },
        ],
        own_classes: true,
    };
    const WORK: u64 = 1_000_000;
    type Data = Rows;
    type Kernel = FmKernel;

    fn defaults() -> Settings {
        Settings::for_fm()
    }

    fn check(settings: &Settings) -> Result<()> {
        let refused = |setting, value: String, problem: &str| Err(Error::BadSetting { setting, value, problem: problem.into() });
        no_classes(settings)?;
        needs_bias(settings)?;
        no_ranking(settings)?;
        no_fields(settings)?;
        if settings.parallel == Parallel::Partitioned {
            let problem = "has parts that each know some of the weights, and a factorization machine needs all factors of an example at once; \
                use hogwild";
            return refused("parallel", settings.parallel.name().into(), problem);
        }
        if settings.transforms.l1 > 0.0 {
            return refused("l1", settings.transforms.l1.to_string(), "is of linear models; factors take `l2`");
        }
        Ok(())
    }

    fn prepare<'a>(
        rule: &'a dyn Loops<FmKernel>,
        data: &'a Rows,
        valid: Option<&'a Rows>,
        settings: &'a Settings,
    ) -> Result<Box<dyn Prepared + 'a>> {
        Ok(Box::new(RowsRun::new(rule, data, valid, settings)?))
    }

    fn score(model: &TrainedModel, member: &Tensors, data: &Rows) -> Result<Scored> {
        let scorer = Scorer::new(member, model.unit_rows, Classes::taken(model.classes, model.loss));
        model.ids("feature").map_or_else(|| Ok(Scored::default()), |ids| scorer.score_rows(ids, data, None))
    }

    fn check_labels(model: &TrainedModel, data: &Rows) -> Result<()> {
        check_labels(model, data)
    }

    fn explain(model: &TrainedModel, data: &Rows, asked: &Explain) -> Result<Vec<Explained>> {
        explain(model, None, data, asked)
    }

    fn describe_member(member: &Tensors) -> Value {
        json!({
            "bias": member.number("bias"),
            "length_of_weights": length(&[member.numbers("weight")]),
            "length_of_factors": length(&[member.numbers("factor")]),
        })
    }

    fn describe(model: &TrainedModel, top: usize) -> Map<String, Value> {
        let weights = mean(model, "weight");
        let rank = model.last().get("factor").and_then(|factors| factors.shape.last().copied());
        let heaviest = model.ids("feature").map(|ids| heaviest(ids, &weights, top));
        Map::from_iter([
            ("features".into(), weights.len().into()),
            ("rank".into(), rank.into()),
            ("bias".into(), json!(mean(model, "bias").first())),
            ("heaviest".into(), heaviest.unwrap_or_default()),
        ])
    }
}
