//! Models of sparse rows: what they come down to (`weights`), how rows are scored (`score`), and how data and settings become a run (`run`): how features are scaled
//! (`scale`), which rows workers hold privately (`hot`), what of a file larger than memory is in it (`windows`), and which rows judge
//! learning rates (`judges`).
mod hot;
mod judges;
mod run;
mod scale;
mod score;
mod weights;
mod windows;

pub(crate) use run::RowsRun;
pub use score::LinearModel;
pub(crate) use score::Scorer;
