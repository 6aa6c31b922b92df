//! `hogwild predict`: one prediction a line.
use super::{
    data::{CacheOptions, score_members},
    fields, notes, outputs,
    say::{Results, say},
    stream, summary,
    threads::ThreadOptions,
    warn,
};
use anyhow::Context;
use clap::Args;
use hogwild::{ClassScores, CutModel, OutputFile, Scored, TrainedModel, data::Data};
use hogwild_base::threads;
use std::{
    fmt::Write as _,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Lines that one thread makes at a time, and how often before they are written: those of many classes are long.
const LINES: usize = 256;
const TIMES: usize = 4;

#[derive(Args)]
pub struct PredictArgs {
    /// A model that `hogwild train --out` wrote
    model: PathBuf,
    /// Data, text or packed; labels and ratings are not looked at, and may be missing. Lines of - are answered as they come. A cut takes
    /// none: it says which label each of its nodes has
    data: Vec<PathBuf>,
    /// Where predictions go, one a line for each example; - is standard output [default: standard output]
    #[arg(short, long)]
    out: Option<PathBuf>,
    /// Of several classes: the so many most probable ones of each row, with their probabilities (scores, by losses without), between tabs
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
    #[command(flatten)]
    options: CacheOptions,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

pub fn run(args: PredictArgs) -> anyhow::Result<ExitCode> {
    let out = args.out.filter(|path| path.as_os_str() != "-");
    outputs::check(args.data.iter().chain([&args.model]), &[("--out", out.as_ref())])?;
    outputs::check_writable(&out)?;
    let model = TrainedModel::open(&args.model)?;
    if let Some(cut) = model.cut() {
        if let Some(data) = args.data.first() {
            anyhow::bail!("{}: a cut says which label each of its own nodes has, and takes no data; leave them out", data.display());
        }
        if args.top.is_some() {
            anyhow::bail!("--top: is of models of several classes, and a node of a cut has one label; leave it out");
        }
        return labels(&cut, out.as_deref());
    }
    if args.data.is_empty() {
        anyhow::bail!("DATA is missing: give what is to be predicted, text or packed; - for lines of standard input");
    }
    if args.top.is_some() && model.ids("class").is_none() {
        anyhow::bail!("--top: is of models of several classes, and this one predicts one number a row");
    }
    args.options.check_columns(args.data.iter())?;
    if out.is_none() && args.data == [Path::new("-")] {
        return stream::run(&model, &args.options, args.top);
    }
    let mut opened = args.options.open_unlabelled_for(&model, &args.data)?;
    let strange = warn::of_unknown(&opened, &args.data, &model)?;
    if let Data::Rows(rows) = &opened.data {
        opened.data = Data::Rows(rows.without_labels());
    }
    let scored = Scored::mean(model.loss, score_members(&model, &opened, &args.data)?);
    let bad = (0..scored.scores.len()).filter(|&row| opened.data.is_bad(row)).count();
    let write = |out: &mut dyn Write| put_predictions(out, &model, &scored, &opened.data, args.top);
    put(out.as_deref(), write)?;
    if bad > 0 {
        say!("{bad} of {} rows could not be read; their predictions are nan", scored.scores.len());
    }
    fields::of_scored(&opened.data, &model)?.iter().for_each(|note| say!("{note}"));
    if let Some(note) = notes::of_scored(&scored, &opened.data, &summary::names(&args.data)) {
        say!("{note}");
    } else if let Some(note) = notes::of_unknown_columns(&opened.data, &model)? {
        say!("{note}");
    } else if scored.unknown > 0 && !strange {
        say!("{} features, users or items were unknown to the model", scored.unknown);
    }
    Ok(match notes::of_scores(&scored, &opened.data) {
        Some(wrong) => {
            say!("hogwild: {wrong}");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    })
}

/// A line a node: its id and its label, between tabs.
fn labels(cut: &CutModel<'_>, out: Option<&Path>) -> anyhow::Result<ExitCode> {
    let plain = |name: String| if name.contains(char::is_control) { name.escape_debug().to_string() } else { name };
    let names: Vec<String> = (0..cut.labels.len()).map(|label| plain(cut.labels.name(label))).collect();
    let write = |out: &mut dyn Write| {
        let mut out = BufWriter::new(out);
        (0..cut.nodes.len()).try_for_each(|node| writeln!(out, "{}\t{}", plain(cut.nodes.name(node)), names[cut.label(node)]))?;
        out.flush()
    };
    put(out, write)?;
    let undecided = cut.undecided() as u64;
    if undecided > 0 {
        say!("{} nodes have as much of several labels, and are given the first of these", summary::count(undecided));
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes to a file, which appears whole, or to standard output.
fn put(path: Option<&Path>, write: impl Fn(&mut dyn Write) -> std::io::Result<()>) -> anyhow::Result<()> {
    match path {
        None => write(&mut Results).context("cannot write to standard output"),
        Some(path) => {
            let mut file = OutputFile::create(path)?;
            write(&mut file).with_context(|| format!("{}: cannot write", path.display()))?;
            Ok(file.finish()?)
        }
    }
}

/// A line an example. All threads make lines, some at a time; they are written in order.
pub fn put_predictions(out: &mut dyn Write, model: &TrainedModel, scored: &Scored, data: &Data, top: Option<u32>) -> std::io::Result<()> {
    let rows = scored.scores.len();
    let lines = |first: usize| {
        let mut lines = String::new();
        (first..rows.min(first + LINES)).for_each(|row| put_prediction(&mut lines, model, scored, data, top, row));
        lines
    };
    let most = TIMES * threads::count();
    for first in (0..rows).step_by(LINES * most) {
        let tasks = (rows - first).div_ceil(LINES).min(most);
        for lines in threads::map(tasks, |task| lines(first + task * LINES)) {
            out.write_all(lines.as_bytes())?;
        }
    }
    out.flush()
}

fn put_prediction(line: &mut String, model: &TrainedModel, scored: &Scored, data: &Data, top: Option<u32>, row: usize) {
    let score = scored.scores[row].0;
    // A row that could not be read has no prediction, but its line. Nor has a score that is no number: of an infinite one, the logistic
    // loss would still make a probability.
    let written = if !score.is_finite() || data.is_bad(row) {
        writeln!(line, "nan")
    } else if let Some(classes) = &scored.classes {
        writeln!(line, "{}", of_classes(model, classes, row, top))
    } else {
        writeln!(line, "{}", model.loss.predict(score))
    };
    written.unwrap_or_default() // a string takes any line
}

/// The classes of a row by name: what is predicted, between commas where there may be several; or the most probable ones, each with its
/// probability.
fn of_classes(model: &TrainedModel, classes: &ClassScores, row: usize, top: Option<u32>) -> String {
    let name = |class: u32| {
        let name = model.ids("class").map(|names| names.name(class as usize)).unwrap_or_default();
        if name.contains(char::is_control) { name.escape_debug().to_string() } else { name }
    };
    match top {
        None => classes.predicted(row).into_iter().map(name).collect::<Vec<_>>().join(","),
        Some(most) => {
            let all = classes.probabilities(row);
            let one = |class: u32| format!("{}\t{}", name(class), all.get(class as usize).copied().unwrap_or_default());
            classes.top(row, most as usize).into_iter().map(one).collect::<Vec<_>>().join("\t")
        }
    }
}
