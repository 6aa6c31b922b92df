//! Trained models: named tensors with the user's ids, their files, and what scores say.
//!
//! A model is what its family keeps of the parameters: tensors of a name and a shape, whose rows belong to features, users or items. So the
//! file, an ensemble, the check that all is finite and `inspect` treat all families alike. What the numbers mean a family knows alone: see
//! [`family`](crate::family).
mod about;
mod check;
mod class_scores;
mod cut;
mod file;
pub(crate) mod inspect;
mod mean;
mod measures;
mod metrics;
mod ranking;
mod read;
mod schema;
mod score;
mod trained;

pub(crate) use about::About;
pub(crate) use check::{check_numbers, check_size};
pub use class_scores::{ClassCounts, ClassScores};
pub use cut::CutMetrics;
pub(crate) use file::IN_MEMORY;
pub use measures::{Measure, Reliability, ReliabilityBin};
pub use metrics::Metrics;
pub use ranking::{ByUser, CUTOFF, RankingMetrics, TopScores, Vectors, ranking_metrics};
pub use schema::{Schema, Size, TensorKind};
pub use score::Scored;
pub(crate) use trained::MOST_MEMBERS;
pub use trained::{Axis, Tensor, Tensors, TrainedModel};
