//! What of the data is trained on, and how it is read.
use super::{RuleFacts, Settings, Takes, option::bad};
use crate::{Normalize, Result, Window};

group! { $ "Use of the data";
    /// Keep this share of the examples out of training and evaluate on them.
    holdout: f64 = 0.0 => { value: "SHARE", must_be: "from 0 to 0.9; try 0.1", within: |s| (0.0..=0.9).contains(&s.holdout), }

    /// Scale features, of linear models: each by its largest absolute value or standard deviation (`l1` and `l2` are then of the weights of
    /// scaled features), or each row to length 1.
    normalize: Normalize = Normalize::Auto => { value: "HOW", takes: Takes::Rows, details: Some(normalizations), }

    /// How much of a packed file of rows is in memory at a time: auto (all that fits, else a part of the free memory), off (all), or a size
    /// such as 512M or 2G. Examples are then shuffled by groups; the log tells how many. By batches the order alone keeps to it.
    window: Window = Window::Auto => {
        value: "auto|off|SIZE",
        takes: Takes::Rows,
        must_be: "at least 4M; try auto",
        within: |s| !matches!(s.window, Window::Bytes(..Window::LEAST)),
    }
}

fn normalizations() -> String {
    "  \
  auto     max-abs where frequent features differ a hundredfold in size, are larger than 1e6 or smaller than 1e-6, or rows are shorter
           than a tenth; otherwise none
  none     as they are
  max-abs  each feature divided by its largest absolute value
  std      each feature divided by its standard deviation, zeros counted; not centred
  row      each row divided by its length
  online   each feature divided by its largest absolute value so far, without a pass over the data beforehand (but that of `lr` auto)

The model that is written takes features as they are in the file: its weights are scaled back (row: it says that rows are to be
divided). `lr`, `l1` and `l2` are of the weights of scaled features."
        .into()
}

fn check(s: &Settings, _rule: &RuleFacts<'_>) -> Result<()> {
    if s.normalize == Normalize::Online && s.sums_batches() {
        return bad("normalize", "online", "grows its scales from example to example; with `batch` use max-abs or std");
    }
    Ok(())
}
