//! `hogwild eval`: metrics of a model on labelled data.
use super::{
    data::{CacheOptions, of_input, score_members},
    eval_ranking, fields, notes, outputs,
    reliability::{self, BINS},
    say::{say, show},
    summary,
    threads::ThreadOptions,
    warn,
};
use anyhow::bail;
use clap::Args;
use hogwild::{ClassCounts, Measure, Metrics, Scored, TrainedModel};
use serde_json::{Map, Value, json};
use std::{path::PathBuf, process::ExitCode};

#[derive(Args)]
pub struct EvalArgs {
    /// A model that `hogwild train --out` wrote
    model: PathBuf,
    /// Labelled data, text or packed
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Print these metrics alone, such as auc,ece or pinball:0.9 [default: the usual ones of the loss]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    metrics: Vec<String>,
    /// Also how far probabilities are what they say, in so many bins
    #[arg(long, value_name = "BINS", num_args = 0..=1, default_missing_value = "15", value_parser = clap::value_parser!(u32).range(1..=1000))]
    reliability: Option<u32>,
    /// Draw that as a picture (SVG)
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Of several classes: also the share of rows whose class is among so many most probable ones. Of models that rank: how long lists of
    /// items are [default: 20]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub top: Option<u32>,
    /// Rank items for each user, but for those that the user has in these data (the training data, as a rule). A model of ratings is then evaluated by its lists of items
    #[arg(long, value_name = "DATA", num_args = 1..)]
    pub exclude_seen: Vec<PathBuf>,
    #[command(flatten)]
    pub options: CacheOptions,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

pub fn run(args: EvalArgs) -> anyhow::Result<ExitCode> {
    outputs::check(args.data.iter().chain([&args.model]), &[("--plot", args.plot.as_ref())])?;
    outputs::check_writable(&args.plot)?;
    let model = TrainedModel::open(&args.model)?;
    if model.family()?.cuts() {
        let given = [
            ("--metrics", !args.metrics.is_empty()),
            ("--reliability", args.reliability.is_some()),
            ("--plot", args.plot.is_some()),
            ("--top", args.top.is_some()),
            ("--exclude-seen", !args.exclude_seen.is_empty()),
        ];
        if let Some((flag, _)) = given.into_iter().find(|&(_, given)| given) {
            anyhow::bail!("{flag}: is of scores, and a cut is told by its objective and its cost; leave it out");
        }
    }
    let ranks = model.family()?.ranks() || !args.exclude_seen.is_empty();
    if ranks && model.ids("item").is_none() {
        anyhow::bail!("--exclude-seen: is of models of users and items, and this one has features");
    }
    let of_scores =
        [("--metrics", !args.metrics.is_empty()), ("--reliability", args.reliability.is_some()), ("--plot", args.plot.is_some())];
    if let Some((flag, _)) = of_scores.into_iter().find(|&(_, given)| ranks && given) {
        anyhow::bail!("{flag}: is of scores, and here lists of items are evaluated; leave it out");
    }
    let asked = args.metrics.iter().map(|name| Measure::parse(name.trim(), &model)).collect::<hogwild::Result<Vec<_>>>()?;
    if !ranks && args.top.is_some() && (model.ids("class").is_none() || model.has_several_labels()) {
        anyhow::bail!("--top: is of models that give each row one of several classes, and this one does not");
    }
    args.options.check_columns(args.data.iter())?;
    let opened = args.options.open_for(&model, &args.data)?;
    warn::of_unknown(&opened, &args.data, &model)?;
    if ranks {
        return eval_ranking::run(&args, &model, &opened);
    }
    let members = score_members(&model, &opened, &args.data)?;
    model.check_labels(&opened.data).map_err(|error| of_input(error, &opened, &args.data))?;
    let of_members: Vec<Metrics> =
        members.iter().filter(|_| members.len() > 1).map(|member| notes::metrics_of(member, model.loss)).collect();
    let scored = Scored::mean(model.loss, members);
    let metrics = notes::metrics_of(&scored, model.loss);
    let top = args.top.zip(scored.classes.as_ref()).map(|(k, classes)| (k, classes.top_accuracy(k as usize, &scored.weights)));
    let table = by_class(&model, &scored);
    let bins = args.reliability.or(args.plot.as_ref().map(|_| BINS));
    let reliability = bins.map(|bins| reliability::of(&model, &scored, bins)).transpose()?;
    let measured = match asked.is_empty() {
        true => metrics.named().map(|(name, value)| (name.to_owned(), value)).collect(),
        false => measure(&asked, &model, &scored, &metrics, &summary::names(&args.data))?,
    };
    if args.json {
        let mut json: Value = measured.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>().into();
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
        if let Some(reliability) = &reliability {
            json["reliability"] = reliability::json(reliability);
        }
        show(&format!("{json}\n"))?;
    } else {
        let members = of_members.iter().enumerate().map(|(i, member)| format!("member {}{}\n", i + 1, metrics_text(member)));
        let named = measured.iter().map(|(name, value)| format!("{name} {value:.6}\n"));
        let (members, named): (String, String) = (members.collect(), named.collect());
        let top = top.map(|(k, share)| format!("among the {k} most probable {share:.6}\n")).unwrap_or_default();
        let table = table_text(&table) + &reliability.as_ref().map(reliability::text).unwrap_or_default();
        show(&format!("{members}examples {}\n{named}{top}unknown {}\n{table}", metrics.examples, scored.unknown))?;
    }
    if let (Some(path), Some(reliability)) = (&args.plot, &reliability) {
        reliability::draw(path, reliability)?;
    }
    if let Some(note) = notes::of_unseen(&scored, &opened.data, &model)? {
        say!("{note}");
    }
    fields::of_scored(&opened.data, &model)?.iter().for_each(|note| say!("{note}"));
    if let Some(note) = notes::of_edges_left_out(&scored, &opened.data) {
        say!("{note}");
    }
    if let Some(note) = notes::of_scored(&scored, &opened.data, &summary::names(&args.data)) {
        say!("{note}");
    } else if let Some(note) = notes::of_unknown_columns(&opened.data, &model)? {
        say!("{note}");
    }
    let names: Vec<&str> = measured.iter().filter(|(_, value)| !value.is_finite()).map(|(name, _)| name.as_str()).collect();
    let metrics = (!names.is_empty()).then(|| format!("metrics are not finite: {}", names.join(", ")));
    let wrong: Vec<String> = notes::of_scores(&scored, &opened.data).into_iter().chain(metrics).collect();
    wrong.iter().for_each(|line| say!("hogwild: {line}"));
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The metrics that were asked for; the data may be such that one of them is not defined.
fn measure(asked: &[Measure], model: &TrainedModel, scored: &Scored, usual: &Metrics, name: &str) -> anyhow::Result<Vec<(String, f64)>> {
    let one = |measure: &Measure| match measure.of(model.loss, scored, usual) {
        Some(value) => Ok((measure.name().to_owned(), value)),
        None => bail!("--metrics {}: is not defined on {name}: {WHY}", measure.name()),
    };
    asked.iter().map(one).collect()
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

/// Why a metric is not defined.
const WHY: &str = "auc takes rows of both classes, r2 labels that differ, and a deviance of a power from 1 predictions above 0 \
    and labels from 0 up (from 2, above 0)";

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
