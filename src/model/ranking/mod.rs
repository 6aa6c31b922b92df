//! Ranking: the best items for users, and how good such lists are.
//!
//! Pure functions over numbers: factors of users and items, biases of items, who has what (`by_user`). `top` finds the best items of many
//! users in blocks, `metrics` holds the lists against items that were held out. Ids, files and families are other folders' matters.
mod by_user;
mod metrics;
mod top;

pub use by_user::ByUser;
pub use metrics::{CUTOFF, RankingMetrics, Vectors, ranking_metrics};
pub use top::TopScores;
