//! Training: settings, the run of epochs (`trainer`), where examples come from (`feed`), their order, and the inner loop (`worker`).
mod feed;
mod order;
mod settings;
mod trainer;
mod worker;

use feed::{Feed, RatingFeed, SparseFeed};
use order::{Plan, Queue};
pub use settings::Settings;
pub use trainer::{Ended, EpochReport, Outcome, Progress, Watch, train_factorization, train_linear};
use worker::{Counters, Epoch, Tally};
