//! Where a format puts what it reads: the parts of an example, or a rating.
//!
//! What a sink does not keep it refuses by name, so that no part of a line is dropped without a word.

use std::ops::Range;

use crate::text::codes::Id;
use crate::text::fault::Fault;

/// What a sink does not take, and what to do.
#[derive(Debug, PartialEq)]
pub(crate) struct Refused {
    pub(crate) problem: &'static str,
    pub(crate) remedy: &'static str,
    /// Which feature of the example it is about, from 0, where that is not the part just given.
    pub(crate) feature: Option<usize>,
}

impl Refused {
    #[cold]
    pub(crate) fn new(problem: &'static str, remedy: &'static str) -> Refused {
        Refused { problem, remedy, feature: None }
    }

    /// The fault of this part of the text.
    #[cold]
    pub(crate) fn at(self, places: Range<usize>) -> Fault {
        Fault { start: places.start, end: places.end, problem: self.problem, remedy: self.remedy }
    }
}

/// Takes the parts of one example. It belongs to the chunk once `end` has said so.
pub(crate) trait RowSink: Sized {
    /// The label; none given is [`MISSING`](crate::kind::MISSING).
    fn label(&mut self, label: f32);

    /// How much the example counts; 1 where it is not said.
    fn weight(&mut self, weight: f32) -> Result<(), Refused>;

    /// A feature, in its field where the format has fields.
    #[inline(always)]
    fn feature(&mut self, field: Option<Id<'_>>, id: Id<'_>, value: f32) -> Result<(), Refused> {
        match (field, id) {
            (None, Id::Number(index)) => self.numbered(index, value),
            (None, Id::Name(name)) => self.named(b"", name, value),
            (Some(field), id) => self.in_field(field, id, value),
        }
    }

    /// A feature that is called by a number.
    fn numbered(&mut self, index: u64, value: f32) -> Result<(), Refused>;

    /// A feature that is called by a name, which is given in two parts.
    fn named(&mut self, front: &[u8], back: &[u8], value: f32) -> Result<(), Refused>;

    /// The same of a bag, such as the words of a text: where one stands there twice, its values add up.
    fn in_bag(&mut self, front: &[u8], back: &[u8], value: f32) -> Result<(), Refused>;

    /// A feature in a field: both are called by numbers.
    fn in_field(&mut self, field: Id<'_>, id: Id<'_>, value: f32) -> Result<(), Refused>;

    /// The example is whole.
    fn end(self) -> Result<(), Refused>;
}

/// Takes ratings.
pub(crate) trait RatingSink {
    /// A rating of an item by a user; one that is not given is [`MISSING`](crate::kind::MISSING).
    fn rating(&mut self, user: Id<'_>, item: Id<'_>, rating: f32);

    /// The same of one that counts so much, above 0.
    fn weighted_rating(&mut self, user: Id<'_>, item: Id<'_>, rating: f32, weight: f32);

    /// Passes over a rating of weight 0.
    fn leave_out(&mut self);
}
