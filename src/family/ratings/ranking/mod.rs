//! Ranking by implicit feedback: users' interactions with items, without ratings.
//!
//! `interactions` puts them in the order of a run and holds some out, `run` makes data and settings a run, `evaluate` holds a model's lists
//! of items against interactions that it was not trained on.
mod evaluate;
mod interactions;
mod run;

pub use evaluate::{Evaluated, evaluate_ranking};
pub(crate) use run::RankingRun;
