//! Parameter servers, of Downpour SGD: how many there are, how often replicas push and fetch, and who begins.
use super::{RuleFacts, Settings, option::bad};
use crate::{Parallel, Result};

/// The most servers that may be asked for.
pub(crate) const MOST_SERVERS: usize = 1024;

group! { $ "Parameter servers";
    /// Over how many servers the parameters are spread. Pushes to different servers go on side by side.
    servers: Option<usize> = None => {
        value: "S",
        by_default: [
            "one for each 64 kB of the model, at most one for each 1,024 features, at most 1024; at least one for each thread",
            "one for each 64 kB of the model, at most one for each 1,024 rows, at most 1024; at least one for each thread",
        ],
        needs: Some("parallel"),
        must_be: "from 1 to 1024",
        within: |s| s.servers.is_none_or(|servers| (1..=MOST_SERVERS).contains(&servers)),
    }

    /// Examples between two pushes of a replica: its sums of gradients go to the servers.
    push_every: Option<u32> = None => {
        value: "N",
        by_default: [
            "as `exchange_every`; but more than two replicas see at most an eighth of the data together",
            "as `exchange_every`; but more than two replicas see at most an eighth of the data together",
        ],
        needs: Some("parallel"),
        must_be: "at least 1; try 256",
        within: |s| s.push_every != Some(0),
    }

    /// Examples between two fetches of a replica: it takes over what has changed at the servers.
    fetch_every: Option<u32> = None => {
        value: "N",
        by_default: ["as `push_every`", "as `push_every`"],
        needs: Some("parallel"),
        must_be: "at least 1; try 256",
        within: |s| s.fetch_every != Some(0),
    }

    /// Examples that the first replica trains alone, before the others begin.
    warm_start_examples: u64 = 0 => {
        value: "N",
        needs: Some("parallel"),
        must_be: "a whole number, 0 or more; try 1000",
    }
}

fn check(s: &Settings, rule: &RuleFacts<'_>) -> Result<()> {
    if s.parallel == Parallel::Downpour {
        if rule.learns {
            let problem = "has servers that see sums of gradients, and this `rule` learns from each one; use `rule` adagrad";
            return bad("parallel", s.parallel.name(), problem);
        }
        if let (Some(every), Some(_), Some(_)) = (s.exchange_every, s.push_every, s.fetch_every) {
            return bad("exchange_every", every, "is what `push_every` and `fetch_every` are where not given, and both are; leave it out");
        }
        if s.transforms.l1 > 0.0 {
            let problem = "follows each step of one example, and servers step by many; leave it out, or use `parallel` mean";
            return bad("l1", s.transforms.l1, problem);
        }
        return Ok(());
    }
    let given = [
        ("servers", s.servers.map(|n| n.to_string())),
        ("push_every", s.push_every.map(|n| n.to_string())),
        ("fetch_every", s.fetch_every.map(|n| n.to_string())),
        ("warm_start_examples", (s.warm_start_examples > 0).then(|| s.warm_start_examples.to_string())),
    ];
    match given.into_iter().find_map(|(name, value)| Some((name, value?))) {
        Some((name, value)) => bad(name, value, "is of `parallel` downpour"),
        None => Ok(()),
    }
}
