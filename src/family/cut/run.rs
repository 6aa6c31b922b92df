//! Data and settings become a run of a graph cut.
use super::{
    graph::Graph,
    shares::{cost, costs},
    terminals::Terminals,
    threshold,
};
use crate::{
    family::prepared::{Basis, Choices, Prepared, Rate, WithEngines},
    model::{Axis, Scored, Tensor, Tensors},
    options::Settings,
};
use hogwild_base::{Error, Result, threads};
use hogwild_data::Ratings;
use hogwild_kernels::{
    ServerRule,
    engine::{CutKernel, Loops, Task},
    feed::{EdgeFeed, Normalize},
    loss::{Loss, Taken},
    models::{Cut, project},
    params::{Finish, Parameters, Shape, TableShape},
    rules::Layout,
    simd::math::three_digits,
    targets::Targets,
};
use std::convert::Infallible;

/// The rate times what the edges of a usual node cost. By a fifth to thrice of it the cuts of a photograph in two parts and of a drawing in
/// eight are within .02% of each other.
const RATE: f64 = 0.5;
/// Edges a block, where nothing else is asked for.
const BLOCK: u32 = 4096;
/// How far the shares of a node may be from 1 together before they are projected once more: two workers may have written a row at once.
const SLACK: f32 = 1e-5;

/// Nodes of a task.
const TASK: usize = 1 << 13;

/// Projects rows whose shares are not 1 together.
fn on_simplex(rows: &mut [f32], labels: usize) -> std::result::Result<(), Infallible> {
    for row in rows.chunks_exact_mut(labels) {
        let sum: f32 = row.iter().sum();
        if !((sum - 1.0).abs() <= SLACK && row.iter().all(|&share| share >= 0.0)) {
            project(row);
        }
    }
    Ok(())
}

/// The run of a cut.
pub(super) struct CutRun<'a> {
    rule: &'a dyn Loops<CutKernel>,
    feed: EdgeFeed,
    model: Cut,
    rate: f32,
    basis: Basis,
    /// Of two labels: which nodes have a path to a terminal.
    reached: Vec<bool>,
}

impl<'a> CutRun<'a> {
    /// # Errors
    /// Terminals that cannot be read or are none, edges that are none, too little memory, dictionaries that can't be read.
    pub fn new(rule: &'a dyn Loops<CutKernel>, data: &Ratings, settings: &Settings) -> Result<CutRun<'a>> {
        let Some(path) = &settings.terminals else {
            let problem = "says which nodes have which label, and a cut has to know; give a file with a node a line".into();
            return Err(Error::BadSetting { setting: "terminals", value: "missing".into(), problem });
        };
        let graph = Graph::new(data, &Terminals::read(path)?, settings)?;
        let degree = graph.usual_degree();
        // A rate beyond these, or its product with a weight, leaves the range of 32-bit floats.
        if degree > 0.0 && !(1e-30..=1e30).contains(&degree) {
            let problem = format!("the edges of a node weigh {degree:.0e} together (the median), and the rate is one over that");
            return Err(Error::BadFile { path: data.name().to_owned(), problem, remedy: "scale the weights: near 1 is best" });
        }
        let Graph { nodes, labels, ends, weights, units } = graph;
        let (facts, count, of_nodes) = (rule.facts(), labels.len(), nodes.len());
        let stride = Parameters::row_stride(&facts.layout, count);
        let basis = Basis {
            loss: Loss::AS_GIVEN,
            facts,
            choices: Choices {
                hot_rows: 0,
                dense_rows: 0,
                exchange_every: settings.block(BLOCK, ends.len() as u64),
                normalize: Normalize::None,
                window: None,
                parts: None,
                flight: None,
            },
            units: units.as_slice().into(),
            examples: ends.len() as u64,
            // Shares stay on the simplex at any rate, so that no run goes astray.
            targets: Targets::plain(Taken::Nothing).with_constant(f64::INFINITY),
            shape: Shape { workers: settings.workers(), ..Shape::of(TableShape::rows(of_nodes, count)) },
            parts: None,
            numbers: count as f64,
            by_heart: false,
            unit_rows: false,
            classes: None,
            recipe: None,
            axes: vec![Axis { name: "node", ids: nodes.into() }, Axis { name: "label", ids: labels.into() }],
            scaled: None,
            window: None,
        };
        let rate = if degree > 0.0 { three_digits((RATE / degree) as f32) } else { 1.0 };
        let reached = if count == 2 { threshold::reached(of_nodes, count, &ends, &weights) } else { Vec::new() };
        let feed = EdgeFeed { ends, weights, units, terminals: count as u32, stride };
        Ok(CutRun { rule, feed, model: Cut::new(count), rate, basis, reached })
    }

    fn shares<'t>(&self, model: &'t Tensors) -> (&'t [f32], usize) {
        (model.numbers("share"), self.model.labels())
    }
}

impl Prepared for CutRun<'_> {
    fn basis(&self) -> &Basis {
        &self.basis
    }

    /// Terminals have their label, all others as much of each.
    fn start(&self, parameters: &Parameters) {
        let labels = self.model.labels();
        let mut at = 0;
        parameters.table(0).set_weights(|| {
            let (node, label) = (at / labels, at % labels);
            at += 1;
            if node < labels { (node == label) as u8 as f32 } else { 1.0 / labels as f32 }
        });
    }

    fn with_engines(&self, tasks: &[Task<'_>], run: &mut WithEngines<'_>) -> Result<()> {
        run(tasks.iter().map(|task| self.rule.engine(&self.feed, &self.model, task, None)).collect::<Result<_>>()?)
    }

    fn summing(&self, task: &Task<'_>) -> Option<Layout> {
        self.rule.summing(&self.feed, task)
    }

    fn server_rule(&self) -> ServerRule<'_> {
        self.rule.server_rule()
    }

    fn tensors(&self, parameters: &Parameters, finish: &Finish<'_>) -> Tensors {
        let (table, labels) = (parameters.table(0), self.model.labels());
        let mut numbers = table.all_weights(finish);
        let tasks = numbers.chunks_mut(TASK * labels).collect();
        let Ok(()) = threads::in_call(|| threads::each(tasks, || (), |(), rows| on_simplex(rows, labels)));
        if labels == 2 {
            threshold::draw(&mut numbers, &self.feed.ends, &self.feed.weights, &self.reached);
        }
        Tensors(vec![Tensor { name: "share", shape: vec![table.slots(), labels], numbers }])
    }

    /// What the graph's own edges cost: nothing is held out.
    fn score_held_out(&self, model: &Tensors) -> Option<Scored> {
        let cut = costs(self.shares(model), &self.feed.ends, &self.feed.weights);
        Some(Scored { cut: Some(cut), ..Scored::default() })
    }

    fn losses(&self, model: &Tensors) -> Vec<f32> {
        let shares = self.shares(model);
        threads::map(self.feed.ends.len(), |edge| cost(shares, self.feed.ends[edge], self.feed.weights[edge]) as f32)
    }

    /// None is searched: what a rate is good for is the cut at the end, and steps fit the graph by what the edges of a node cost.
    fn rate(&self, _largest: u64) -> Result<Rate<'_>> {
        Ok(Rate::Known(self.rate))
    }
}
