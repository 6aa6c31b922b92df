//! `hogwild synth`: synthetic data with a known structure.
use super::{
    interrupt::{Interrupted, watched},
    named::named,
    outputs,
    say::{Results, say},
    threads::ThreadOptions,
};
use anyhow::Context;
use clap::Args;
use hogwild::{
    OutputFile,
    synth::{Kind, Summary, Synth},
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

#[derive(Args)]
pub struct SynthArgs {
    /// What to write
    #[arg(value_parser = named::<Kind>())]
    kind: Kind,
    /// Rows, ratings, or nodes of a graph
    #[arg(long, default_value_t = 1000)]
    rows: u64,
    /// The number of the first row: rows after those of the training data are held-out data of the same truth
    #[arg(long, default_value_t = 0)]
    start_row: u64,
    /// text, clicks, uniform: how many features there are; clicks: in all fields together
    #[arg(long, default_value_t = 2000)]
    features: u64,
    /// text, uniform: draws a row, on average; a feature drawn twice counts once, so rows are somewhat shorter (clicks: 39)
    #[arg(long, default_value_t = 30)]
    nonzeros: u64,
    /// ratings: how many users
    #[arg(long, default_value_t = 300)]
    users: u64,
    /// ratings: how many items
    #[arg(long, default_value_t = 200)]
    items: u64,
    /// cut, cut-entities: how many labels, and so terminals
    #[arg(long, default_value_t = 8)]
    labels: u64,
    /// text, clicks, ratings, cut-entities: Zipf's exponent of features (of the categories of a field), users, items and entities; 0 is uniform
    #[arg(long, default_value_t = 1.0)]
    exponent: f64,
    /// Another seed is another truth
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The file to write, or - for standard output
    #[arg(short, long, default_value = "-")]
    out: PathBuf,
    /// cut, cut-entities: where the terminals go, one a line, as `hogwild train` takes them
    #[arg(long, value_name = "FILE")]
    terminals: Option<PathBuf>,
    /// cut, cut-entities: where the hidden labels of the nodes go, `node label` a line
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

pub fn run(args: SynthArgs) -> anyhow::Result<()> {
    if args.rows == 0 {
        anyhow::bail!("--rows 0: there is nothing to write; give at least 1");
    }
    let SynthArgs { kind, rows, start_row, features, nonzeros, users, items, labels, exponent, seed, .. } = args;
    let synth = Synth { kind, rows, start_row, features, nonzeros, users, items, labels, exponent, seed };
    synth.check()?;
    if let Some((flag, _)) =
        [("--terminals", &args.terminals), ("--truth", &args.truth)].into_iter().find(|(_, path)| path.is_some() && !synth.is_graph())
    {
        anyhow::bail!("{flag}: is of graphs, of the kinds cut and cut-entities; leave it out");
    }
    let to_file = Some(&args.out).filter(|out| out.as_os_str() != "-");
    outputs::check(std::iter::empty(), &[("--out", to_file), ("--terminals", args.terminals.as_ref()), ("--truth", args.truth.as_ref())])?;
    outputs::check_writable(args.terminals.iter().chain(&args.truth))?;
    let summary = if args.out == Path::new("-") {
        write(&synth, &mut Results).context("cannot write to standard output")?
    } else {
        let mut out = OutputFile::create(&args.out)?;
        let summary = write(&synth, &mut out)?;
        if summary.is_some() {
            out.finish()?;
        }
        summary
    };
    let Some(summary) = summary else {
        return Err(Interrupted(if args.out == Path::new("-") { "" } else { "; nothing was written" }).into());
    };
    write_file(args.terminals.as_deref(), |out| synth.write_terminals(out))?;
    write_file(args.truth.as_deref(), |out| synth.write_truth(out))?;
    if synth.is_graph() {
        let Summary { nonzeros, best, base } = summary;
        say!("{nonzeros} edges; those between hidden labels cost {best:.3}, by the heaviest edge to a terminal alone {base:.3}");
        return Ok(());
    }
    let measure = if kind == Kind::Ratings { "RMSE" } else { "log-loss" };
    say!("{} nonzeros; {measure} of the hidden truth {:.4}, of the mean {:.4}", summary.nonzeros, summary.best, summary.base);
    Ok(())
}

/// Writes a file beside the rows, where it is asked for.
fn write_file(path: Option<&Path>, write: impl FnOnce(&mut dyn Write) -> hogwild::Result<()>) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    let mut file = OutputFile::create(path)?;
    let mut out = BufWriter::new(&mut file);
    write(&mut out)?;
    out.flush()?;
    drop(out);
    Ok(file.finish()?)
}

/// Writes the rows, with a bar once a second has passed; none: it was interrupted.
fn write(synth: &Synth, out: &mut dyn Write) -> anyhow::Result<Option<Summary>> {
    let (bar, started) = (ProgressBar::no_length(), Instant::now());
    let outcome = watched(|stop| {
        let progress = |rows: u64, _: Option<u64>| {
            if started.elapsed() >= Duration::from_secs(1) {
                if let (None, Ok(style)) = (bar.length(), ProgressStyle::with_template("writing {bar:30} {percent}% {eta} left")) {
                    bar.set_length(synth.rows);
                    bar.set_style(style);
                }
                bar.set_position(rows);
            }
            !stop.load(Relaxed)
        };
        let written = synth.write(out, &progress);
        if stop.load(Relaxed) { Ok(None) } else { written.map(Some) }
    });
    bar.finish_and_clear();
    let summary = outcome?;
    out.flush()?;
    Ok(summary)
}
