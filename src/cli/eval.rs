//! `hogwild eval`: metrics of a model on labelled data.
use super::{
    data::{CacheOptions, of_input, score_members},
    fields, notes,
    say::{say, show},
    summary,
    threads::ThreadOptions,
    warn,
};
use clap::Args;
use hogwild::{ClassCounts, Metrics, Scored, TrainedModel};
use serde_json::{Map, Value, json};
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
    /// Of several classes: also the share of rows whose class is among so many most probable ones
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
    #[command(flatten)]
    options: CacheOptions,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

pub fn run(args: EvalArgs) -> anyhow::Result<ExitCode> {
    let model = TrainedModel::open(&args.model)?;
    if args.top.is_some() && (model.ids("class").is_none() || model.has_several_labels()) {
        anyhow::bail!("--top: is of models that give each row one of several classes, and this one does not");
    }
    args.options.check_columns(args.data.iter())?;
    let opened = args.options.open_for(&model, &args.data)?;
    warn::of_unknown(&opened, &args.data, &model)?;
    let members = score_members(&model, &opened, &args.data)?;
    model.check_labels(&opened.data).map_err(|error| of_input(error, &opened, &args.data))?;
    let of_members: Vec<Metrics> =
        members.iter().filter(|_| members.len() > 1).map(|member| notes::metrics_of(member, model.loss)).collect();
    let scored = Scored::mean(model.loss, members);
    let metrics = notes::metrics_of(&scored, model.loss);
    let top = args.top.zip(scored.classes.as_ref()).map(|(k, classes)| (k, classes.top_accuracy(k as usize, &scored.weights)));
    let table = by_class(&model, &scored);
    if args.json {
        let mut json = metrics_json(&metrics);
        json["examples"] = metrics.examples.into();
        json["unknown"] = scored.unknown.into();
        if !of_members.is_empty() {
            json["members"] = of_members.iter().map(metrics_json).collect();
        }
        if let Some((k, share)) = top {
            json["top"] = json!({ "k": k, "accuracy": share });
        }
        if let Some(classes) = &scored.classes {
            json["unseen_labels"] = classes.unseen().into();
            json["classes"] = table.iter().map(|(name, counts)| (name.clone(), counts_json(counts))).collect::<Map<_, _>>().into();
        }
        show(&format!("{json}\n"))?;
    } else {
        let members = of_members.iter().enumerate().map(|(i, member)| format!("member {}{}\n", i + 1, metrics_text(member)));
        let named = metrics.named().map(|(name, value)| format!("{name} {value:.6}\n"));
        let (members, named): (String, String) = (members.collect(), named.collect());
        let top = top.map(|(k, share)| format!("among the {k} most probable {share:.6}\n")).unwrap_or_default();
        let table = table_text(&table);
        show(&format!("{members}examples {}\n{named}{top}unknown {}\n{table}", metrics.examples, scored.unknown))?;
    }
    if let Some(note) = notes::of_unseen(&scored, &opened.data, &model)? {
        say!("{note}");
    }
    fields::of_scored(&opened.data, &model)?.iter().for_each(|note| say!("{note}"));
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

/// How well each class is told, by name.
fn by_class(model: &TrainedModel, scored: &Scored) -> Vec<(String, ClassCounts)> {
    let (Some(names), Some(classes)) = (model.ids("class"), &scored.classes) else { return Vec::new() };
    classes.by_class(&scored.weights).into_iter().enumerate().map(|(class, counts)| (names.name(class), counts)).collect()
}

fn counts_json(counts: &ClassCounts) -> Value {
    let ClassCounts { examples, predicted, right } = *counts;
    let (precision, recall, f1) = (counts.precision(), counts.recall(), counts.f1());
    json!({ "examples": examples, "predicted": predicted, "right": right, "precision": precision, "recall": recall, "f1": f1 })
}

/// A line a class; the names last, as they may have blanks.
fn table_text(table: &[(String, ClassCounts)]) -> String {
    if table.is_empty() {
        return String::new();
    }
    let line = |(name, counts): &(String, ClassCounts)| {
        let name = if name.contains(char::is_control) { name.escape_debug().to_string() } else { name.clone() };
        let ClassCounts { examples, predicted, .. } = counts;
        format!("{:9.4} {:9.4} {:9.4} {examples:9} {predicted:9}  {name}\n", counts.precision(), counts.recall(), counts.f1())
    };
    let head = format!("{:>9} {:>9} {:>9} {:>9} {:>9}  class\n", "precision", "recall", "f1", "examples", "predicted");
    table.iter().map(line).fold(head, |text, line| text + &line)
}

pub fn metrics_json(metrics: &Metrics) -> Value {
    metrics.named().map(|(name, value)| (name.to_string(), json!(value))).collect::<Map<_, _>>().into()
}

/// For a line: two blanks before each.
pub fn metrics_text(metrics: &Metrics) -> String {
    metrics.named().map(|(name, value)| format!("  {name} {value:.5}")).collect()
}
