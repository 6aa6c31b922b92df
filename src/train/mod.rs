//! Training: what becomes of what is asked for (`options`) (`linear`, `factorization`), the epochs (`run`, by the loops that `compiled` lists) and
//! what is told of them (`report`); which states are `kept` and when it is `stopping` early. What labels are learnt as (`targets`); the `race` of learning rates
//! by `rehearsal`s on a sample (of ratings: `sample`; of rows, who `judges`), and the `recovery` of runs that go astray. Where examples come from (`feed`), how
//! features are scaled (`scale`), their `order`, by difficulty too (`curriculum`), what of a file larger than memory is in it (`window`), which rows are private
//! (`hot`); the `threads`, and the inner loop (`worker`), or by `batch`es the `synchronous` way.
mod curriculum;
mod factorization;
mod hot;
mod judges;
mod kept;
mod linear;
mod race;
mod recovery;
mod rehearsal;
mod report;
mod run;
mod sample;
mod scale;
mod stopping;
mod tiles;
mod window;

pub use factorization::{train_factorization, train_factorization_with};
pub use linear::{train_linear, train_linear_with};
pub use report::{Astray, Ended, EpochReport, Outcome, Progress, RaceReport, Raced, Watch};
pub use window::{Window, WindowReport};

use crate::options::Settings;
