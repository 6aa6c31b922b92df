//! Lock-free multicore training of sparse models: linear models and matrix factorization.
//!
//! Parameters lie in one shared array of atomics that worker threads update without locks (Hogwild!, Niu, Recht, Ré & Wright 2011),
//! from memory-mapped sparse data. The same is a command, `hogwild`; the design is in `ARCHITECTURE.md`.
//!
//! ```
//! use hogwild::{Settings, data::{Data, PackSettings, pack}, train_linear};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let packed = folder.path().join("reviews.safetensors");
//! pack(&["data/reviews.train.svm".into()], &packed, &PackSettings::default())?;
//! let Data::Rows(data) = Data::open(&packed)? else { panic!("ratings, not rows") };
//! let settings = Settings { threads: 2, holdout: 0.1, ..Settings::default() };
//! let outcome = train_linear(&data, None, &settings, &mut (), &Default::default())?;
//! let last = outcome.epochs.last().and_then(|epoch| epoch.valid).expect("an evaluated epoch");
//! println!("held-out log-loss {:.4}", last.loss);
//! assert!(last.loss < 0.69);
//! outcome.model.expect("a model").save(&folder.path().join("model.safetensors"))?;
//! # Ok(()) }
//! ```
#![deny(unsafe_code, missing_docs)]

mod classes;
mod evaluate;
mod metrics;
mod model_check;
mod model_file;
mod model_read;
pub mod synth;
mod train;

pub use classes::Classes;
pub use evaluate::Scored;
pub use hogwild_base::{Error, Knob, OutputFile, Result, memory};
pub use hogwild_data as data;
pub use hogwild_kernels::{
    aids::Aids,
    batch::Batch,
    feed::Normalize,
    loss::Loss,
    models,
    order::Order,
    params::{Plain, Weights},
    rules,
    rules::Rule,
    schedule::{Moment, OwnSchedule, Schedule},
    simd::{F32x16, InstructionSet, LANES, Line, Real, Vector},
};
pub use metrics::{Metric, Metrics};
pub use model_file::{FactorModel, LinearModel, ModelKind, TrainedModel};
pub use train::{
    Astray, Ended, EpochReport, Outcome, Progress, RaceReport, Raced, Settings, Watch, Window, WindowReport, train_factorization,
    train_factorization_with, train_linear, train_linear_with,
};
