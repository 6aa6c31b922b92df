//! `hogwild simulate`: what many workers would learn, and how fast they might be, on a machine that has few cores.
//!
//! One worker trains as `train` does, on this machine: its loss is what others are held against, its time what they are counted from.
//! Then come the virtual workers, in turn (`found`). With what was measured of the `machine`, `roofline` makes of it the speed-up to
//! expect. `report` tells it, `picture` draws it.
mod found;
mod machine;
mod picture;
mod report;
mod roofline;

use super::{
    bench::{interrupted, limit::Work, trainer::finished},
    data::{CacheOptions, of_input},
    environment, flags,
    interrupt::watched,
    models::ModelChoice,
    outputs, report as run_report,
    say::{is_standard_output, say, show},
    settings::{Subset, Typed},
    summary,
};
use anyhow::Context;
use clap::Args;
use found::{Found, Run};
use hogwild::{AnyData, AnyFamily, Error, Opt, Settings, data::Opened, train};
use indicatif::ProgressBar;
use machine::Machine;
use std::{
    io::Write,
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// What the words of the tables mean.
const WORDS: &str = "\
Virtual workers:
  One worker goes at a time. Each has a virtual clock, and an example takes as long as it has
  numbers. Between a worker's score and its steps lies the example's whole time, in which the
  others go on. Replicas train in turn, as their clocks say. All follows from --seed, to the bit.

Words of the tables:
  age           updates by others that a weight lacks when it is stepped, by nonzero
  lost          updates that overlapping steps overwrite; of the hottest: of the bias, mostly
  lines         cache lines that pass from core to core, for each nonzero
  rows, bytes   that a replica's exchange names and holds: the rows that it has changed
  speed-up      a roofline, which is a model: what the work of all, the hand-over of lines and
                the reading of data take at least

`hot rows` are rows that each worker copies (--hot-rows); 0 is plain Hogwild!.";

#[derive(Args)]
#[command(after_help = WORDS)]
pub struct SimulateArgs {
    /// Training data, as for train
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Evaluate on these data after every epoch
    #[arg(long, value_name = "DATA", conflicts_with = "holdout")]
    valid: Option<PathBuf>,
    /// Numbers of virtual workers (with --parallel: of replicas), with commas between; one worker is always trained
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "4,16,64", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Vec<u16>,
    /// Unlike speeds: sigma of the log-normal time that a worker takes for an example [from 0 to 3]
    #[arg(long, value_name = "SIGMA", default_value_t = 0.0)]
    spread: f64,
    /// How long the changes of a replica are under way to the centre, in examples of one; it goes on meanwhile
    #[arg(long, value_name = "EXAMPLES", default_value_t = 0)]
    delay: u32,
    #[command(flatten)]
    model: ModelChoice,
    #[command(flatten)]
    settings: Typed<Simulable>,
    /// Nanoseconds that a cache line takes from core to core, on the machine to foretell [default: measured here]
    #[arg(long, value_name = "NS", value_parser = above_0, help_heading = "Machine")]
    hand_over: Option<f64>,
    /// Gigabytes a second that it reads from memory, with all cores [default: measured here]
    #[arg(long, value_name = "GB/S", value_parser = above_0, help_heading = "Machine")]
    bandwidth: Option<f64>,
    /// Write one JSON object a line: start, epochs, workers, end; - is standard output, which then has no tables
    #[arg(long, value_name = "FILE.jsonl")]
    log: Option<PathBuf>,
    /// Draw held-out loss by examples, and the speed-up to expect by workers
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    options: CacheOptions,
}

fn above_0(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|&x: &f64| x > 0.0 && x.is_finite()).ok_or_else(|| "a number above 0, such as 100".to_string())
}

/// The settings of training but those that say how many work, or that virtual workers can't have.
struct Simulable;

impl Subset for Simulable {
    fn has(option: &Opt) -> bool {
        let not = ["threads", "replicas", "batch", "batch_growth", "window", "pin", "patience", "stop_metric", "snapshots"];
        !not.contains(&option.name)
    }
}

impl SimulateArgs {
    fn settings(&self, family: &dyn AnyFamily) -> hogwild::Result<Settings> {
        self.settings.settings(Settings { isa: environment::instruction_set()?, ..family.defaults() })
    }

    /// Several workers, rising.
    fn workers(&self) -> Vec<usize> {
        let mut workers: Vec<usize> = self.workers.iter().map(|&workers| workers.into()).filter(|&workers| workers > 1).collect();
        workers.sort_unstable();
        workers.dedup();
        workers
    }

    fn virtual_workers(&self, count: usize) -> hogwild::Workers {
        hogwild::Workers { count, spread: self.spread, delay: self.delay }
    }
}

pub fn run(mut args: SimulateArgs) -> anyhow::Result<ExitCode> {
    args.options.data.labelling = args.model.labelling();
    args.options.data.fields = args.model.by_field();
    args.options.data.graph = args.model.cuts();
    args.model.check_graph(args.settings.has("terminals"), args.valid.is_some(), args.plot.is_some())?;
    let check = |family: &dyn AnyFamily| {
        let settings = args.settings(family)?;
        args.virtual_workers(1).check(&settings)?;
        let replicas = settings.parallel.has_replicas().then_some(2);
        family.check(&Settings { threads: 1, replicas, ..settings })
    };
    args.model.check(check)?;
    let log = match &args.log {
        Some(log) if is_standard_output(log) => cfg!(unix).then(|| "/dev/stdout".into()),
        log => log.clone(),
    };
    outputs::check(args.data.iter().chain(&args.valid), &[("--log", log.as_ref()), ("--plot", args.plot.as_ref())])?;
    outputs::check_writable(&args.plot)?;
    args.options.check_columns(args.data.iter().chain(&args.valid))?;
    let data = args.options.open(&args.data, args.quiet)?;
    let valid = args.valid.as_ref().map(|path| args.options.open(std::slice::from_ref(path), args.quiet)).transpose()?;
    let family = args.model.of(AnyData::from(&data.data), &args.data[0])?;
    let mut settings = args.settings(family)?;
    if valid.is_none() && settings.holdout == 0.0 && !family.cuts() {
        settings.holdout = HELD_OUT;
        if !args.quiet {
            say!("held out: a tenth of the examples; give --valid or --holdout for others");
        }
    }
    let bar = if args.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    let done = watched(|stop| {
        let run = Run { args: &args, family, data: &data.data, valid: valid.as_ref().map(|valid| &valid.data), bar: &bar, stop };
        all(&args, &run, settings, &data)
    });
    bar.finish_and_clear();
    match done.map_err(|error| by_name(error, &data, &args.data)) {
        Err(error) if matches!(error.downcast_ref(), Some(Error::Diverged { .. })) => {
            say!("hogwild: {}", flags::of_chain(&error));
            Ok(ExitCode::from(1))
        }
        other => other.map(|()| ExitCode::SUCCESS),
    }
}

/// Where nothing says what is held out.
const HELD_OUT: f64 = 0.1;

fn by_name(error: anyhow::Error, opened: &Opened, inputs: &[PathBuf]) -> anyhow::Error {
    match error.downcast::<Error>() {
        Ok(error) => of_input(error, opened, inputs).into(),
        Err(other) => other,
    }
}

/// One worker, the machine, then the virtual workers; tells each as soon as it is known.
fn all(args: &SimulateArgs, run: &Run<'_>, mut settings: Settings, data: &Opened) -> anyhow::Result<()> {
    let mut log = args.log.as_deref().map(run_report::open).transpose()?;
    let tables = !args.log.as_deref().is_some_and(is_standard_output);
    let mut note = |line: serde_json::Value| -> anyhow::Result<()> {
        let Some(log) = &mut log else { return Ok(()) };
        writeln!(log, "{line}").and_then(|()| log.flush()).context("--log: cannot write")
    };
    let alone = run.alone(&settings)?;
    settings.lr = Some(alone.settings.lr);
    let work = Work::of(run.data, run.family, &alone, &settings, &super::bench::machine::Caches::here())?;
    run.tell("the machine");
    let machine = Machine::measure(args.hand_over, args.bandwidth, run.stop)?;
    note(report::start(&summary::names(&args.data), &alone, args, &machine))?;
    let mut found = vec![Found::alone(alone, &machine, &work)];
    note(report::epochs(&found[0]))?;
    note(report::workers(&found[0]))?;
    for count in args.workers() {
        interrupted(run.stop)?;
        let next = run.virtually(&settings, count, &found[0], &machine, &work)?;
        note(report::epochs(&next))?;
        note(report::workers(&next))?;
        found.push(next);
    }
    run.bar.finish_and_clear();
    if tables {
        show(&report::text(&summary::names(&args.data), args, &found, &machine, &data.data))?;
    }
    if let Some(path) = &args.plot {
        picture::write(path, &found)?;
    }
    note(serde_json::json!({ "event": "end", "seconds": found.iter().map(|found| found.seconds).sum::<f64>() }))
}

/// What every run is followed by.
struct Watching<'a> {
    bar: &'a ProgressBar,
    what: String,
    epochs: usize,
    stop: &'a AtomicBool,
}

impl hogwild::Watch for Watching<'_> {
    fn progress(&mut self, now: hogwild::EpochProgress) -> std::ops::ControlFlow<()> {
        let where_ = if now.epoch == 0 {
            format!("trying learning rates, {} of {}", now.examples, now.of)
        } else {
            format!("epoch {} of {}, {:.0}%", now.epoch, self.epochs, 100.0 * now.examples as f64 / now.of.max(1) as f64)
        };
        self.bar.set_message(format!("{}: {where_}", self.what));
        self.bar.tick();
        if self.stop.load(Relaxed) { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    }
}
