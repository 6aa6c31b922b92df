//! `hogwild bench`: how fast training is here, how it scales with threads, what share of the hardware's limit that is, and what
//! doing without locks costs. First the `machine`, then the `trainer` on the given data or on synthetic `sets`, beside its `limit`, then
//! the updates that are `lost`; `report` tells it, `picture` draws it.
pub mod array;
pub mod limit;
mod lost;
pub mod machine;
mod picture;
pub mod report;
mod sets;
pub mod table;
pub mod trainer;

use super::{
    data::{CacheOptions, of_input},
    environment, flags,
    interrupt::{Interrupted, watched},
    models::ModelChoice,
    outputs,
    say::{say, show},
    settings::{Subset, Typed},
};
use array::{Array, cores};
use clap::Args;
use hogwild::{AnyData, AnyFamily, Error, Opt, Outcome, Settings, data::Data};
use indicatif::ProgressBar;
use limit::Work;
use machine::Machine;
use report::{Report, shape};
use serde_json::json;
use std::{
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};
use trainer::Trainer;

/// What the words of the tables mean.
const WORDS: &str = "\
Words of the tables:
  hand-over     time for a cache line to pass between two cores that write it in turn
  dependent     random lines where each address comes from the line before
  independent   random lines whose addresses are known ahead
  hot rows      parameter rows that each worker copies (--hot-rows of train); 0: plain Hogwild!
  spread        middle half of the epochs' times over their median: large on a busy machine
  limit         the shortest time that memory allows. Streaming is counted from memory; data
                smaller than the last-level cache may do better than this limit
  of the limit  its share of the time taken";

#[derive(Args)]
#[command(after_help = WORDS)]
pub struct BenchArgs {
    /// Training data, as for train [default: synthetic text, click log, uniform features and ratings]
    data: Vec<PathBuf>,
    /// Numbers of threads, with commas between; one thread is always measured [default: 1, all cores, and powers of two between]
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Vec<u16>,
    #[command(flatten)]
    model: ModelChoice,
    #[command(flatten)]
    settings: Typed<Few>,
    /// How often each speed is measured, in turn with the others (lost updates: 3 times, held-out loss: at most 3 times)
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// Size of the synthetic sets: at 1 they have 4 to 10 million nonzeros (3 million ratings), the whole taking about a minute
    #[arg(long, default_value_t = 1.0, value_parser = size, conflicts_with = "data")]
    size: f64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Draw throughput by threads, beside the ideal line and the limits
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    options: CacheOptions,
}

fn size(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|size| (1e-6..=1e4).contains(size)).ok_or_else(|| "a number from 1e-6 to 10000, such as 0.1".to_string())
}

/// The settings that a bench has flags for.
struct Few;

impl Subset for Few {
    fn has(option: &Opt) -> bool {
        ["loss", "rule", "lr", "rank", "seed", "terminals"].contains(&option.name)
    }
}

/// Gives up where Ctrl-C was pressed.
pub fn interrupted(stop: &AtomicBool) -> anyhow::Result<()> {
    if stop.load(Relaxed) { Err(Interrupted("").into()) } else { Ok(()) }
}

impl BenchArgs {
    fn settings(&self, family: &dyn AnyFamily) -> hogwild::Result<Settings> {
        let mut s = family.defaults();
        (s.isa, s.pin) = (environment::instruction_set()?, true);
        self.settings.settings(s)
    }

    /// Rising, with 1 among them.
    fn threads(&self) -> Vec<usize> {
        let mut threads: Vec<usize> = self.threads.iter().map(|&threads| threads.into()).collect();
        if threads.is_empty() {
            threads = std::iter::successors(Some(1), |threads| Some(2 * threads)).take_while(|&threads| threads < cores()).collect();
            threads.push(cores());
        }
        threads.push(1);
        threads.sort_unstable();
        threads.dedup();
        threads
    }
}

pub fn run(mut args: BenchArgs) -> anyhow::Result<ExitCode> {
    args.options.data.labelling = args.model.labelling();
    args.options.data.fields = args.model.by_field();
    args.options.data.graph = args.model.cuts();
    if args.data.is_empty() && args.settings.has("loss") {
        anyhow::bail!("--loss is of given data; give DATA too, or leave it out");
    }
    if args.data.is_empty() && args.model.cuts() {
        anyhow::bail!("--model cut is of graphs, and there is no synthetic one here; give DATA, as `hogwild synth cut` writes it");
    }
    args.model.check_graph(args.settings.has("terminals"), false, false)?;
    if args.data.is_empty() && args.model.by_field() {
        anyhow::bail!("--model ffm is of data with fields, which synthetic data have not; give DATA");
    }
    let check = |family: &'static dyn AnyFamily| args.settings(family).and_then(|settings| family.check(&settings)).err();
    let families = args.model.families();
    let mut errors: Vec<Error> = families.iter().copied().filter_map(check).collect();
    // Of which kind given data are is not known yet: one family that takes the settings will do.
    if errors.len() >= if args.data.is_empty() { 1 } else { families.len() } {
        return Err(errors.remove(0).into());
    }
    outputs::check(&args.data, &[("--plot", args.plot.as_ref())])?;
    outputs::check_writable(&args.plot)?;
    args.options.check_columns(args.data.iter())?;
    let opened = if args.data.is_empty() { None } else { Some(args.options.open(&args.data, args.quiet)?) };
    let bar = if args.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    let tell = |what: &str| {
        bar.set_message(what.to_string());
        bar.tick();
    };
    let done = watched(|stop| {
        let bench = Bench { args: &args, threads: args.threads(), bar: &bar, tell: &tell, stop };
        match &opened {
            None => bench.synthetic(),
            Some(opened) => bench.given(&opened.data).map_err(|error| match error.downcast::<Error>() {
                Ok(error) => of_input(error, opened, &args.data).into(),
                Err(other) => other,
            }),
        }
    });
    bar.finish_and_clear();
    match done {
        Err(error) if matches!(error.downcast_ref(), Some(Error::Diverged { .. })) => {
            say!("hogwild: {}", flags::of_chain(&error));
            Ok(ExitCode::from(1))
        }
        other => other.map(|()| ExitCode::SUCCESS),
    }
}

/// All is told by the nonzero.
fn check(data: &Data) -> hogwild::Result<()> {
    match data {
        Data::Rows(data) if data.nonzeros() == 0 => {
            let (path, problem) = (data.name().to_owned(), "has no nonzeros, and all is measured by the nonzero".into());
            Err(Error::BadFile { path, problem, remedy: "give data with features" })
        }
        _ => Ok(()),
    }
}

/// What all measurements share.
struct Bench<'a> {
    args: &'a BenchArgs,
    threads: Vec<usize>,
    bar: &'a ProgressBar,
    /// Is told what is being measured.
    tell: &'a dyn Fn(&str),
    stop: &'a AtomicBool,
}

impl Bench<'_> {
    fn given(&self, packed: &Data) -> anyhow::Result<()> {
        let names: Vec<_> = self.args.data.iter().map(|path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()).collect();
        // First, as what does not fit the data is told by it.
        let begun = self.begin(names.join(", "), packed)?;
        let mut machine = self.machine()?;
        let found = self.measure(begun, &mut machine)?;
        self.finish(&machine, &[found])
    }

    fn synthetic(&self) -> anyhow::Result<()> {
        let mut machine = self.machine()?;
        let mut found = Vec::new();
        for (kind, synth) in sets::all(self.args.size, self.args.settings(self.args.model.families()[0])?.seed) {
            let name = format!("synthetic {kind}");
            (self.tell)(&format!("{name}: writing and packing"));
            let made = sets::make(kind, &synth, self.stop)?;
            found.push(self.measure(self.begin(name, &made.data)?, &mut machine)?);
        }
        self.finish(&machine, &found)
    }

    fn machine(&self) -> anyhow::Result<Machine> {
        let machine = Machine::measure(&self.threads, self.tell, self.stop)?;
        self.print(&machine.text())?;
        Ok(machine)
    }

    /// A trainer that knows its rate, and what it took to find it.
    fn begin<'d>(&'d self, name: String, data: &'d Data) -> anyhow::Result<(Trainer<'d>, Outcome)> {
        let family = self.args.model.or_other(AnyData::from(data));
        let settings = self.args.settings(family)?;
        let mut trainer = Trainer { name, data, family, settings, rounds: self.args.rounds.into(), tell: self.tell, stop: self.stop };
        check(data)?;
        let begun = trainer.begin()?;
        Ok((trainer, begun))
    }

    /// Measures the trainer, and the machine once more beside it.
    fn measure(&self, (trainer, begun): (Trainer<'_>, Outcome), machine: &mut Machine) -> anyhow::Result<Report> {
        let variants = trainer.variants(&self.threads);
        let timings = trainer.timings(&variants, &begun)?;
        trainer.say("the machine again");
        machine.again(self.stop)?;
        let (held_out, lost) = (trainer.held_out(&variants, &begun)?, trainer.lost(&variants, &begun)?);
        let work = Work::of(trainer.data, trainer.family, &begun, &trainer.settings, &machine.caches)?;
        trainer.say("random lines");
        let array = Array::new(work.parameters, self.stop)?;
        let random = self.threads.iter().map(|&threads| array.random(threads, self.stop)).collect::<anyhow::Result<_>>()?;
        let (shape, tried) = (shape(trainer.data, &begun), self.args.settings(self.args.model.families()[0])?.lr.is_none());
        let Trainer { name, family, settings, .. } = trainer;
        // As they stand now: what later looks find is not what this set's limits were told by.
        let rates = machine.rates.clone();
        let found = Report { name, family, shape, settings, tried, work, rates, random, timings, held_out, lost };
        self.print(&found.text())?;
        Ok(found)
    }

    fn finish(&self, machine: &Machine, found: &[Report]) -> anyhow::Result<()> {
        if self.args.json {
            let sets: Vec<_> = found.iter().map(Report::json).collect();
            let all = json!({ "version": env!("CARGO_PKG_VERSION"), "machine": machine.json(), "data": sets });
            show(&format!("{all}\n"))?;
        }
        if let Some(path) = &self.args.plot {
            picture::write(path, found)?;
        }
        Ok(())
    }

    /// Shows a part as soon as it is known, unless all is to be one object.
    fn print(&self, text: &str) -> anyhow::Result<()> {
        if self.args.json {
            return Ok(());
        }
        self.bar.suspend(|| show(text))
    }
}
