//! The example at hand: what a format gives of it goes to the chunk, once it is whole.

use std::ops::Range;

use super::{Examples, bad_weight, beyond, repeated};
use crate::kind::MISSING;
use crate::text::codes::Id;
use crate::text::collector::Observed;
use crate::text::crosses::Crosses;
use crate::text::recipe::Finding;
use crate::text::repeated::Repeated;
use crate::text::sink::{Refused, RowSink};
use crate::text::words::Word;

/// The example at hand.
pub(crate) struct Example<'a> {
    all: &'a mut Examples,
    /// Where its features begin.
    first: usize,
    /// Where what it observes begins.
    observed: usize,
    label: f32,
    weight: f32,
    /// The number of the column at hand, where it is crossed.
    crossed: Option<usize>,
    /// The last index.
    last: u64,
    ascending: bool,
}

impl<'a> Example<'a> {
    /// The next one of a chunk, with nothing of it given yet.
    #[inline(always)]
    pub(super) fn of(all: &'a mut Examples) -> Example<'a> {
        let (first, observed) = (all.whole.0, all.observed.len());
        Example { all, first, observed, label: MISSING, weight: 1.0, crossed: None, last: 0, ascending: true }
    }
}

impl Example<'_> {
    /// Has the next fault tell something of the recipe.
    #[cold]
    pub(crate) fn find(&mut self, finding: Finding) {
        self.all.find(finding);
    }

    /// A feature that is a column of numbers, whose name is looked up once a chunk.
    #[inline(always)]
    pub(crate) fn column(&mut self, place: usize, name: &[u8], value: f32) -> Result<(), Refused> {
        self.note(name, b"", value);
        let entry = match self.all.columns.get(place) {
            Some(&entry) if entry != u32::MAX => entry,
            _ => self.all.first_of_column(place, name),
        };
        self.all.put(entry, value, self.all.repeated)
    }

    /// A word of a column that no other feature of the example can be: nothing is looked for in it.
    #[inline(never)]
    pub(crate) fn word(&mut self, word: Word, front: &[u8], text: &[u8]) {
        let Examples { words, features, values, .. } = &mut *self.all;
        let entry = words.name(word, front, text, &mut features.names);
        features.push_name(entry);
        values.push(1.0);
    }

    /// Puts such a word by, which stands in the text of the chunk, until [all are looked up](Self::words).
    #[inline(always)]
    pub(crate) fn put_word_by(&mut self, word: Word, places: Range<usize>) {
        self.all.words.put_by(word, places);
    }

    /// Looks up the words that were put by. `front` gives what stands before the words of a column.
    #[inline(always)]
    pub(crate) fn words<'b>(&mut self, text: &[u8], front: impl Fn(usize) -> &'b [u8]) {
        let Examples { words, features, values, .. } = &mut *self.all;
        let (names, mut put) = features.split();
        words.look_up(text, front, names, |entry| {
            put(entry);
            values.push(1.0);
        });
    }

    /// A word whose name was [looked up](Examples::entries).
    #[cfg(feature = "arrow")]
    #[inline(always)]
    pub(crate) fn known<'b>(&mut self, entry: u32, front: &[u8], word: impl FnOnce() -> &'b [u8]) -> Result<(), Refused> {
        if self.crossed.is_some() {
            self.note(front, word(), 1.0);
        }
        self.all.put(entry, 1.0, self.all.repeated)
    }

    /// The same of words that no other feature of the example can be, `count` at most: nothing is looked for in it. Those that are `missing`
    /// are no features; which they are nobody can foresee, so there is no branch for it.
    #[cfg(feature = "arrow")]
    #[inline(always)]
    pub(crate) fn known_apart(&mut self, names: impl Iterator<Item = u32>, count: usize, missing: u32) {
        self.all.features.push_names(names, count, missing);
        self.all.values.resize(self.all.features.len(), 1.0);
    }

    /// What comes is of a column that is crossed, by its number among those; or of one that is not.
    #[inline(always)]
    pub(crate) fn of_crossed(&mut self, column: Option<usize>) {
        self.crossed = column;
    }

    #[inline(always)]
    fn note(&mut self, front: &[u8], back: &[u8], value: f32) {
        if let Some(column) = self.crossed {
            self.all.crossing.note(column, front, back, value);
        }
    }

    /// Adds what the features that were given are together.
    #[inline(never)]
    pub(crate) fn cross(&mut self, crosses: &Crosses) -> Result<(), Refused> {
        let (crossing, mut is_finite) = (std::mem::take(&mut self.all.crossing), true);
        let added = crossing.cross(crosses, |name, value| {
            is_finite &= value.is_finite();
            self.all.put_by([name, b""], value, Repeated::Add);
        });
        self.all.crossing = crossing; // its room is used again
        if is_finite { added } else { Err(beyond()) }
    }

    /// The classes of an example that has any number of them.
    pub(crate) fn classes(&mut self, classes: &[u32]) {
        self.all.classes.extend_from_slice(classes);
    }

    /// Notes a number of a column whose bins are yet to be found.
    pub(crate) fn observe(&mut self, observed: Observed) {
        self.all.observed.push(observed);
    }
}

#[cold]
fn not_numbered() -> Refused {
    Refused::new("fields of features are called by other than whole numbers below 2^32 - 1", "number the fields from 0")
}

impl RowSink for Example<'_> {
    #[inline(always)]
    fn label(&mut self, label: f32) {
        self.label = label;
    }

    fn weight(&mut self, weight: f32) -> Result<(), Refused> {
        if self.all.weightless {
            return Ok(());
        }
        if !weight.is_finite() || weight < 0.0 {
            return Err(bad_weight());
        }
        self.weight = weight;
        Ok(())
    }

    #[inline(always)]
    fn numbered(&mut self, index: u64, value: f32) -> Result<(), Refused> {
        if index <= self.last && self.all.features.len() > self.first {
            if index == self.last && self.all.repeated == Repeated::Error {
                return Err(repeated());
            }
            self.ascending = false;
        }
        self.last = index;
        self.all.features.push_number(index);
        self.all.values.push(value);
        Ok(())
    }

    #[inline(always)]
    fn in_field(&mut self, field: Id<'_>, id: Id<'_>, value: f32) -> Result<(), Refused> {
        match (field, id) {
            // The largest number stands for no field, which a field beyond it counts as: only models with fields go by them.
            (Id::Number(field), Id::Number(index)) => {
                self.all.fields.push(u32::try_from(field).unwrap_or(u32::MAX));
                self.numbered(index, value)
            }
            _ => Err(not_numbered()),
        }
    }

    #[inline(always)]
    fn named(&mut self, front: &[u8], back: &[u8], value: f32) -> Result<(), Refused> {
        self.note(front, back, value);
        self.all.put_by([front, back], value, self.all.repeated);
        Ok(())
    }

    #[inline(always)]
    fn in_bag(&mut self, front: &[u8], back: &[u8], value: f32) -> Result<(), Refused> {
        self.note(front, back, value);
        self.all.put_by([front, back], value, Repeated::Add);
        Ok(())
    }

    #[inline(always)]
    fn end(self) -> Result<(), Refused> {
        if self.weight == 0.0 {
            self.all.leave_out(self.observed);
            return Ok(());
        }
        if !self.all.pending.is_empty() {
            self.all.look_up()?;
        }
        if !self.ascending {
            self.all.settle()?;
        }
        if let Some(bits) = self.all.hash_bits {
            self.all.hash(bits)?;
        }
        self.all.keep(self.label, self.weight);
        Ok(())
    }
}
