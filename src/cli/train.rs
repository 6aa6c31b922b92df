//! `hogwild train`: what was typed becomes [`Settings`]; `report` follows the run.
use super::{
    data::{CacheOptions, of_input},
    environment, fields, flags,
    interrupt::watched,
    models::ModelChoice,
    notes, outputs,
    report::{self, Report},
    say::{is_standard_output, say},
    settings::{All, Typed},
    summary,
    threads::MOST_THREADS,
    warn,
};
use anyhow::bail;
use clap::Args;
use hogwild::{
    AnyData, AnyFamily, Ended, Metric, Outcome, Settings, Size, Threads,
    data::{Data, Labelling, Opened},
};
use std::{path::PathBuf, process::ExitCode, sync::atomic::AtomicBool};

#[derive(Args)]
pub struct TrainArgs {
    /// Training data: svmlight rows or ratings, text or packed; several are put one after the other
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Evaluate on these data after every epoch
    #[arg(long, value_name = "DATA", conflicts_with = "holdout")]
    valid: Option<PathBuf>,
    #[command(flatten)]
    model: ModelChoice,
    #[command(flatten)]
    settings: Typed<All>,
    /// Write the model here
    #[arg(short, long, value_name = "MODEL.safetensors")]
    out: Option<PathBuf>,
    /// Write one JSON object a line: start, epochs, end; - is standard output
    #[arg(long, value_name = "FILE.jsonl")]
    log: Option<PathBuf>,
    /// Draw training and held-out loss by epoch and by second
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Show nothing but errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    options: CacheOptions,
}

impl TrainArgs {
    /// What the whole command may use.
    pub fn threads(&self) -> Threads {
        let threads = self.settings.get("threads").and_then(|text| text.parse::<usize>().ok());
        threads.filter(|&threads| threads > 0).map_or_else(Threads::all, |threads| Threads::new(threads.min(MOST_THREADS)))
    }

    fn settings(&self, family: &dyn AnyFamily) -> hogwild::Result<Settings> {
        self.settings.settings(Settings { isa: environment::instruction_set()?, pin: true, ..family.defaults() })
    }
}

pub fn run(mut args: TrainArgs) -> anyhow::Result<ExitCode> {
    args.options.data.labelling = args.model.labelling();
    args.options.data.fields = args.model.by_field();
    args.options.data.graph = args.model.cuts();
    args.model.check_graph(args.settings.has("terminals"), args.valid.is_some(), args.plot.is_some())?;
    // Which defaults hold is known with the data; what is wrong by both is told before they are read.
    let check = |family: &dyn AnyFamily| family.check(&args.settings(family)?);
    args.model.check(check)?;
    // Standard output may be one of the other files, and is told by its name where it has one.
    let log = match &args.log {
        Some(log) if is_standard_output(log) => cfg!(unix).then(|| "/dev/stdout".into()),
        log => log.clone(),
    };
    let named = [("--out", args.out.as_ref()), ("--log", log.as_ref()), ("--plot", args.plot.as_ref())];
    let terminals = args.settings.get("terminals").map(PathBuf::from);
    outputs::check(args.data.iter().chain(&args.valid).chain(&terminals), &named)?;
    outputs::check_writable(args.out.iter().chain(&args.plot))?;
    args.options.check_columns(args.data.iter().chain(&args.valid))?;
    let data = args.options.open(&args.data, args.quiet)?;
    let valid = args.valid.as_ref().map(|path| args.options.open_beside(&data.data, std::slice::from_ref(path), args.quiet)).transpose()?;
    let found = AnyData::from(&data.data);
    let family = args.model.of(found, &args.data[0])?;
    let settings = args.settings(family)?;
    let has_factors = family.schema().tensors.iter().any(|tensor| tensor.shape.iter().any(|size| matches!(size, Size::Free(_))));
    if args.settings.has("rank") && !has_factors {
        say!("--rank {}: a model `{}` has no factors, so it is not used", settings.rank, family.name());
    }
    if !args.quiet {
        tell_notes(&args, family, &settings, &data, valid.as_ref())?;
    }
    // To the end, so that a signal in the midst of saving takes nothing away.
    watched(|stop| train(&args, family, &settings, (&data, valid.as_ref()), stop))
}

/// Says what is odd about the training data, and about held-out data beside them.
fn tell_notes(args: &TrainArgs, family: &dyn AnyFamily, settings: &Settings, data: &Opened, valid: Option<&Opened>) -> hogwild::Result<()> {
    let name = summary::names(&args.data);
    let valid = valid.zip(args.valid.as_ref());
    match &data.data {
        Data::Rows(data) => {
            if family.labelling() == Labelling::Number {
                notes::of_training(data, settings.loss, settings.positive, &name).iter().for_each(|note| say!("{note}"));
            }
            if family.by_field() {
                fields::of_training(data, settings, &name)?.iter().for_each(|note| say!("{note}"));
            }
            if let Some((Data::Rows(valid), path)) = valid.map(|(valid, path)| (&valid.data, path)) {
                notes::of_held_out(data, valid, path)?.iter().for_each(|note| say!("{note}"));
                if family.by_field() {
                    fields::of_held_out(data, valid, path)?.iter().for_each(|note| say!("{note}"));
                }
                if family.labelling() != Labelling::Number {
                    notes::of_new_classes(data, valid, path)?.iter().for_each(|note| say!("{note}"));
                }
            }
        }
        Data::Ratings(data) => {
            if family.cuts() {
                warn::of_edges(data, &name).iter().for_each(|note| say!("{note}"));
            } else if !family.ranks() {
                warn::of_ratings(data, &name).iter().for_each(|warning| say!("{warning}"));
            }
            if let Some((valid, path)) = valid {
                warn::of_strangers(valid, std::slice::from_ref(path), &data.user_ids()?, &data.item_ids()?)?;
            }
        }
    }
    Ok(())
}

fn train(
    args: &TrainArgs,
    family: &dyn AnyFamily,
    settings: &Settings,
    (data, valid): (&Opened, Option<&Opened>),
    stop: &AtomicBool,
) -> anyhow::Result<ExitCode> {
    let mut report = Report::new(args.log.as_deref(), args.quiet, (&args.data, args.valid.as_deref()), settings, data)?;
    let valid_data = valid.map(|valid| AnyData::from(&valid.data));
    if valid_data.is_some_and(|valid| valid.kind() != family.takes()) {
        bail!("training and --valid data are of different kinds: one has sparse rows, the other ratings");
    }
    let outcome = hogwild::train(family, &data.data, valid_data, settings, &mut report, stop);
    let by_name = |error| {
        let error = of_input(error, data, &args.data);
        valid.iter().zip(&args.valid).fold(error, |error, (opened, path)| of_input(error, opened, std::slice::from_ref(path)))
    };
    let mut outcome = outcome.map_err(by_name)?;
    if let Ended::DataLost(error) = outcome.ended {
        outcome.ended = Ended::DataLost(by_name(error));
    }
    finish(args, &outcome, report, changed(args, data, valid))
}

/// What is to be said where a file's contents are no longer what they were when it was opened.
fn changed(args: &TrainArgs, data: &Opened, valid: Option<&Opened>) -> Option<String> {
    let is_changed = |opened: &&Opened| AnyData::from(&opened.data).changed();
    let used = std::iter::once((data, &args.data[0])).chain(valid.zip(args.valid.as_ref()));
    let path = used.into_iter().find(|(opened, _)| is_changed(opened))?.1;
    Some(format!("{}: the file changed while it was in use, so that nobody knows what the model has seen; train again", path.display()))
}

/// Saves the model and the picture, says how it ended, and with what exit code.
fn finish(args: &TrainArgs, outcome: &Outcome, report: Report, changed: Option<String>) -> anyhow::Result<ExitCode> {
    report.clear();
    let whose = match (outcome.best, &outcome.kept[..]) {
        (Some(epoch), _) => format!("epoch {epoch}, the best"),
        (None, [epoch]) => format!("epoch {epoch}"),
        (None, epochs) => format!("the {} cycles completed", epochs.len()),
    };
    // Finite, but worse than a constant on what it was trained on.
    let astray = outcome.astray.filter(|astray| astray.diverged);
    let unfinished = match &outcome.ended {
        Ended::Diverged(_) => Some("diverged"),
        Ended::Interrupted | Ended::DataLost(_) => Some("interrupted"),
        Ended::Finished | Ended::StoppedEarly | Ended::Stopped => astray.map(|_| "diverged"),
    };
    // What is lost has changed, of course.
    let changed = changed.filter(|_| !matches!(outcome.ended, Ended::DataLost(_)));
    let saved = match (&args.out, &outcome.model) {
        (Some(path), Some(model)) => match changed.as_ref().map(|_| "changed").or(unfinished.filter(|_| path.exists())) {
            None => model.save(path).map(|()| format!("model of {whose} written to {}", path.display())),
            Some(why) => {
                let other = outputs::beside(path, why);
                let as_it_was = if path.exists() { format!("{} is as it was; ", path.display()) } else { String::new() };
                let kept = format!("{as_it_was}model of {whose} written to {}", other.display());
                model.save(&other).map(|()| kept)
            }
        },
        (None, Some(_)) => Ok(format!("the model, of {whose}, is not kept; give --out MODEL.safetensors")),
        (_, None) => Ok("no model was written".to_string()),
    };
    let undecided = outcome.model.as_ref().and_then(|model| model.cut()).map_or(0, |cut| cut.undecided() as u64);
    if undecided > 0 {
        let why = "both cost the same, no path leads to a terminal, or epochs are too few (--epochs)";
        report.say(&format!("{} nodes have as much of several labels, and take the first of these: {why}", summary::count(undecided)));
    }
    match &args.plot {
        Some(_) if outcome.epochs.is_empty() => report.say("no picture was written, for no epoch was completed"),
        Some(path) => {
            super::plot::write(path, outcome)?;
            report.say(&format!("picture written to {}", path.display()));
        }
        None => {}
    }
    let (ended, code) = match &outcome.ended {
        Ended::DataLost(error) => {
            let text = flags::of_error(error);
            say!("hogwild: {text}");
            (text, ExitCode::from(2))
        }
        Ended::Finished => match astray {
            Some(astray) => {
                let told = report::of_astray(&astray);
                say!("hogwild: {told}");
                (told, ExitCode::from(1))
            }
            None => ("finished".to_string(), ExitCode::SUCCESS),
        },
        Ended::StoppedEarly => {
            let (asked, patience) = (outcome.settings.asked.stop_metric, outcome.settings.asked.patience.unwrap_or(0));
            let is_cut = outcome.valid().is_some_and(|valid| valid.cut.is_some());
            let (held_out, usual) = if is_cut { ("", Metric::Objective) } else { ("held-out ", Metric::Loss) };
            let metric = asked.unwrap_or(usual).name();
            report.say(&format!("stopped early: the {held_out}{metric} got no better for {patience} epochs"));
            ("stopped early".to_string(), ExitCode::SUCCESS)
        }
        Ended::Stopped => ("stopped".to_string(), ExitCode::SUCCESS),
        Ended::Interrupted => {
            say!("hogwild: interrupted in epoch {}", outcome.epochs.len());
            ("interrupted".to_string(), ExitCode::from(130))
        }
        Ended::Diverged(error) => {
            let text = flags::of_error(error);
            say!("hogwild: {text}");
            (text, ExitCode::from(1))
        }
    };
    let (ended, code) = match &changed {
        Some(told) => {
            say!("hogwild: {told}");
            (told.clone(), ExitCode::from(2))
        }
        None => (ended, code),
    };
    let wrong = notes::of_outcome(outcome);
    wrong.iter().for_each(|line| say!("hogwild: {line}"));
    let code = if code == ExitCode::SUCCESS && !wrong.is_empty() { ExitCode::FAILURE } else { code };
    report.end(outcome, &ended)?; // before a model that cannot be saved ends the command: the log is whole
    let saved = saved?;
    if unfinished.is_some() || changed.is_some() || !args.quiet {
        say!("{saved}");
    }
    Ok(code)
}
