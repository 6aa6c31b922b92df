//! Models of several classes of sparse rows: a linear score each. By softmax a row has exactly one class, by one-vs-rest any number.
use super::{
    explained::{Explain, Explained},
    implicit::no_ranking,
    linear::no_factors,
    prepared::Prepared,
    rows::{RowsRun, Scorer, explain},
    traits::Family,
};
use crate::{
    Parallel,
    classes::{Many, by_names},
    model::{
        Schema, Scored, Size, TensorKind, Tensors, TrainedModel,
        inspect::{heaviest, length, mean, nonzero},
    },
    options::Settings,
};
use hogwild_base::{Error, Result, memory};
use hogwild_data::{Labelling, Rows};
use hogwild_kernels::{
    engine::{Loops, MulticlassKernel},
    loss::{Loss, Metric, Taken},
    models::{ClassLabels, Output},
};
use serde_json::{Map, Value, json};

/// One class a row: multinomial logistic regression.
pub struct Softmax;

/// Any number of classes a row: a loss of two classes for each, all in one pass.
pub struct OneVsRest;

const fn schema(family: &'static str) -> Schema {
    Schema {
        family,
        axes: &["feature", "class"],
        tensors: &[
            TensorKind { name: "bias", shape: &[Size::Ids("class")] },
            TensorKind { name: "weight", shape: &[Size::Ids("feature"), Size::Ids("class")] },
        ],
        own_classes: false,
    }
}

macro_rules! families {
    ($($type:ident $name:literal $labelling:ident $defaults:ident $summary:literal $output:expr, $check:expr;)*) => {
        $(impl Family for $type {
            const SUMMARY: &'static str = $summary;
            const SCHEMA: Schema = schema($name);
            const WORK: u64 = 1_000_000;
            const LABELLING: Labelling = Labelling::$labelling;
            type Data = Rows;
            type Kernel = MulticlassKernel;

            fn defaults() -> Settings {
                Settings::$defaults()
            }

            fn check(settings: &Settings) -> Result<()> {
                let own: fn(&Settings) -> Result<()> = $check;
                check(settings, $name)?;
                own(settings)
            }

            fn prepare<'a>(
                rule: &'a dyn Loops<MulticlassKernel>,
                data: &'a Rows,
                valid: Option<&'a Rows>,
                settings: &'a Settings,
            ) -> Result<Box<dyn Prepared + 'a>> {
                let output: fn(Loss) -> Output = $output;
                Ok(Box::new(RowsRun::of_classes(output(settings.loss), rule, data, valid, settings)?))
            }

            fn score(model: &TrainedModel, member: &Tensors, data: &Rows) -> Result<Scored> {
                let output: fn(Loss) -> Output = $output;
                score(output(model.loss), model, member, data)
            }

            fn check_labels(_model: &TrainedModel, data: &Rows) -> Result<()> {
                Many::of(data, $name == "softmax").map(|_| ())
            }

            fn explain(model: &TrainedModel, data: &Rows, asked: &Explain) -> Result<Vec<Explained>> {
                let output: fn(Loss) -> Output = $output;
                explain(model, Some(output(model.loss)), data, asked)
            }

            fn describe_member(member: &Tensors) -> Value {
                let weights = member.numbers("weight");
                json!({ "nonzero_weights": nonzero(weights), "length_of_weights": length(&[weights]) })
            }

            fn describe(model: &TrainedModel, top: usize) -> Map<String, Value> {
                describe(model, top)
            }
        })*
    };
}
families! {
    Softmax "softmax" Class for_softmax "One of several classes: a linear score each, and the probabilities that sum to 1 (multinomial logistic regression)"
        |_| Output::Softmax,
        |settings| match settings.loss {
            Loss::Logistic => Ok(()),
            loss => refused("loss", loss.name(), "is of two classes or of numbers, and softmax has its own; leave it out, or use `model` ovr"),
        };
    OneVsRest "ovr" Classes for_ovr "Any number of classes a row: a linear model for each class against the rest, all in one pass"
        Output::OneVsRest,
        |settings| if settings.loss.is_classification() {
            Ok(())
        } else {
            refused("loss", settings.loss.name(), "takes numbers, and labels are classes here; use logistic, or another loss of two classes")
        };
}

fn refused(setting: &'static str, value: impl ToString, problem: &str) -> Result<()> {
    Err(Error::BadSetting { setting, value: value.to_string(), problem: problem.into() })
}

/// What goes with both.
fn check(settings: &Settings, name: &str) -> Result<()> {
    no_factors(settings)?;
    no_ranking(settings)?;

    if settings.parallel == Parallel::Partitioned {
        let problem = "has parts that each know some of the weights, and a loss of several classes needs all scores at once; use hogwild";
        return refused("parallel", settings.parallel.name(), problem);
    }
    if settings.transforms.l1 > 0.0 {
        return refused("l1", settings.transforms.l1, "is of single weights, and a feature has a row of them, one a class; use `l2`");
    }
    if let Some(weight) = &settings.class_weight {
        return refused("class_weight", weight, "is of a loss of two classes; give weights of examples instead");
    }
    if let Some(positive) = settings.positive {
        return refused("positive", positive, "tells one of two classes, and all classes are alike here; leave it out");
    }
    if settings.stop_metric == Some(Metric::Auc) {
        return refused("stop_metric", "auc", "is of two classes; use loss, accuracy or macro-f1");
    }
    if settings.stop_metric == Some(Metric::MicroF1) && name == "softmax" {
        return refused("stop_metric", "micro-f1", "is the accuracy where each row has one class; use that");
    }
    Ok(())
}

fn score(output: Output, model: &TrainedModel, member: &Tensors, data: &Rows) -> Result<Scored> {
    let (Some(features), Some(classes)) = (model.ids("feature"), model.ids("class")) else { return Ok(Scored::default()) };
    let bytes = (data.rows() * classes.len() * size_of::<f32>()) as u64;
    memory::ask(bytes, || format!("{}: the scores of all classes", data.name().display()), "give fewer rows at a time")?;
    let several = model.has_several_labels();
    let labels = match data.is_unlabelled() {
        true => None,
        false => Some(of_model(by_names(data, classes, output == Output::Softmax)?.0, several, data)?),
    };
    let scorer = Scorer { output: Some(output), ..Scorer::new(member, model.unit_rows, Taken::Nothing) };
    let mut scored = scorer.score_rows(features, data, labels.as_ref())?;
    if labels.is_none()
        && let Some(classes) = &mut scored.classes
    {
        classes.set_several(several);
    }
    Ok(scored)
}

/// Labels as a model has them, whether one a row or any number, however the data keep them.
fn of_model(labels: ClassLabels, several: bool, data: &Rows) -> Result<ClassLabels> {
    match (&labels.starts, several) {
        (None, true) => Ok(ClassLabels { starts: Some((0..=labels.classes.len() as u64).collect()), ..labels }),
        (Some(_), false) => match (0..labels.len()).find(|&row| labels.of(row).len() != 1) {
            None => Ok(ClassLabels { starts: None, ..labels }),
            Some(row) => {
                let problem = format!("row {} has {} labels, and the model was trained on one a row", row + 1, labels.of(row).len());
                Err(Error::BadFile { path: data.name().to_owned(), problem, remedy: "give rows with one label each" })
            }
        },
        _ => Ok(labels),
    }
}

fn describe(model: &TrainedModel, top: usize) -> Map<String, Value> {
    let (weights, bias) = (mean(model, "weight"), mean(model, "bias"));
    let classes = bias.len();
    let of = |class: usize| weights.iter().skip(class).step_by(classes.max(1)).copied().collect::<Vec<f32>>();
    let (ids, names) = (model.ids("feature"), model.ids("class"));
    let name = |class: usize| names.map(|names| names.name(class)).unwrap_or_default();
    let by_class = |class: usize| {
        let heaviest = ids.map(|ids| heaviest(ids, &of(class), top)).unwrap_or_default();
        (name(class), json!({ "bias": bias[class], "heaviest": heaviest }))
    };
    Map::from_iter([
        ("features".into(), (weights.len() / classes.max(1)).into()),
        ("classes".into(), (0..classes).map(name).collect::<Vec<_>>().into()),
        ("nonzero_weights".into(), nonzero(&weights).into()),
        ("by_class".into(), Value::Object((0..classes).map(by_class).collect())),
    ])
}
