//! What collects the parts of lines, and how that was asked for.

use std::ops::Range;

use crate::Kind;
use crate::text::OnBadRow;
use crate::text::recipe::Finding;
use crate::text::repeated::Repeated;

/// What the user asked for, of any format.
#[derive(Clone, Copy, Default)]
pub(crate) struct How {
    pub(crate) on_bad_row: OnBadRow,
    pub(crate) unlabelled: bool,
    pub(crate) repeated: Repeated,
    pub(crate) named: Named,
    /// Whether all classes that the recipe does not know are told, and not just more than there may be.
    pub(crate) every_class: bool,
    /// By how many bits features are hashed, if they are.
    pub(crate) hash_bits: Option<u32>,
}

/// Who named the format: what a message may advise depends on it.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Named {
    #[default]
    Nobody,
    User,
    Model,
}

/// A number that was seen in a column: the column's place in the recipe, and which class of numbers it is in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Observed {
    pub(crate) column: u32,
    pub(crate) class: u16,
}

/// Collects what the lines of a chunk give: examples or ratings.
pub(crate) trait Collector: Sized + Default {
    const KIND: Kind;

    fn clear(&mut self, how: &How);

    /// Leaves out what a line gave before it turned out bad.
    fn cut(&mut self);

    /// Keeps the place of a line that could not be read, for a prediction that is none.
    fn push_bad(&mut self);

    /// The labels, or ratings.
    fn targets(&self) -> &[f32];

    /// The first feature that stands in the place of a label.
    fn headless(&self) -> Option<Range<usize>>;

    /// What the last fault tells of the recipe, if the text is to be read again by another one.
    fn take_finding(&mut self) -> Option<Finding> {
        None
    }

    /// The numbers of columns whose bins are yet to be found.
    fn observed(&self) -> &[Observed] {
        &[]
    }

    /// How many examples of weight 0 were left out.
    fn left_out(&self) -> u64 {
        0
    }
}
