//! Lock-free multicore training of sparse models: linear models and matrix factorization.
//!
//! Parameters lie in one shared array of atomics that worker threads update without locks (Hogwild!, Niu, Recht, Ré & Wright 2011),
//! from memory-mapped sparse data. The same is a command, `hogwild`; the design is in `ARCHITECTURE.md`.
//!
//! ```
//! use hogwild::{Settings, data::{Packed, PackSettings, pack}, train_linear};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let packed = folder.path().join("reviews.safetensors");
//! pack(&["data/reviews.train.svm".into()], &packed, &PackSettings::default(), &|_, _| ())?;
//! let Packed::Sparse(data) = Packed::open(&packed)? else { panic!("ratings, not rows") };
//! let settings = Settings { threads: 2, holdout: 0.1, ..Settings::default() };
//! let outcome = train_linear(&data, None, &settings, &mut (), &Default::default())?;
//! let last = outcome.epochs.last().and_then(|epoch| epoch.valid).expect("an evaluated epoch");
//! println!("held-out log-loss {:.4}", last.loss);
//! assert!(last.loss < 0.69);
//! outcome.model.expect("a model").save(&folder.path().join("model.safetensors"))?;
//! # Ok(()) }
//! ```
#![deny(unsafe_code, missing_docs)]

mod aids;
mod classes;
pub mod data;
mod error;
mod evaluate;
mod knob;
mod left;
mod loss;
mod math;
pub mod memory;
mod metrics;
mod model_check;
mod model_file;
mod model_read;
pub mod models;
mod output;
mod params;
pub mod rules;
mod schedule;
pub mod synth;
mod train;

pub use aids::Aids;
pub use classes::Classes;
pub use error::{Error, Result};
pub use evaluate::Scored;
pub use knob::Knob;
pub use loss::Loss;
pub use metrics::{Metric, Metrics};
pub use model_file::{FactorModel, LinearModel, ModelKind, TrainedModel};
pub use output::OutputFile;
pub use params::{F32x16, InstructionSet, LANES, Line, Plain, Real, Vector, Weights};
pub use rules::Rule;
pub use schedule::{Moment, OwnSchedule, Schedule};
pub use train::{
    Astray, Batch, Ended, EpochReport, Normalize, Order, Outcome, Progress, RaceReport, Raced, Settings, Watch, Window, WindowReport,
    train_factorization, train_factorization_with, train_linear, train_linear_with,
};
