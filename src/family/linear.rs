//! Linear models of sparse rows: score = bias + sum of weight times value.
use super::{
    explained::{Explain, Explained},
    implicit::no_ranking,
    prepared::Prepared,
    rows::{LinearModel, RowsRun, explain},
    traits::Family,
};
use crate::{
    classes::check_numbers,
    model::{
        Schema, Scored, Size, TensorKind, Tensors, TrainedModel,
        inspect::{heaviest, length, mean, nonzero},
    },
    options::{Settings, check_rows},
};
use hogwild_base::{Error, Result};
use hogwild_data::Rows;
use hogwild_kernels::engine::{LinearKernel, Loops};
use serde_json::{Map, Value, json};

/// Linear models.
pub struct Linear;

impl Family for Linear {
    const SUMMARY: &'static str = "Score = bias + sum of weight times value";
    const SCHEMA: Schema = Schema {
        family: "linear",
        axes: &["feature"],
        tensors: &[TensorKind { name: "bias", shape: &[Size::One] }, TensorKind { name: "weight", shape: &[Size::Ids("feature")] }],
        own_classes: true,
    };
    const WORK: u64 = 2_000_000;
    type Data = Rows;
    type Kernel = LinearKernel;

    fn defaults() -> Settings {
        Settings::default()
    }

    fn check(settings: &Settings) -> Result<()> {
        check_rows(settings)?;
        no_classes(settings)?;
        no_ranking(settings)?;
        no_factors(settings)
    }

    fn prepare<'a>(
        rule: &'a dyn Loops<LinearKernel>,
        data: &'a Rows,
        valid: Option<&'a Rows>,
        settings: &'a Settings,
    ) -> Result<Box<dyn Prepared + 'a>> {
        Ok(Box::new(RowsRun::new(rule, data, valid, settings)?))
    }

    fn score(model: &TrainedModel, member: &Tensors, data: &Rows) -> Result<Scored> {
        LinearModel::new(model, member).map_or_else(|| Ok(Scored::default()), |view| view.score(model.loss, model.classes, data))
    }

    fn check_labels(model: &TrainedModel, data: &Rows) -> Result<()> {
        check_labels(model, data)
    }

    fn explain(model: &TrainedModel, data: &Rows, asked: &Explain) -> Result<Vec<Explained>> {
        explain(model, None, data, asked)
    }

    fn describe_member(member: &Tensors) -> Value {
        let weights = member.numbers("weight");
        json!({
            "bias": member.number("bias"),
            "nonzero_weights": nonzero(weights),
            "length_of_weights": length(&[weights]),
        })
    }

    fn describe(model: &TrainedModel, top: usize) -> Map<String, Value> {
        let weights = mean(model, "weight");
        let heaviest = model.ids("feature").map(|ids| heaviest(ids, &weights, top));
        Map::from_iter([
            ("features".into(), weights.len().into()),
            ("nonzero_weights".into(), nonzero(&weights).into()),
            ("bias".into(), json!(mean(model, "bias").first())),
            ("heaviest".into(), heaviest.unwrap_or_default()),
        ])
    }
}

/// Labels of rows are such as the model's loss takes.
pub(super) fn check_labels(model: &TrainedModel, data: &Rows) -> Result<()> {
    match model.classes.filter(|_| model.loss.is_classification()) {
        Some(classes) => classes.check(data),
        None => check_numbers(model.loss, data),
    }
}

/// Refuses metrics of several classes.
pub(super) fn no_classes(settings: &Settings) -> Result<()> {
    match settings.stop_metric.filter(|metric| metric.is_of_classes()) {
        Some(metric) => {
            let has: Vec<_> = settings.loss.metrics().iter().map(|metric| metric.name()).collect();
            let problem = format!("is of models of several classes; the {} loss has {}", settings.loss.name(), has.join(", "));
            Err(Error::BadSetting { setting: "stop_metric", value: metric.name().into(), problem })
        }
        None => Ok(()),
    }
}

/// Refuses to leave out the bias, of models that need one.
pub(super) fn needs_bias(settings: &Settings) -> Result<()> {
    if settings.bias {
        return Ok(());
    }
    let problem = "leaves the bias out, which linear models alone can do without; leave it out".into();
    Err(Error::BadSetting { setting: "bias", value: "false".into(), problem })
}

/// Refuses what is said of models that go by fields.
pub(super) fn no_fields(settings: &Settings) -> Result<()> {
    match settings.factor_min_count {
        Some(count) => {
            let problem = "is of models that have factors for each field; leave it out, or use an ffm model".into();
            Err(Error::BadSetting { setting: "factor_min_count", value: count.to_string(), problem })
        }
        None => Ok(()),
    }
}

/// Refuses what is said of factors of features.
pub(super) fn no_factors(settings: &Settings) -> Result<()> {
    no_fields(settings)?;
    let given = [("factor_rate", settings.factor_rate), ("init_stdev", settings.init_stdev)];
    match given.into_iter().find_map(|(setting, value)| Some((setting, value?))) {
        Some((setting, value)) => {
            let problem = "is of the factors of features, and this model has none; leave it out, or use a factorization machine";
            Err(Error::BadSetting { setting, value: value.to_string(), problem: problem.into() })
        }
        None => Ok(()),
    }
}
