//! In what order examples are visited.
use super::{RuleFacts, Settings, option::bad};
use crate::{Order, Result};

group! { $ "Order of examples";
    /// In what order examples are visited: shuffled, as in the file, or easy ones first.
    order: Order = Order::Shuffle => { value: "ORDER", details: Some(orders), }

    /// With `order` curriculum: after what share of the run all examples are in use; at 1, in the last epoch.
    pace: Option<f32> = None => {
        value: "SHARE",
        by_default: ["0.5", "0.5"],
        must_be: "from 0 to 1; try 0.5",
        within: |s| s.order != Order::Curriculum || s.pace.is_none_or(|pace| (0.0..=1.0).contains(&pace)),
    }

    /// Order, start and held-out examples follow from it; one thread repeats to the bit.
    seed: u64 = 0 => { value: "NUMBER", must_be: "a whole number, 0 or more; try 1", }
}

impl Settings {
    /// The default of `pace`.
    pub(crate) const PACE: f32 = 0.5;
}

fn orders() -> String {
    "  \
  shuffle     shuffled anew each epoch
  sequential  as in the file; several threads take its blocks in turn
  curriculum  easy examples first: the first epoch has a fifth of them (of classes drawn by lot), the
              next ones those of least loss, more and more until `pace` of the run is done; then all. Shuffled within an epoch"
        .into()
}

fn check(s: &Settings, _rule: &RuleFacts<'_>) -> Result<()> {
    if s.order == Order::Curriculum && s.epochs == 1 {
        return bad("epochs", s.epochs, "must be at least 2 for `order` curriculum, which grows from epoch to epoch");
    }
    if let Some(pace) = s.pace.filter(|_| s.order != Order::Curriculum) {
        return bad("pace", pace, "is of `order` curriculum; give both");
    }
    Ok(())
}
