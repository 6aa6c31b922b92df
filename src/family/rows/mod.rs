//! Models of sparse rows: what sets their families apart (`kernel`), their factors before training (`start`) and what they come down to
//! (`weights`), and the fields of features (`fields`); how rows are scored (`score`, cell by cell in `cells`), or a matrix where it
//! lies (`matrix`), what scores are made of (`terms`), how data and settings become a run (`run`), and a model that learns batch by
//! batch (`online`). Parts of that are how features are scaled
//! (`scale`), which rows workers hold privately (`hot`), what of a file larger than memory is in it (`windows`), and which rows judge learning
//! rates (`judges`).
mod cells;
mod fields;
mod hot;
mod judges;
mod kernel;
mod matrix;
mod online;
mod outputs;
mod run;
mod scale;
mod score;
#[cfg(test)]
mod score_tests;
mod start;
mod terms;
mod weights;
mod windows;

pub use matrix::{FieldMatrixScorer, MatrixScorer};
pub use online::{OnlineModel, OnlineState};
pub(crate) use run::RowsRun;
pub use score::LinearModel;
pub(crate) use score::Scorer;
pub(crate) use terms::explain;
