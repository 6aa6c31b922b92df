//! Factor models on ratings: how ratings are scored (`score`), what scores are made of (`terms`), and how data and settings become a run
//! (`run`): the order in which ratings lie (`tiles`; in `cells`, for workers that share no row; in `groups`, for loops that have four in
//! flight), their `weights`, and those on which learning rates are tried (`sample`). `ranking` is of interactions without ratings.
mod cells;
mod groups;
mod parts;
mod ranking;
mod run;
mod sample;
mod score;
mod terms;
mod tiles;
mod weights;

pub(crate) use ranking::RankingRun;
pub use ranking::{Evaluated, evaluate_ranking};
pub(crate) use run::RatingsRun;
pub use score::{FactorModel, Factors};
pub(crate) use terms::explain;
