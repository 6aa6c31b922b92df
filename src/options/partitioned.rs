//! What goes with workers that own parts of the parameters, and what does not.
use super::{RuleFacts, Settings, option::bad};
use crate::{Batch, Normalize, Parallel, Result};

/// Examples of a batch, and batches in flight, where they are left open: with fewer, workers wait for one another, with many more, what was
/// scored has left the nearest cache before it steps.
const BATCH: usize = 16;
const IN_FLIGHT: usize = 2;
/// Examples in flight at most.
const MOST: usize = 1 << 20;

/// Whether the settings go with `parallel` partitioned, or without it.
pub(super) fn check(s: &Settings, rule: &RuleFacts<'_>) -> Result<()> {
    if s.parallel != Parallel::Partitioned {
        s.in_flight.map_or(Ok(()), |in_flight| bad("in_flight", in_flight, "is of `parallel` partitioned"))?;
        return s.parts.map_or(Ok(()), |parts| bad("parts", parts, "is of `parallel` partitioned"));
    }
    let refused = |problem| bad("parallel", s.parallel.name(), problem);
    if rule.learns {
        return refused("has workers that see parts of a gradient, and this `rule` tunes itself by whole ones; use `rule` adagrad");
    }
    if let Some(hot) = s.hot_rows.filter(|&hot| hot > 0) {
        return bad("hot_rows", hot, "are copies, and by `parallel` partitioned each row has one owner; leave it out");
    }
    if let Some(every) = s.exchange_every {
        return bad("exchange_every", every, "is of workers that have copies, and by `parallel` partitioned none has; leave it out");
    }
    if s.parts.is_some_and(|parts| parts < s.threads) {
        return bad("parts", s.parts.unwrap_or(0), "is less than `threads`, and a part has one; use as many, or more");
    }
    Ok(())
}

/// The same of linear models alone.
pub(crate) fn check_rows(s: &Settings) -> Result<()> {
    if s.parallel != Parallel::Partitioned {
        return Ok(());
    }
    let refused = |problem| bad("parallel", s.parallel.name(), problem);
    if s.transforms.clip_norm.is_some() {
        return refused("has workers that see parts of a gradient, and `clip_norm` goes by its length; use `clip_value`");
    }
    if s.normalize == Normalize::Online {
        return bad("normalize", "online", "grows its scales from example to example, and parts are scaled once; use max-abs or std");
    }
    if s.batch == Batch::Full || s.batch_growth != 1.0 {
        return refused("has batches of a number of examples in flight; give `batch` a number, and leave out `batch_growth`");
    }
    if s.flight().0.saturating_mul(s.flight().1) > MOST {
        return bad("in_flight", s.flight().1, format!("times `batch` is more than {MOST} examples; give less"));
    }
    Ok(())
}

/// Blocks of users, and of items, of so many ratings, where nothing is said: with fewer, more ratings of a user come in one go; a cell is to
/// have some.
pub(crate) fn rating_parts(ratings: usize) -> usize {
    const MOST: usize = 64;
    const CELL: usize = 2048;
    (ratings / CELL).isqrt().clamp(1, MOST)
}

impl Settings {
    /// Whether steps go by the mean gradients of batches.
    pub(crate) fn sums_batches(&self) -> bool {
        self.batch != Batch::One && self.parallel != Parallel::Partitioned
    }

    /// Parts of the parameters that each have a worker, of linear models; none where workers share.
    pub(crate) fn row_parts(&self) -> Option<usize> {
        (self.parallel == Parallel::Partitioned).then(|| self.parts.unwrap_or(self.threads.max(2)))
    }

    /// By parts: examples that are scored before they step, and how many times as many are in flight.
    pub(crate) fn flight(&self) -> (usize, usize) {
        match (self.batch, self.in_flight) {
            (Batch::Size(size), in_flight) => (size, in_flight.unwrap_or(IN_FLIGHT)),
            (_, Some(in_flight)) => (1, in_flight),
            (_, None) => (BATCH, IN_FLIGHT),
        }
    }
}
