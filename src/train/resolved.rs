//! What a run uses: the settings that were asked for, with all that they leave open filled in.
use crate::{family::prepared::Choices, options::Settings};
use hogwild_data::Window;
use hogwild_kernels::{Parallel, engine::Downpour, feed::Normalize, order::Order, simd::InstructionSet};
use serde_json::{Value, json};

/// The settings of a run as used: made once, when the run knows all of them. What was asked for stays beside them, unchanged.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// What was asked for.
    pub asked: Settings,
    /// The update rule's name, which may be the user's own.
    pub rule: String,
    /// The learning rate, given or found.
    pub lr: f32,
    /// Most frequent rows that each worker held privately.
    pub hot_rows: usize,
    /// Most frequent rows that stepped once for each eight examples; 0 where each example was a step.
    pub dense_rows: usize,
    /// Examples between two exchanges of the hottest private rows.
    pub exchange_every: u32,
    /// How features were scaled; never [`Normalize::Auto`].
    pub normalize: Normalize,
    /// How much of the training data was in memory at a time; never [`Window::Auto`].
    pub window: Window,
    /// With [`Order::Curriculum`]: after what share of the run all examples are admitted.
    pub pace: Option<f32>,
    /// Parts that owned the parameters, where parts did.
    pub parts: Option<usize>,
    /// Of parts of linear models: the batch, and how many were in flight.
    pub flight: Option<(usize, usize)>,
    /// How workers shared the model.
    pub parallel: Parallel,
    /// Copies of it, and what was said of them, where there were any.
    pub replicas: Option<ResolvedReplicas>,
    /// What the loops were compiled for.
    pub instruction_set: InstructionSet,
    /// Workers that share parameters, or that sum a batch.
    pub threads: usize,
}

/// What a run used of the settings of replicas.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ResolvedReplicas {
    /// How many there were.
    pub count: usize,
    /// Of elastic averaging: alpha.
    pub elasticity: Option<f32>,
    /// Of parameter servers: how many, and how often replicas pushed and fetched.
    pub downpour: Option<Downpour>,
}

impl Resolved {
    /// Of the settings asked for, what was chosen by the data, and the rate that was found.
    pub(crate) fn new(
        asked: &Settings,
        rule: &str,
        choices: &Choices,
        replicas: Option<ResolvedReplicas>,
        lr: f32,
        instruction_set: InstructionSet,
    ) -> Resolved {
        let &Choices { hot_rows, dense_rows, exchange_every, normalize, window, parts, flight } = choices;
        Resolved {
            asked: asked.clone(),
            rule: rule.into(),
            lr,
            hot_rows,
            dense_rows,
            exchange_every,
            normalize,
            window: window.map_or(Window::Off, Window::Bytes),
            pace: asked.pace.or((asked.order == Order::Curriculum).then_some(Settings::PACE)),
            parts,
            flight,
            parallel: asked.way(),
            replicas,
            instruction_set,
            threads: asked.threads,
        }
    }

    /// All settings by name, as used: for the log and the model file.
    pub fn describe(&self) -> Value {
        let mut all = self.asked.describe_with(&self.rule);
        let downpour = self.replicas.and_then(|replicas| replicas.downpour);
        for (name, value) in [
            ("lr", json!(self.lr)),
            ("hot_rows", json!(self.hot_rows)),
            ("dense_rows", json!(self.dense_rows)),
            ("exchange_every", json!(self.exchange_every)),
            ("normalize", json!(self.normalize.name())),
            ("window", json!(self.window.to_string())),
            ("pace", json!(self.pace)),
            ("parts", json!(self.parts)),
            ("in_flight", json!(self.flight.map(|(_, in_flight)| in_flight))),
            ("threads", json!(self.threads)),
            ("parallel", json!(self.parallel.name())),
            ("replicas", json!(self.replicas.map(|replicas| replicas.count))),
            ("elasticity", json!(self.replicas.and_then(|replicas| replicas.elasticity))),
            ("servers", json!(downpour.map(|downpour| downpour.servers))),
            ("push_every", json!(downpour.map(|downpour| downpour.push_every))),
            ("fetch_every", json!(downpour.map(|downpour| downpour.fetch_every))),
        ] {
            all[name] = value;
        }
        if let Some((batch, _)) = self.flight {
            all["batch"] = batch.to_string().into();
        }
        all
    }
}
