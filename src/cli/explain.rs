//! `hogwild explain`: what the scores of examples are made of.
use super::{
    data::{CacheOptions, of_input},
    outputs,
    ranked::write_lines,
    threads::ThreadOptions,
};
use anyhow::bail;
use clap::Args;
use hogwild::{Explain, Explained, Term, TrainedModel};
use serde_json::{Value, json};
use std::{fmt::Write, ops::Range, path::PathBuf};

/// Examples that are explained at a time.
const BLOCK: usize = 4096;

#[derive(Args)]
pub struct ExplainArgs {
    /// A model that `hogwild train --out` wrote
    model: PathBuf,
    /// Data, text or packed; labels and ratings are not looked at, and may be missing
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Which examples: the first so many, or from one to another, counted from 1
    #[arg(long, value_name = "N|FROM-TO", default_value = "10", value_parser = rows)]
    rows: Range<usize>,
    /// How many terms of each, the heaviest first; the others are summed up
    #[arg(long, value_name = "K", default_value_t = 10)]
    top: u32,
    /// Of models of several classes: whose score [default: that of each example's most probable class]
    #[arg(long, value_name = "NAME")]
    class: Option<String>,
    /// Write an object a line, one for each example
    #[arg(long)]
    jsonl: bool,
    /// Where it goes; - is standard output [default: standard output]
    #[arg(short, long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    options: CacheOptions,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

fn rows(text: &str) -> Result<Range<usize>, String> {
    const SAY: &str = "must be how many, as in 10, or from which to which, as in 5-8";
    let number = |text: &str| text.parse::<usize>().ok().filter(|&number| number > 0).ok_or(SAY);
    let (from, to) = match text.split_once('-') {
        None => (1, number(text)?),
        Some((from, to)) => (number(from)?, number(to)?),
    };
    if from > to { Err(SAY.into()) } else { Ok(from - 1..to) }
}

pub fn run(args: ExplainArgs) -> anyhow::Result<()> {
    let out = args.out.as_ref().filter(|path| path.as_os_str() != "-");
    outputs::check(args.data.iter().chain([&args.model]), &[("--out", out)])?;
    outputs::check_writable(out)?;
    let model = TrainedModel::open(&args.model)?;
    args.options.check_columns(args.data.iter())?;
    let opened = args.options.open_unlabelled_for(&model, &args.data)?;
    let examples = hogwild::AnyData::from(&opened.data).examples() as usize;
    if args.rows.start >= examples {
        bail!("--rows {}-{}: there are {examples} examples", args.rows.start + 1, args.rows.end);
    }
    let asked = Explain { rows: args.rows.clone(), top: args.top as usize, class: args.class.clone() };
    write_lines(args.out.as_ref(), |put| {
        let end = args.rows.end.min(examples);
        for first in (args.rows.start..end).step_by(BLOCK) {
            let block = Explain { rows: first..end.min(first + BLOCK), ..asked.clone() };
            let explained = model.explain(&opened.data, &block).map_err(|error| of_input(error, &opened, &args.data))?;
            let line = if args.jsonl { jsonl } else { text };
            put(&explained.iter().map(line).collect::<String>())?;
        }
        Ok(())
    })
}

fn jsonl(explained: &Explained) -> String {
    let Explained { row, class, score, prediction, terms, others, unknown } = explained;
    let term = |Term { name, value, adds }: &Term| json!({ "name": name, "value": value, "adds": adds });
    let mut one = json!({ "row": row + 1, "score": score, "prediction": prediction, "unknown": unknown });
    if let Some(class) = class {
        one["class"] = class.clone().into();
    }
    one["terms"] = terms.iter().map(term).collect::<Value>();
    one["others"] = json!({ "terms": others.0, "adds": others.1 });
    format!("{one}\n")
}

/// A line for the example, and one for each term; the names last, as they may have blanks.
fn text(explained: &Explained) -> String {
    let Explained { row, class, score, prediction, terms, others, unknown } = explained;
    if score.is_nan() && terms.is_empty() {
        return format!("row {}  could not be read\n", row + 1);
    }
    let readable = |name: &str| if name.contains(char::is_control) { name.escape_debug().to_string() } else { name.to_owned() };
    let mut text = format!("row {}  score {score:.6}  prediction {prediction}", row + 1);
    // A string takes all.
    let _ = class.as_ref().map(|class| write!(text, "  class {}", readable(class)));
    let _ = (*unknown > 0).then(|| write!(text, "  unknown {unknown}"));
    text.push('\n');
    for Term { name, value, adds } in terms {
        let value = if *value == 1.0 { String::new() } else { format!(" ({value})") };
        let _ = writeln!(text, "{adds:+12.6}  {}{value}", readable(name));
    }
    let _ = (others.0 > 0).then(|| writeln!(text, "{:+12.6}  {} other terms", others.1, others.0));
    text
}
