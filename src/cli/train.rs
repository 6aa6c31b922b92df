//! `hogwild train`: what was typed becomes [`Settings`]; `report` follows the run.
use super::{
    aids::AidOptions,
    data::{CacheOptions, of_input},
    interrupt::watched,
    report::Report,
    rule::RuleOptions,
};
use anyhow::bail;
use clap::{Args, ValueEnum};
use hogwild::{Ended, Loss, Outcome, Schedule, Settings, data::Packed, train_factorization, train_linear};
use std::{path::PathBuf, process::ExitCode};

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
    #[command(flatten)]
    aids: AidOptions,
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
        s.aids = self.aids.aids();
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
    let mut report = Report::new(args.log.as_deref(), args.quiet, (&args.data, args.valid.as_deref()), &settings, &data)?;
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
fn finish(args: &TrainArgs, outcome: &Outcome, report: Report) -> anyhow::Result<ExitCode> {
    report.clear();
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
    report.end(outcome, &ended)?;
    Ok(code)
}
