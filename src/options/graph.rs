//! Graph cuts: what is known of a graph.
use super::{RuleFacts, Settings, Takes};
use crate::Result;

group! { $ "Graph cuts";
    /// The nodes whose labels are known: a file with one a line, perhaps with the name of its label behind it. A cut cannot do without.
    terminals: Option<std::path::PathBuf> = None => {
        value: "FILE",
        takes: Takes::Cut,
        must_be: "a file with a node a line",
    }
}

fn check(_settings: &Settings, _rule: &RuleFacts<'_>) -> Result<()> {
    Ok(())
}
