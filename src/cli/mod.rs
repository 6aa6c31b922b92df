//! The subcommands, one file each (`train`, `eval`, `predict`, `explain`, `recommend`, `similar`, `pack`, `describe`, `inspect`, `export` with `import`, `synth`, `cache`; `bench` and `simulate` are folders): what was typed,
//! turned into library types. What they share:
//! - options: `data` (and how data are opened), `settings` (of a run, as the library declares them), `named` (of its choices),
//!   `environment`;
//! - what is said: `summary` (one line on what was read), `notes` and `warn` (what is odd about rows and about ratings), `report` (a run on
//!   its way, the log), `plot` (its picture), `flags` (as which the library's messages name settings), and `say`, by which all is printed;
//! - what is not to be lost: `outputs` (checked before the work), `interrupt` (signals), `threads` (how many are used).
mod bench;
mod cache;
mod data;
mod describe;
mod environment;
mod eval;
mod eval_ranking;
mod explain;
mod export;
mod fields;
pub mod flags;
mod ids;
mod inspect;
pub mod interrupt;
mod models;
mod named;
mod notes;
mod outputs;
mod pack;
mod plot;
mod predict;
mod prepare;
mod ranked;
mod recommend;
mod reliability;
mod report;
pub mod say;
mod settings;
mod similar;
mod simulate;
mod stream;
mod summary;
mod synth;
mod threads;
mod train;
mod warn;

use hogwild::Threads;
use std::process::ExitCode;

/// Trains sparse models on all cores of one machine, without locks.
///
/// Text (svmlight rows, or ratings) is packed once into a memory-mapped file and trained on from there. Commands take text,
/// plain or compressed (.gz .zst .bz2 .xz), or `-` for standard input; all but pack take packed files in its place.
#[derive(clap::Parser)]
#[command(name = "hogwild", version)]
pub enum Command {
    /// Train a model
    Train(Box<train::TrainArgs>),
    /// Score labelled data with a model and print metrics
    Eval(eval::EvalArgs),
    /// Write a prediction for every example
    Predict(predict::PredictArgs),
    /// Show what scores are made of, example by example
    Explain(explain::ExplainArgs),
    /// List the best items of users
    Recommend(Box<recommend::RecommendArgs>),
    /// List the items that are most like others, or the users
    Similar(similar::SimilarArgs),
    /// Pack text into one memory-mapped .safetensors file
    Pack(pack::PackArgs),
    /// Describe data: columns, values, what is missing, labels by value
    Describe(Box<describe::DescribeArgs>),
    /// Write a model in another program's format
    Export(export::ExportArgs),
    /// Read a model that another program wrote, or one that was exported
    Import(export::ImportArgs),
    /// Show what a model or a packed file holds
    Inspect(inspect::InspectArgs),
    /// Write synthetic data with a known structure
    Synth(synth::SynthArgs),
    /// List or clear the packed forms of text that are kept
    #[command(subcommand)]
    Cache(cache::CacheCommand),
    /// Measure this machine and training on it, by threads
    Bench(Box<bench::BenchArgs>),
    /// Show what many workers would learn, and how fast they might be, on virtual ones
    Simulate(Box<simulate::SimulateArgs>),
}

impl Command {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let threads = match &self {
            Command::Train(args) => args.threads(),
            Command::Eval(args) => args.threads.threads(),
            Command::Predict(args) => args.threads.threads(),
            Command::Explain(args) => args.threads.threads(),
            Command::Recommend(args) => args.threads.threads(),
            Command::Similar(args) => args.threads.threads(),
            Command::Pack(args) => args.threads.threads(),
            Command::Describe(args) => args.threads.threads(),
            Command::Export(args) => args.threads.threads(),
            Command::Import(args) => args.threads.threads(),
            Command::Inspect(args) => args.threads.threads(),
            Command::Synth(args) => args.threads.threads(),
            Command::Cache(_) | Command::Bench(_) | Command::Simulate(_) => Threads::all(),
        };
        threads.run(|| {
            match self {
                Command::Train(args) => return train::run(*args),
                Command::Bench(args) => return bench::run(*args),
                Command::Simulate(args) => return simulate::run(*args),
                Command::Eval(args) => return eval::run(args),
                Command::Predict(args) => return predict::run(args),
                Command::Recommend(args) => return recommend::run(*args),
                Command::Similar(args) => return similar::run(args),
                Command::Explain(args) => explain::run(args)?,
                Command::Pack(args) => pack::run(args)?,
                Command::Describe(args) => describe::run(*args)?,
                Command::Export(args) => export::export(args)?,
                Command::Import(args) => export::import(args)?,
                Command::Inspect(args) => inspect::run(args)?,
                Command::Cache(command) => cache::run(command)?,
                Command::Synth(args) => synth::run(args)?,
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}
