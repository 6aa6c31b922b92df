//! Multiway graph cuts: which label each node of a graph takes, between terminals whose labels are known.
//!
//! `graph` makes one set of nodes of the edges' two ends, `terminals` reads which of them have which label, `run` trains, and `shares` is what
//! a model says: by the shares of each node what the edges cost, and which label the node takes. `threshold` makes the best of two labels.
mod graph;
mod run;
mod shares;
mod terminals;
mod threshold;

use super::{
    explained::{Explain, Explained, no_terms},
    implicit::no_ranking,
    linear::{no_classes, no_factors},
    prepared::Prepared,
    traits::Family,
};
use crate::{
    Batch, ClassWeight, Order, Parallel, Rule, Schedule,
    model::{Schema, Scored, Size, TensorKind, Tensors, TrainedModel},
    options::Settings,
};
use graph::known_edges;
use hogwild_base::{Error, Result};
use hogwild_data::{Format, Ratings, Window};
use hogwild_kernels::{
    engine::{CutKernel, Loops},
    feed::Normalize,
    rules::Sgd,
    transforms::Transforms,
};
use run::CutRun;
use serde_json::{Map, Value, json};
pub use shares::CutModel;
use terminals::Terminals;

/// A multiway cut of a graph.
pub struct GraphCut;

impl Family for GraphCut {
    const SUMMARY: &'static str = "Multiway cut of a graph: the label of each node, by edges and terminals";
    const SCHEMA: Schema = Schema {
        family: "cut",
        axes: &["node", "label"],
        tensors: &[TensorKind { name: "share", shape: &[Size::Ids("node"), Size::Ids("label")] }],
        own_classes: false,
    };
    const WORK: u64 = 200_000;
    const FORMAT: Format = Format::Edges;
    const CUTS: bool = true;
    type Data = Ratings;
    type Kernel = CutKernel;

    fn defaults() -> Settings {
        Settings {
            rule: Rule::Sgd(Sgd::DEFAULT),
            epochs: 60,
            l2: 0.0,
            schedule: Schedule::Linear,
            parallel: Parallel::Hogwild,
            ..Settings::for_ratings()
        }
    }

    fn check(settings: &Settings) -> Result<()> {
        no_classes(settings)?;
        no_ranking_but_metrics(settings)?;
        no_factors(settings)?;
        check(settings, &Self::defaults())?;
        match &settings.terminals {
            // Before the data are read; what is no file gives its text once alone.
            Some(path) if path.is_file() => Terminals::read(path).map(|_| ()),
            _ => Ok(()),
        }
    }

    fn prepare<'a>(
        rule: &'a dyn Loops<CutKernel>,
        data: &'a Ratings,
        valid: Option<&'a Ratings>,
        settings: &'a Settings,
    ) -> Result<Box<dyn Prepared + 'a>> {
        if let Some(valid) = valid {
            let problem = "are held-out data, and a graph is cut as a whole".into();
            return Err(Error::BadFile { path: valid.name().to_owned(), problem, remedy: "leave them out" });
        }
        Ok(Box::new(CutRun::new(rule, data, settings)?))
    }

    fn score(model: &TrainedModel, member: &Tensors, data: &Ratings) -> Result<Scored> {
        let Some(view) = CutModel::new(model, member) else { return Ok(Scored::default()) };
        let (ends, weights, unknown) = known_edges(data, view.nodes)?;
        if ends.is_empty() && !data.is_empty() {
            let problem = format!("the model knows both nodes of none of the {} edges", data.len());
            return Err(Error::BadFile { path: data.name().to_owned(), problem, remedy: "give edges of the graph that it was trained on" });
        }
        Ok(Scored { cut: Some(view.costs(&ends, &weights)), unknown, ..Scored::default() })
    }

    fn check_labels(_model: &TrainedModel, _data: &Ratings) -> Result<()> {
        Ok(())
    }

    fn explain(_model: &TrainedModel, _data: &Ratings, _asked: &Explain) -> Result<Vec<Explained>> {
        Err(no_terms(Self::SCHEMA.family))
    }

    fn describe_member(member: &Tensors) -> Value {
        json!({ "nodes": member.get("share").map(|share| share.shape[0]) })
    }

    fn describe(model: &TrainedModel, top: usize) -> Map<String, Value> {
        let Some(view) = model.cut() else { return Map::new() };
        let mut sizes = vec![0u64; view.labels.len()];
        (0..view.nodes.len()).for_each(|node| sizes[view.label(node)] += 1);
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.sort_by_key(|&label| std::cmp::Reverse(sizes[label]));
        let largest = order.into_iter().take(top).map(|label| (view.labels.name(label), json!(sizes[label])));
        Map::from_iter([
            ("nodes".into(), view.nodes.len().into()),
            ("labels".into(), view.labels.len().into()),
            ("undecided_nodes".into(), view.undecided().into()),
            ("nodes_of_the_largest_labels".into(), Value::Object(largest.collect())),
        ])
    }
}

/// What models of users and items take that rank, and a cut does not.
fn no_ranking_but_metrics(settings: &Settings) -> Result<()> {
    match settings.stop_metric.filter(|metric| !metric.is_of_cuts()) {
        Some(metric) => refused("stop_metric", metric.name().into(), "is of scores; a cut has objective and cut"),
        None => no_ranking(&Settings { stop_metric: None, terminals: None, ..settings.clone() }),
    }
}

fn refused(setting: &'static str, value: String, problem: &str) -> Result<()> {
    Err(Error::BadSetting { setting, value, problem: problem.into() })
}

/// Names the first setting that a cut does not take.
fn check(settings: &Settings, defaults: &Settings) -> Result<()> {
    let text = |value: &dyn ToString| value.to_string();
    if settings.rule.name() != defaults.rule.name() {
        let problem = "moves weights by gradients, and a cut steps by a rate and projects; use sgd";
        return refused("rule", settings.rule.name().into(), problem);
    }
    if settings.loss != defaults.loss {
        return refused("loss", settings.loss.name().into(), "is of labels, and a cut has a cost of its own; leave it out");
    }
    if settings.parallel != Parallel::Hogwild {
        let problem = "has copies or parts of the model, which leave the simplex as they are joined; use hogwild";
        return refused("parallel", settings.parallel.name().into(), problem);
    }
    if settings.batch != Batch::One {
        return refused("batch", text(&settings.batch), "sums gradients, and a cut projects after each edge; leave it out");
    }
    if settings.holdout > 0.0 {
        return refused("holdout", text(&settings.holdout), "holds edges out, and a graph is cut as a whole; leave it out");
    }
    if settings.l2 > 0.0 {
        return refused("l2", text(&settings.l2), "draws weights to 0, and shares of labels sum up to 1; leave it out");
    }
    if settings.transforms != Transforms::default() {
        let given = settings.describe();
        let plain = defaults.describe();
        let names = ["clip_value", "clip_norm", "noise", "l1", "average"];
        let name = names.into_iter().find(|name| given[*name] != plain[*name]).unwrap_or("average");
        return refused(name, given[name].to_string(), "changes gradients, and a cut projects rows; leave it out");
    }
    if !settings.standardize {
        return refused("standardize", "false".into(), "is of labels that are numbers, and edges have none; leave it out");
    }
    let rows = "is of models of rows; leave it out";
    if let Some(hot) = settings.hot_rows.filter(|&hot| hot > 0) {
        return refused("hot_rows", text(&hot), rows);
    }
    if let Some(in_flight) = settings.in_flight {
        return refused("in_flight", text(&in_flight), rows);
    }
    if let Some(positive) = settings.positive {
        return refused("positive", text(&positive), rows);
    }
    if let Some(weight) = &settings.class_weight {
        return refused("class_weight", ClassWeight::to_string(weight), rows);
    }
    if let Window::Bytes(_) = settings.window {
        return refused("window", text(&settings.window), "is of sparse rows; edges are copied into memory, all of them; leave it out");
    }
    if !matches!(settings.normalize, Normalize::Auto | Normalize::None) {
        return refused("normalize", settings.normalize.name().into(), rows);
    }
    if let Some(snapshots) = settings.snapshots {
        return refused("snapshots", text(&snapshots), "makes an ensemble, and a cut is one; leave it out");
    }
    if let Schedule::Plateau { .. } = settings.schedule {
        return refused("schedule", text(&settings.schedule), "goes by held-out data, and a graph is cut as a whole; use linear");
    }
    if settings.order == Order::Curriculum {
        return refused("order", settings.order.name().into(), "leaves edges out, and a graph is cut as a whole; use shuffle");
    }
    Ok(())
}
