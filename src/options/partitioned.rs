//! What goes with workers that own parts of the parameters, and what does not.
use super::{RuleFacts, Settings, option::bad};
use crate::{Order, Parallel, Result};

/// Whether the settings go with `parallel` partitioned, or without it.
pub(super) fn check(s: &Settings, rule: &RuleFacts<'_>) -> Result<()> {
    if s.parallel != Parallel::Partitioned {
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
    if s.order == Order::Sequential {
        return bad("order", s.order.name(), "is of the file, and by `parallel` partitioned parts have an order of their own; use shuffle");
    }
    if s.parts.is_some_and(|parts| parts < s.threads) {
        return bad("parts", s.parts.unwrap_or(0), "is less than `threads`, and a part has one; use as many, or more");
    }
    Ok(())
}
