//! Ranking by implicit feedback: what stands against a user's items, and what of a user is held out.
use super::{RuleFacts, Settings, Takes, option::bad};
use crate::{HoldoutBy, Result};

group! { $ "Ranking by implicit feedback";
    /// Negatives that are drawn for each interaction: items that the user does not have.
    negatives: Option<usize> = None => {
        value: "N",
        by_default: ["", "1 by bpr (it takes no other), 30 by warp (at most), 64 by sampled-softmax, 16 by logistic-mf"],
        takes: Takes::Ranking,
        must_be: "from 1 to 4096; try 64",
        within: |s| s.negatives.is_none_or(|negatives| (1..=4096).contains(&negatives)),
    }

    /// How much more likely items are drawn that many users have: by the number of their interactions to this power. 0 draws all items
    /// alike.
    negative_power: f64 = 0.0 => {
        value: "POWER",
        takes: Takes::Ranking,
        must_be: "from 0 to 2; try 0.75",
        within: |s| (0.0..=2.0).contains(&s.negative_power),
    }

    /// What of the data `holdout` takes its share of.
    holdout_by: HoldoutBy = HoldoutBy::Random => { value: "HOW", takes: Takes::Ranking, details: Some(ways), }
}

fn ways() -> String {
    "  \
  random  of each user's interactions any, at least one of two or more
  last    of each user's interactions the last ones in the order of the data, at least one of two or more
  any     of all interactions any"
        .into()
}

fn check(s: &Settings, _rule: &RuleFacts<'_>) -> Result<()> {
    if s.holdout_by != HoldoutBy::default() && s.holdout == 0.0 {
        return bad("holdout_by", s.holdout_by.name(), "says what `holdout` takes its share of; give that too");
    }
    Ok(())
}
