//! `hogwild eval`: metrics of a model on labelled data.
use super::{
    data::{CacheOptions, of_input, score_members},
    notes,
    say::{say, show},
    summary,
    threads::ThreadOptions,
    warn,
};
use clap::Args;
use hogwild::{Metrics, Scored, TrainedModel};
use std::{path::PathBuf, process::ExitCode};

#[derive(Args)]
pub struct EvalArgs {
    /// A model that `hogwild train --out` wrote
    model: PathBuf,
    /// Labelled data, text or packed
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: CacheOptions,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

pub fn run(args: EvalArgs) -> anyhow::Result<ExitCode> {
    let model = TrainedModel::open(&args.model)?;
    args.options.check_columns(args.data.iter())?;
    let opened = args.options.open_for(&model, &args.data)?;
    warn::of_unknown(&opened, &args.data, &model)?;
    let members = score_members(&model, &opened, &args.data)?;
    model.check_labels(&opened.data).map_err(|error| of_input(error, &opened, &args.data))?;
    let of_members: Vec<Metrics> =
        members.iter().filter(|_| members.len() > 1).map(|member| notes::metrics_of(member, model.loss)).collect();
    let scored = Scored::mean(model.loss, members);
    let metrics = notes::metrics_of(&scored, model.loss);
    if args.json {
        let mut json = metrics_json(&metrics);
        json["examples"] = metrics.examples.into();
        json["unknown"] = scored.unknown.into();
        if !of_members.is_empty() {
            json["members"] = of_members.iter().map(metrics_json).collect();
        }
        show(&format!("{json}\n"))?;
    } else {
        let members = of_members.iter().enumerate().map(|(i, member)| format!("member {}{}\n", i + 1, metrics_text(member)));
        let named = metrics.named().map(|(name, value)| format!("{name} {value:.6}\n"));
        let (members, named): (String, String) = (members.collect(), named.collect());
        show(&format!("{members}examples {}\n{named}unknown {}\n", metrics.examples, scored.unknown))?;
    }
    if let Some(note) = notes::of_scored(&scored, &opened.data, &summary::names(&args.data)) {
        say!("{note}");
    } else if let Some(note) = notes::of_unknown_columns(&opened.data, &model)? {
        say!("{note}");
    }
    let metrics = notes::of_metrics(&metrics).map(|names| format!("metrics are {names}"));
    let wrong: Vec<String> = notes::of_scores(&scored, &opened.data).into_iter().chain(metrics).collect();
    wrong.iter().for_each(|line| say!("hogwild: {line}"));
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub fn metrics_json(metrics: &Metrics) -> serde_json::Value {
    metrics.named().map(|(name, value)| (name.to_string(), serde_json::json!(value))).collect::<serde_json::Map<_, _>>().into()
}

/// For a line: two blanks before each.
pub fn metrics_text(metrics: &Metrics) -> String {
    metrics.named().map(|(name, value)| format!("  {name} {value:.5}")).collect()
}
