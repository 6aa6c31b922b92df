//! Lock-free multicore training of sparse models: linear models, factorization machines and matrix factorization.
//!
//! Parameters lie in one shared array of atomics that worker threads update without locks (Hogwild!, Niu, Recht, Ré & Wright 2011),
//! from memory-mapped sparse data. The same is a command, `hogwild`; the design is in `ARCHITECTURE.md`.
//!
//! ```
//! use hogwild::{Loss::Logistic, Trainer, data::{Data, PackSettings, pack}};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let packed = folder.path().join("reviews.safetensors");
//! pack(&["data/reviews.train.svm".into()], &packed, &PackSettings::default())?;
//! let Data::Rows(rows) = Data::open(&packed)? else { panic!("ratings, not rows") };
//! let outcome = Trainer::linear().loss(Logistic).holdout(0.1).fit(&rows)?;
//! println!("held-out log-loss {:.4}", outcome.valid().expect("held-out rows").loss);
//! # assert!(outcome.valid().unwrap().loss < 0.69);
//! outcome.save(folder.path().join("m.safetensors"))?;
//! # Ok(()) }
//! ```
#![deny(unsafe_code, missing_docs)]

// The command is written as any other program on top of the library.
#[cfg(feature = "command")]
extern crate self as hogwild;

#[cfg(feature = "command")]
mod cli;
#[cfg(feature = "command")]
pub mod command;

mod class_weight;
mod classes;
mod export;
mod family;
mod holdout_by;
mod model;
mod options;
mod profile;
mod recommend;
mod simulation;
pub mod synth;
mod train;
mod trainer;

/// The Rust code of README and of the book is tested.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/library.md")]
    struct Library;
}

pub use class_weight::ClassWeight;
pub use classes::{Classes, unseen_classes};
pub use export::ModelFormat;
pub use family::{
    AnyData, AnyFamily, BatchScorer, CutModel, Evaluated, Explain, Explained, FAMILIES, FactorModel, Factors, FieldMatrixScorer,
    LinearModel, MatrixScorer, OnlineModel, OnlineState, Term, WindowReport, evaluate_ranking, family, family_for,
};
pub use hogwild_base::{Error, Hyperparameter, Named, OutputFile, Result, Threads, memory};
pub use hogwild_data as data;
pub use hogwild_data::Window;
pub use hogwild_kernels::{
    Parallel,
    batch::Batch,
    engine::Downpour,
    feed::Normalize,
    loss,
    loss::{Loss, Metric, OwnLoss},
    models,
    order::Order,
    params::{Plain, Weights},
    rules,
    rules::Rule,
    schedule::{Moment, OwnSchedule, Schedule},
    simd::{F32x16, InstructionSet, LANES, Line, Real, Vector},
    transforms::Transforms,
};
pub use holdout_by::HoldoutBy;
pub use model::{
    Axis, ByUser, CUTOFF, ClassCounts, ClassScores, CutMetrics, Measure, Metrics, RankingMetrics, Reliability, ReliabilityBin, Schema,
    Scored, Size, Tensor, TensorKind, Tensors, TopScores, TrainedModel, Vectors, ranking_metrics,
};
pub use options::{IntoSetting, Opt, Settings, Takes, markdown as options_page, options};
pub use profile::{ColumnProfile, LabelProfile, NumbersProfile, Profile, RatingsProfile, RowsProfile, SideProfile, ValueProfile};
pub use recommend::{FoldedIn, Neighbours, Ranked, Recommender, Similarity, UserRows, seen_items};
pub use simulation::{Exchanged, Shared, Simulated, Workers, simulate};
pub use train::{
    Astray, Ended, EpochProgress, EpochReport, Outcome, RateSearchReport, Resolved, ResolvedReplicas, TriedRate, Watch, train,
    train_factorization, train_factorization_with, train_ffm, train_ffm_with, train_fm, train_fm_with, train_from, train_implicit,
    train_implicit_with, train_linear, train_linear_with, train_ovr, train_ovr_with, train_softmax, train_softmax_with,
};
pub use trainer::Trainer;
