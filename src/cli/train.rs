//! `hogwild train`: what was typed becomes [`Settings`]; `report` follows the run.
use super::{
    aids::AidOptions,
    data::{CacheOptions, of_input},
    interrupt::watched,
    long_help::{NORMALIZE, ORDER, schedule_help},
    notes, outputs,
    report::{self, Report},
    rule::RuleOptions,
    say::{say, see_reader},
    summary, threads, warn,
};
use anyhow::bail;
use clap::{Args, ValueEnum};
use hogwild::{
    Batch, Ended, Error, Loss, Metric, Normalize, Order, Outcome, Schedule, Settings, Window,
    data::{Data, Opened},
    train_factorization, train_linear,
};
use std::{path::PathBuf, process::ExitCode, sync::atomic::AtomicBool};

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum ModelName {
    /// Score = bias + sum of weight times value
    Linear,
    /// Matrix factorization of ratings, with biases
    Mf,
}

/// None: auto.
#[derive(Clone, Copy)]
pub struct LearningRate(pub Option<f32>);

impl LearningRate {
    pub fn parse(text: &str) -> Result<LearningRate, String> {
        let number = || text.parse().map(Some).map_err(|_| "a number above 0, such as 0.1, or auto".to_string());
        Ok(LearningRate(if text == "auto" { None } else { number()? }))
    }
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
    /// Which of the two labels is +1, for a loss of two classes [default: the larger]
    #[arg(long, value_name = "LABEL", allow_negative_numbers = true)]
    positive: Option<f32>,
    #[command(flatten)]
    rule: RuleOptions,
    /// Learning rate, above 0. auto: some 15 rates rehearse the run on a sample, in about a fifth of its time, of ratings up to half (small data: a tenth of a second or two);
    /// with --batch the rule's default. A run that diverges at it, or loses more than a constant prediction, starts again at a third
    #[arg(long, value_name = "auto|RATE", default_value = "auto", value_parser = LearningRate::parse, allow_negative_numbers = true)]
    lr: LearningRate,
    /// How the rate goes over the run: a name, or name:setting=value,... [default: linear for mf, constant otherwise]
    #[arg(long, value_name = "NAME", value_parser = Schedule::parse, long_help = schedule_help())]
    schedule: Option<Schedule>,
    /// L2 regularisation: lambda/2 |w|^2 beside the mean loss (linear); per rating (mf) [default: 0.02 for mf, 0 otherwise]
    #[arg(long, allow_negative_numbers = true)]
    l2: Option<f64>,
    #[command(flatten)]
    aids: AidOptions,
    /// Scale features, of linear models: each by its largest absolute value or standard deviation (--l2 is then of the weights of
    /// scaled features), or each row to length 1 [default: auto]
    #[arg(long, value_name = "HOW", value_parser = named(&Normalize::ALL.map(|how| how.name())), long_help = NORMALIZE)]
    normalize: Option<String>,
    /// In what order examples are visited: shuffled, as in the file, or easy ones first [default: shuffle]
    #[arg(long, value_name = "ORDER", value_parser = named(&Order::ALL.map(|order| order.name())), long_help = ORDER)]
    order: Option<String>,
    /// With --order curriculum: after what share of the run, 0 to 1, all examples are in use [default: 0.5]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pace: Option<f32>,
    /// Passes over the data [default: 6 for mf, 5 otherwise]
    #[arg(long)]
    epochs: Option<usize>,
    /// Stop after so many epochs in a row without a better held-out metric, and keep the best epoch's model [default: run all epochs]
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<usize>,
    /// By how much the metric is to get better for --patience, 0 or more [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    min_delta: Option<f64>,
    /// The held-out metric that --patience goes by [default: loss]
    #[arg(long, value_name = "METRIC", value_parser = named(&Metric::ALL.map(Metric::name)))]
    stop_metric: Option<String>,
    /// Cut the run into so many cosine cycles and keep the model at the end of each: an ensemble in one file, from 2 to 1000 [default: one model]
    #[arg(long, value_name = "M")]
    snapshots: Option<usize>,
    /// Learn labels as they are: not standardised (squared and Huber loss), and from a score of 0, not from the best constant
    #[arg(long)]
    no_standardize: bool,
    /// Examples a step: 1 is Hogwild!; N or full steps by the mean gradient of N or all examples, with the same bits on any number of threads
    #[arg(long, value_name = "N|full", default_value = "1", value_parser = Batch::parse)]
    batch: Batch,
    /// Multiply the batch by this after every epoch, 1 to 1e6, in place of a falling rate
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, allow_negative_numbers = true)]
    batch_growth: f64,
    /// Worker threads [default: one for each 2 million nonzeros or 500,000 ratings, up to all cores; the race of rates has all]
    #[arg(long)]
    threads: Option<usize>,
    /// Order, start and held-out examples follow from it; one thread repeats to the bit
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Factors of mf
    #[arg(long, default_value_t = 32)]
    rank: usize,
    /// Most frequent rows that each worker holds privately; 0 is plain Hogwild!; linear models only [default: on several threads those that more than one of 1024 examples has, up to 32768 numbers: 16384 rows of adagrad, 8192 of adam]
    #[arg(long, value_name = "N")]
    hot_rows: Option<usize>,
    /// Examples between two exchanges of the hottest private rows; others every 4th or 16th time [default: 4096 for mf, else 64 to 1024]
    #[arg(long, value_name = "N")]
    exchange_every: Option<u32>,
    /// How much of a packed file of rows is in memory at a time: auto (all that fits, else a part of the free memory), off (all), or a size
    /// such as 512M or 2G. Examples are then shuffled by groups; the log tells how many. By batches the order alone keeps to it
    #[arg(long, value_name = "auto|off|SIZE", default_value = "auto", value_parser = Window::parse)]
    window: Window,
    /// Let the system move the workers between cores
    #[arg(long)]
    no_pin: bool,
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

pub fn named(names: &[&'static str]) -> clap::builder::PossibleValuesParser {
    names.to_vec().into()
}

impl TrainArgs {
    fn settings(&self, ratings: bool) -> hogwild::Result<Settings> {
        let mut s = if ratings { Settings::for_ratings() } else { Settings::default() };
        // The parser has let through only names that exist.
        s.loss = Loss::ALL.into_iter().find(|loss| self.loss.as_deref() == Some(loss.name())).unwrap_or(s.loss);
        s.positive = self.positive;
        s.rule = self.rule.rule(s.rule)?;
        s.lr = self.lr.0;
        s.snapshots = self.snapshots;
        s.standardize = !self.no_standardize;
        s.schedule = self.schedule.unwrap_or(match s.snapshots {
            _ if !s.rule.takes_schedules() => Schedule::Constant,
            Some(snapshots) => Schedule::CosineCycles { cycles: snapshots as f32 },
            None => s.schedule,
        });
        s.l2 = self.l2.unwrap_or(s.l2);
        s.aids = self.aids.aids();
        s.patience = self.patience;
        s.min_delta = self.min_delta.unwrap_or(s.min_delta);
        s.stop_metric = Metric::ALL.into_iter().find(|metric| self.stop_metric.as_deref() == Some(metric.name()));
        s.normalize = Normalize::ALL.into_iter().find(|how| self.normalize.as_deref() == Some(how.name())).unwrap_or(s.normalize);
        s.order = Order::ALL.into_iter().find(|order| self.order.as_deref() == Some(order.name())).unwrap_or(s.order);
        s.pace = self.pace;
        s.epochs = self.epochs.unwrap_or(s.epochs);
        s.batch = self.batch;
        s.batch_growth = self.batch_growth;
        if let Some(every) = self.exchange_every.filter(|_| s.batch != Batch::One) {
            let problem = "is of Hogwild! workers, and by batches no row is private; leave it out, or use --batch 1".into();
            return Err(Error::BadSetting { setting: "--exchange-every", value: every.to_string(), problem });
        }
        s.threads = self.threads.unwrap_or(s.threads);
        s.seed = self.seed;
        s.rank = self.rank;
        s.hot_rows = self.hot_rows;
        s.exchange_every = self.exchange_every;
        s.window = self.window;
        s.pin = !self.no_pin;
        s.holdout = self.holdout.unwrap_or(0.0);
        Ok(s)
    }
}

pub fn run(mut args: TrainArgs) -> anyhow::Result<ExitCode> {
    if args.log.as_ref().is_some_and(|log| log.as_os_str() == "-") {
        args.log = Some("/dev/stdout".into());
    }
    // Which defaults hold is known with the data; what is wrong by both is told before they are read.
    let check = |ratings| args.settings(ratings)?.check();
    match args.model {
        Some(model) => check(model == ModelName::Mf)?,
        None => check(false).or_else(|error| check(true).map_err(|_| error))?,
    }
    let named = [("--out", args.out.as_ref()), ("--log", args.log.as_ref()), ("--plot", args.plot.as_ref())];
    outputs::check(args.data.iter().chain(&args.valid), &named)?;
    outputs::check_writable(args.out.iter().chain(&args.plot))?;
    args.options.check_columns(args.data.iter().chain(&args.valid))?;
    let data = args.options.open(&args.data, args.quiet)?;
    let valid = args.valid.as_ref().map(|path| args.options.open(std::slice::from_ref(path), args.quiet)).transpose()?;
    let ratings = matches!(data.data, Data::Ratings(_));
    match args.model {
        Some(ModelName::Mf) if !ratings => {
            bail!(
                "{}: --model mf takes ratings, and these are sparse rows (`label index:value ...`); leave --model out",
                args.data[0].display()
            )
        }
        Some(ModelName::Linear) if ratings => {
            bail!(
                "{}: --model linear takes sparse rows, and these are ratings (`user item rating`); leave --model out, or write rows as `label index:value ...`",
                args.data[0].display()
            )
        }
        _ => {}
    }
    let mut settings = args.settings(ratings)?;
    if args.threads.is_none() {
        settings.racers = Some(settings.threads);
        settings.threads = settings.threads.min(threads::worth(&data.data));
    }
    if !args.quiet {
        tell_notes(&args, &settings, &data, valid.as_ref())?;
    }
    // To the end, so that a signal in the midst of saving takes nothing away.
    let outcome = watched(|stop| train(&args, &settings, &data, valid.as_ref(), stop));
    if let (Err(error), Some("/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1")) = (&outcome, args.log.as_ref().and_then(|log| log.to_str()))
    {
        see_reader(error);
    }
    outcome
}

/// Says what is odd about the training data, and about held-out data beside them.
fn tell_notes(args: &TrainArgs, settings: &Settings, data: &Opened, valid: Option<&Opened>) -> hogwild::Result<()> {
    let name = summary::names(&args.data);
    let valid = valid.zip(args.valid.as_ref());
    match &data.data {
        Data::Rows(data) => {
            notes::of_training(data, settings.loss, settings.positive, &name).iter().for_each(|note| say!("{note}"));
            if let Some((Data::Rows(valid), path)) = valid.map(|(valid, path)| (&valid.data, path)) {
                notes::of_held_out(data, valid, path)?.iter().for_each(|note| say!("{note}"));
            }
        }
        Data::Ratings(data) => {
            warn::of_ratings(data, &name).iter().for_each(|warning| say!("{warning}"));
            if let Some((valid, path)) = valid {
                warn::of_strangers(valid, std::slice::from_ref(path), &data.user_ids()?, &data.item_ids()?)?;
            }
        }
    }
    Ok(())
}

fn train(args: &TrainArgs, settings: &Settings, data: &Opened, valid: Option<&Opened>, stop: &AtomicBool) -> anyhow::Result<ExitCode> {
    let mut report = Report::new(args.log.as_deref(), args.quiet, (&args.data, args.valid.as_deref()), settings, data)?;
    let outcome = match (&data.data, valid.map(|valid| &valid.data)) {
        (Data::Rows(data), None) => train_linear(data, None, settings, &mut report, stop),
        (Data::Rows(data), Some(Data::Rows(valid))) => train_linear(data, Some(valid), settings, &mut report, stop),
        (Data::Ratings(data), None) => train_factorization(data, None, settings, &mut report, stop),
        (Data::Ratings(data), Some(Data::Ratings(valid))) => train_factorization(data, Some(valid), settings, &mut report, stop),
        _ => bail!("training and --valid data are of different kinds: one has sparse rows, the other ratings"),
    };
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
    let used = std::iter::once((data, &args.data[0])).chain(valid.zip(args.valid.as_ref()));
    let path = used.into_iter().find(|(opened, _)| opened.data.changed())?.1;
    Some(format!("{}: the file changed while it was in use, so that nobody knows what the model has seen; train again", path.display()))
}

/// Saves the model and the picture, says how it ended, and with what exit code.
fn finish(args: &TrainArgs, outcome: &Outcome, report: Report, changed: Option<String>) -> anyhow::Result<ExitCode> {
    report.clear();
    let whose = match (&outcome.model, outcome.best) {
        (_, Some(epoch)) => format!("epoch {epoch}, the best"),
        (Some(model), _) if !model.earlier.is_empty() => format!("the {} cycles completed", model.members().len()),
        (_, None) => format!("epoch {}", outcome.epochs.len()),
    };
    // Finite, but worse than a constant on what it was trained on.
    let astray = outcome.astray.filter(|astray| astray.diverged);
    let unfinished = match &outcome.ended {
        Ended::Diverged(_) => Some("diverged"),
        Ended::Interrupted | Ended::DataLost(_) => Some("interrupted"),
        Ended::Finished | Ended::StoppedEarly => astray.map(|_| "diverged"),
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
            say!("hogwild: {error}");
            (error.to_string(), ExitCode::from(2))
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
            let (metric, patience) = (outcome.settings.stop_metric.unwrap_or(Metric::Loss).name(), outcome.settings.patience.unwrap_or(0));
            report.say(&format!("stopped early: the held-out {metric} got no better for {patience} epochs"));
            ("stopped early".to_string(), ExitCode::SUCCESS)
        }
        Ended::Interrupted => {
            say!("hogwild: interrupted in epoch {}", outcome.epochs.len());
            ("interrupted".to_string(), ExitCode::from(130))
        }
        Ended::Diverged(error) => {
            say!("hogwild: {error}");
            (error.to_string(), ExitCode::from(1))
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
