//! `hogwild train`: what was typed becomes [`Settings`]; the run is shown on the terminal and logged as JSON lines.
use super::{
    data::{CacheOptions, of_input},
    eval::metrics_json,
    interrupt::watched,
    rule::RuleOptions,
};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use hogwild::{
    Ended, EpochReport, InstructionSet, Loss, Outcome, Progress, Schedule, Settings, Watch,
    data::{Opened, Packed},
    train_factorization, train_linear,
};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum ModelName {
    /// Score = bias + sum of weight times value
    Linear,
    /// Matrix factorization of ratings, with biases
    Mf,
}

#[derive(Args)]
pub struct TrainArgs {
    /// Training data: svmlight rows or ratings, text or packed; several are put one after the other
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Evaluate on these data after every epoch
    #[arg(long, value_name = "DATA", conflicts_with = "holdout")]
    valid: Option<PathBuf>,
    /// Keep this share of the examples out of training and evaluate on them
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    holdout: Option<f64>,
    /// [default: mf for ratings, linear otherwise]
    #[arg(long, value_enum)]
    model: Option<ModelName>,
    /// [default: squared for mf, logistic otherwise]
    #[arg(long, value_parser = named(&Loss::ALL.map(|loss| loss.name())))]
    loss: Option<String>,
    #[command(flatten)]
    rule: RuleOptions,
    /// Learning rate [default: 0.14 for mf, 0.5 / mean squared length of a row otherwise]
    #[arg(long, allow_negative_numbers = true)]
    lr: Option<f32>,
    /// How the rate goes over the run: a name, or name:setting=value,... [default: linear for mf, constant otherwise]
    #[arg(long, value_name = "NAME", value_parser = Schedule::parse, long_help = schedule_help())]
    schedule: Option<Schedule>,
    /// L2 regularisation: lambda/2 |w|^2 beside the mean loss (linear); per rating (mf) [default: 0.02 for mf, 0 otherwise]
    #[arg(long, allow_negative_numbers = true)]
    l2: Option<f64>,
    /// Passes over the data [default: 6 for mf, 5 otherwise]
    #[arg(long)]
    epochs: Option<usize>,
    /// Worker threads [default: all cores]
    #[arg(long)]
    threads: Option<usize>,
    /// Order, start and held-out examples follow from it; one thread repeats to the bit
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Factors of mf
    #[arg(long, default_value_t = 32)]
    rank: usize,
    /// Most frequent rows that each worker holds privately; 0 is plain Hogwild!; linear models only [default: 8192 on several threads]
    #[arg(long, value_name = "N")]
    hot_rows: Option<usize>,
    /// Examples between two exchanges of the hottest private rows; others every 4th or 16th time [default: 4096 for mf, 256 otherwise]
    #[arg(long, value_name = "N")]
    exchange_every: Option<u32>,
    /// Let the system move the workers between cores
    #[arg(long)]
    no_pin: bool,
    /// Write the model here
    #[arg(short, long, value_name = "MODEL.safetensors")]
    out: Option<PathBuf>,
    /// Write one JSON object a line: start, epochs, end
    #[arg(long, value_name = "FILE.jsonl")]
    log: Option<PathBuf>,
    /// Show nothing but errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    options: CacheOptions,
}

/// Every schedule as it may be typed, with the settings' defaults.
fn schedule_help() -> String {
    let all = Schedule::ALL.map(|schedule| format!("  {schedule}")).join("\n");
    format!("How the rate goes over the run: a name, or name:setting=value,... [default: linear for mf, constant otherwise]\n\n{all}")
}

fn named(names: &[&'static str]) -> clap::builder::PossibleValuesParser {
    names.to_vec().into()
}

impl TrainArgs {
    fn settings(&self, ratings: bool) -> hogwild::Result<Settings> {
        let mut s = if ratings { Settings::for_ratings() } else { Settings::default() };
        // The parser has let through only names that exist.
        s.loss = Loss::ALL.into_iter().find(|loss| self.loss.as_deref() == Some(loss.name())).unwrap_or(s.loss);
        s.rule = self.rule.rule(s.rule)?;
        s.lr = self.lr;
        s.schedule = self.schedule.unwrap_or(if s.rule.takes_schedules() { s.schedule } else { Schedule::Constant });
        s.l2 = self.l2.unwrap_or(s.l2);
        s.epochs = self.epochs.unwrap_or(s.epochs);
        s.threads = self.threads.unwrap_or(s.threads);
        s.seed = self.seed;
        s.rank = self.rank;
        s.hot_rows = self.hot_rows;
        s.exchange_every = self.exchange_every.unwrap_or(s.exchange_every);
        s.pin = !self.no_pin;
        s.holdout = self.holdout.unwrap_or(0.0);
        Ok(s)
    }
}

pub fn run(args: TrainArgs) -> anyhow::Result<ExitCode> {
    args.settings(args.model == Some(ModelName::Mf))?.check()?;
    if let Some(folder) = args.out.iter().chain(&args.log).find(|path| path.is_dir()) {
        bail!("{}: is a folder; name a file in it", folder.display());
    }
    if let Some(folder) =
        args.out.iter().chain(&args.log).filter_map(|path| path.parent()).find(|p| !p.as_os_str().is_empty() && !p.is_dir())
    {
        bail!("{}: no such folder; make it first", folder.display());
    }
    let data = args.options.open(&args.data, args.quiet)?;
    let valid = args.valid.as_ref().map(|path| args.options.open(std::slice::from_ref(path), args.quiet)).transpose()?;
    let ratings = matches!(data.packed, Packed::Ratings(_));
    match args.model {
        Some(ModelName::Mf) if !ratings => {
            bail!("{}: --model mf takes ratings, and these are sparse rows; see --format", args.data[0].display())
        }
        Some(ModelName::Linear) if ratings => {
            bail!("{}: --model linear takes sparse rows, and these are ratings; see --format", args.data[0].display())
        }
        _ => {}
    }
    let settings = args.settings(ratings)?;
    let mut report = Report::new(&args, &settings, &data)?;
    let outcome = watched(|stop| match (&data.packed, valid.as_ref().map(|valid| &valid.packed)) {
        (Packed::Sparse(data), None) => Ok(train_linear(data, None, &settings, &mut report, stop)),
        (Packed::Sparse(data), Some(Packed::Sparse(valid))) => Ok(train_linear(data, Some(valid), &settings, &mut report, stop)),
        (Packed::Ratings(data), None) => Ok(train_factorization(data, None, &settings, &mut report, stop)),
        (Packed::Ratings(data), Some(Packed::Ratings(valid))) => Ok(train_factorization(data, Some(valid), &settings, &mut report, stop)),
        _ => bail!("training and --valid data are of different kinds: one has sparse rows, the other ratings"),
    })?;
    let outcome = outcome.map_err(|error| {
        let error = of_input(error, &data, &args.data);
        valid.iter().zip(&args.valid).fold(error, |error, (opened, path)| of_input(error, opened, std::slice::from_ref(path)))
    })?;
    let changed = match &data.packed {
        Packed::Sparse(data) => data.changed(),
        Packed::Ratings(data) => data.changed(),
    };
    if changed {
        bail!("{}: the file changed while it was being trained on; train again", args.data[0].display());
    }
    finish(&args, &outcome, report)
}

/// Saves the model, says how it ended, and with what exit code.
fn finish(args: &TrainArgs, outcome: &Outcome, mut report: Report) -> anyhow::Result<ExitCode> {
    report.bar.finish_and_clear();
    if let (Some(path), Some(model)) = (&args.out, &outcome.model) {
        model.save(path)?;
        report.say(&format!("model written to {}", path.display()));
    } else if args.out.is_none() {
        report.say("the model is not kept; give --out MODEL.safetensors");
    }
    let (ended, code) = match &outcome.ended {
        Ended::Finished => ("finished".to_string(), ExitCode::SUCCESS),
        Ended::Interrupted => {
            eprintln!("hogwild: interrupted in epoch {}", outcome.epochs.len());
            ("interrupted".to_string(), ExitCode::from(130))
        }
        Ended::Diverged(error) => {
            let kept = if outcome.model.is_some() { "the model is that of the last good epoch" } else { "no model was written" };
            eprintln!("hogwild: {error}; {kept}");
            (error.to_string(), ExitCode::from(1))
        }
    };
    let total = |f: fn(&EpochReport) -> f64| outcome.epochs.iter().map(f).sum::<f64>();
    report.log(json!({
        "event": "end", "ended": ended, "epochs": outcome.epochs.len(), "seconds": total(|e| e.seconds),
        "evaluation_seconds": total(|e| e.evaluation_seconds), "examples": total(|e| e.examples as f64),
        "settings": outcome.settings.describe(),
    }))?;
    if let Some(log) = report.log {
        log.into_inner().map_err(|e| e.into_error()).context("cannot write the log")?;
    }
    Ok(code)
}

/// Follows the run: a bar while an epoch runs, a line after it, JSON lines in the log.
struct Report {
    bar: ProgressBar,
    quiet: bool,
    epochs: usize,
    started: Instant,
    log: Option<BufWriter<File>>,
    log_failed: Option<std::io::Error>,
}

impl Report {
    fn new(args: &TrainArgs, settings: &Settings, data: &Opened) -> anyhow::Result<Report> {
        let open = |path: &Path| File::create(path).map(BufWriter::new).with_context(|| format!("{}: cannot write", path.display()));
        let log = args.log.as_deref().map(open).transpose()?;
        let bar = if args.quiet { ProgressBar::hidden() } else { ProgressBar::no_length() };
        let mut report = Report { bar, quiet: args.quiet, epochs: settings.epochs, started: Instant::now(), log, log_failed: None };
        let set = InstructionSet::detect()?;
        report.log(json!({
            "event": "start", "version": env!("CARGO_PKG_VERSION"), "data": args.data, "valid": args.valid, "settings": settings.describe(),
            "machine": {
                "cores": std::thread::available_parallelism().map_or(1, |n| n.get()), "instruction_set": set.name(),
                "os": std::env::consts::OS, "architecture": std::env::consts::ARCH,
            },
            "shape": match &data.packed {
                Packed::Sparse(d) => json!({ "rows": d.rows(), "features": d.columns(), "nonzeros": d.nonzeros() }),
                Packed::Ratings(d) => json!({ "ratings": d.len(), "users": d.users(), "items": d.items() }),
            },
        }))?;
        Ok(report)
    }

    fn log(&mut self, line: Value) -> anyhow::Result<()> {
        if let Some(error) = self.log_failed.take() {
            return Err(error).context("cannot write the log");
        }
        if let Some(log) = &mut self.log {
            writeln!(log, "{line}").and_then(|()| log.flush()).context("cannot write the log")?;
        }
        Ok(())
    }

    fn say(&self, line: &str) {
        if !self.quiet {
            eprintln!("{line}");
        }
    }
}

impl Watch for Report {
    fn progress(&mut self, now: Progress) {
        if self.started.elapsed() < Duration::from_secs(1) {
            return;
        }
        self.bar.set_length(now.of * self.epochs as u64);
        self.bar.set_position(now.of * (now.epoch as u64 - 1) + now.examples);
        if let Ok(style) = ProgressStyle::with_template("epoch {msg} {bar:30} {per_sec} {eta} left") {
            self.bar.set_style(style);
        }
        self.bar.set_message(format!("{}/{}", now.epoch, self.epochs));
    }

    fn epoch(&mut self, e: &EpochReport) {
        let seconds = e.seconds.max(1e-9);
        if !self.quiet {
            let valid: String =
                e.valid.iter().flat_map(|m| m.named().collect::<Vec<_>>()).map(|(name, value)| format!("  {name} {value:.5}")).collect();
            let (examples, nonzeros) = (e.examples as f64 / seconds / 1e6, e.nonzeros as f64 / seconds / 1e6);
            let left = self.started.elapsed() / e.epoch as u32 * (self.epochs - e.epoch) as u32;
            let left = if left.as_secs() > 0 { format!("  {} left", HumanDuration(left)) } else { String::new() };
            let line = format!(
                "epoch {}/{}  loss {:.5}{}{valid}  {examples:.2} M examples/s  {nonzeros:.0} M nonzeros/s{left}",
                e.epoch,
                self.epochs,
                e.loss,
                if valid.is_empty() { "" } else { "  held-out" }
            );
            self.bar.suspend(|| eprintln!("{line}"));
        }
        let line = json!({
            "event": "epoch", "epoch": e.epoch, "seconds": e.seconds, "evaluation_seconds": e.evaluation_seconds, "examples": e.examples,
            "nonzeros": e.nonzeros, "loss": e.loss, "valid": e.valid.as_ref().map(metrics_json),
        });
        if let Some(log) = &mut self.log {
            self.log_failed = writeln!(log, "{line}").and_then(|()| log.flush()).err();
        }
    }
}
