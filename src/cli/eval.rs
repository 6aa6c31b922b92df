//! `hogwild eval`: metrics of a model on labelled data.
use super::data::{CacheOptions, of_input, score};
use clap::Args;
use hogwild::{Metrics, TrainedModel};
use std::path::PathBuf;

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
}

pub fn run(args: EvalArgs) -> anyhow::Result<()> {
    let model = TrainedModel::open(&args.model)?;
    let opened = args.options.open(&args.data, args.json)?;
    let scored = score(&model, &opened, &args.data)?;
    model.check_labels(&opened.packed).map_err(|error| of_input(error, &opened, &args.data))?;
    let metrics = scored.metrics(model.loss);
    if args.json {
        let mut json = metrics_json(&metrics);
        json["examples"] = metrics.examples.into();
        json["unknown"] = scored.unknown.into();
        println!("{json}");
    } else {
        println!("examples {}", metrics.examples);
        metrics.named().for_each(|(name, value)| println!("{name} {value:.6}"));
        println!("unknown {}", scored.unknown);
    }
    Ok(())
}

pub fn metrics_json(metrics: &Metrics) -> serde_json::Value {
    metrics.named().map(|(name, value)| (name.to_string(), serde_json::json!(value))).collect::<serde_json::Map<_, _>>().into()
}
