//! Field-aware factorization machines of sparse rows (Juan et al. 2016): a linear model, and an effect of each pair of features that goes by
//! the fields of both.
use super::{
    explained::{Explain, Explained},
    implicit::no_ranking,
    linear::{check_labels, needs_bias, no_classes},
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
use hogwild_kernels::engine::{FfmKernel, Loops};
use serde_json::{Map, Value, json};

/// Field-aware factorization machines.
pub struct FieldAware;

impl Family for FieldAware {
    const SUMMARY: &'static str =
        "Field-aware factorization machine: the same with factors of a feature for each field, of data that have fields";
    const SCHEMA: Schema = Schema {
        family: "ffm",
        axes: &["feature", "field"],
        tensors: &[
            TensorKind { name: "bias", shape: &[Size::One] },
            TensorKind { name: "weight", shape: &[Size::Ids("feature")] },
            TensorKind { name: "feature_field", shape: &[Size::Ids("feature")] },
            TensorKind { name: "factor", shape: &[Size::First("feature"), Size::Ids("field"), Size::Free("rank")] },
        ],
        own_classes: true,
    };
    const WORK: u64 = 100_000;
    const BY_FIELD: bool = true;
    type Data = Rows;
    type Kernel = FfmKernel;

    fn defaults() -> Settings {
        Settings::for_ffm()
    }

    fn check(settings: &Settings) -> Result<()> {
        let refused = |setting, value: String, problem: &str| Err(Error::BadSetting { setting, value, problem: problem.into() });
        no_classes(settings)?;
        needs_bias(settings)?;
        no_ranking(settings)?;
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
        rule: &'a dyn Loops<FfmKernel>,
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
        let shape = model.last().get("factor").map_or(&[][..], |factors| &factors.shape);
        let heaviest = model.ids("feature").map(|ids| heaviest(ids, &weights, top));
        Map::from_iter([
            ("features".into(), weights.len().into()),
            ("features_with_factors".into(), shape.first().copied().into()),
            ("fields".into(), model.ids("field").map(|fields| fields.len()).into()),
            ("rank".into(), shape.last().copied().into()),
            ("bias".into(), json!(mean(model, "bias").first())),
            ("heaviest".into(), heaviest.unwrap_or_default()),
        ])
    }
}
