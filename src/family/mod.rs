//! Families of models: what each needs beyond its kernel, which runs once an example.
//!
//! A [`Family`](traits::Family) says which data it takes, what tensors a model keeps, how it scores, and how data and settings become a
//! [`Prepared`](prepared::Prepared) run. [`FAMILIES`](list::FAMILIES) is the one list of them: names for `--model` and for the files'
//! `kind`, scoring, what text is expected, default settings and `inspect` follow from it.
mod batch;
mod cut;
mod data;
mod explained;
mod factorization;
mod ffm;
mod fm;
mod folds;
mod implicit;
mod linear;
mod list;
mod multiclass;
pub(crate) mod prepared;
mod ratings;
mod rows;
mod trained;
mod traits;

pub use batch::BatchScorer;
pub use cut::CutModel;
pub use data::AnyData;
pub(crate) use data::DataSet;
pub use explained::{Explain, Explained, Term};
pub(crate) use factorization::Factorization;
pub(crate) use ffm::FieldAware;
pub(crate) use fm::FactorizationMachine;
pub(crate) use folds::Fold;
pub(crate) use implicit::{Bpr, LogisticMf, SampledSoftmax, Warp, ranking_settings};
pub(crate) use linear::Linear;
pub use list::{FAMILIES, family, family_for};
pub(crate) use multiclass::{OneVsRest, Softmax};
pub use prepared::WindowReport;
pub use ratings::{Evaluated, FactorModel, Factors, evaluate_ranking};
pub use rows::{FieldMatrixScorer, LinearModel, MatrixScorer, OnlineModel, OnlineState};
pub use traits::AnyFamily;
pub(crate) use traits::{Family, workers};
