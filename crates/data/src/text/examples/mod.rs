//! The examples of a chunk, in flat arrays; a feature that stands twice in one is found, and refused, added up, or taken as it stands last.
//!
//! An example of weight 0 is left out before anything of it is counted. For predictions weights are not looked at.

mod example;
mod marks;

use std::ops::Range;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::Kind;
use crate::dictionary::DIRECT;
use crate::kind::BAD;
use crate::text::codes::{Codes, Meant};
use crate::text::collector::{Collector, How, Observed};
use crate::text::crosses::Crossing;
use crate::text::hashed::{hash_of_name, hash_of_number};
use crate::text::name::{Name, SHORT};
use crate::text::names::Names;
use crate::text::recipe::Finding;
use crate::text::repeated::Repeated;
use crate::text::sink::Refused;
use crate::text::words::Words;
use marks::Marks;

pub(crate) use example::Example;

/// Labelled sparse examples, used again for the next chunk.
#[derive(Default)]
pub(crate) struct Examples {
    pub(crate) labels: Vec<f32>,
    /// How much each counts; none while all count alike.
    pub(crate) weights: Vec<f32>,
    /// The classes of all examples that have any number of them; a label is then how many.
    pub(crate) classes: Vec<u32>,
    /// How many of these belong to whole examples.
    whole_classes: usize,
    /// How many features each has.
    pub(crate) lengths: Vec<u32>,
    pub(crate) features: Codes,
    /// The field of each, where the format says it by number.
    pub(crate) fields: Vec<u32>,
    /// Whether a feature stood in several fields of an example.
    pub(crate) several_fields: bool,
    pub(crate) values: Vec<f32>,
    /// Whether every value is 1.
    pub(crate) ones: bool,
    /// The first feature that stands in the place of a label.
    headless: Option<Range<usize>>,
    repeated: Repeated,
    /// Whether weights are not looked at.
    weightless: bool,
    /// How many examples of weight 0 were left out.
    left_out: u64,
    /// How many features, and how many of them with large numbers, belong to whole examples.
    whole: (usize, usize),
    /// What is to be told of the recipe with the fault that follows.
    finding: Option<Finding>,
    observed: Vec<Observed>,
    /// The names of columns that are features, by their places; `u32::MAX` where they did not occur yet.
    columns: Vec<u32>,
    /// What the words of columns are.
    words: Words,
    /// How many examples were begun in all chunks, whole or not.
    begun: u32,
    /// The names of the example at hand, which are looked up together.
    pending: Vec<Pending>,
    pending_text: Vec<u8>,
    /// Which names they seem to be.
    guesses: Vec<u32>,
    /// Room to sort the indices of one example, and what most need not be sorted by.
    sorted: Vec<u64>,
    marks: Marks,
    crossing: Crossing,
    /// By how many bits features are hashed, if they are; and room for those of one example.
    hash_bits: Option<u32>,
    hashed: Vec<(u32, f32)>,
}

/// A named feature that is put by.
struct Pending {
    hash: u64,
    start: usize,
    end: usize,
    value: f32,
    how: Repeated,
}

impl Examples {
    /// Begins an example. What it is given is left out by [`Collector::cut`], unless it is ended.
    #[inline(always)]
    pub(crate) fn begin(&mut self) -> Example<'_> {
        self.begun += 1;
        self.pending.clear();
        self.pending_text.clear();
        self.crossing.clear();
        self.words.begin_example();
        Example::of(self)
    }

    /// Passes over an example of weight 0 of which nothing was read.
    #[cold]
    pub(crate) fn pass_over(&mut self) {
        self.left_out += 1;
    }

    /// Notes a line without a label, by the feature in its place.
    #[cold]
    pub(crate) fn note_headless(&mut self, feature: Range<usize>) {
        self.headless.get_or_insert(feature);
    }

    /// Has the next fault tell something of the recipe.
    #[cold]
    pub(crate) fn find(&mut self, finding: Finding) {
        self.finding = Some(finding);
    }

    #[inline(always)]
    fn keep(&mut self, label: f32, weight: f32) {
        let first = self.whole.0;
        // Of other values this looks at one example a chunk. Without a branch for each.
        if self.ones {
            self.ones = self.values.iter().skip(first).fold(true, |all, value| all & (value.to_bits() == 1f32.to_bits()));
        }
        if weight != 1.0 || !self.weights.is_empty() {
            self.weights.resize(self.labels.len(), 1.0);
            self.weights.push(weight);
        }
        self.labels.push(label);
        self.lengths.push((self.features.len() - first) as u32);
        self.whole = (self.features.len(), self.features.others());
        self.whole_classes = self.classes.len();
    }

    /// Looks for an index twice in the last example, whose indices do not ascend, and does with it as is to be done.
    #[inline(never)]
    fn settle(&mut self) -> Result<(), Refused> {
        let (first, first_other) = self.whole;
        let codes = self.features.as_slice().get(first..).unwrap_or_default();
        // Numbers that are their own codes.
        if codes.iter().all(|&code| u64::from(code) < DIRECT) && self.marks.tell_apart(codes.iter().map(|&code| code.into())) {
            return Ok(());
        }
        let ids = || self.features.meant(first, first_other);
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.clear();
        // Names that stand twice are found as they come.
        sorted.extend(ids().filter_map(|id| if let Meant::Number(number) = id { Some(number) } else { None }));
        if self.marks.tell_apart(sorted.iter().copied()) {
            self.sorted = sorted;
            return Ok(());
        }
        sorted.sort_unstable();
        let is_twice = sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
        let ids: Vec<Meant> = if is_twice { ids().collect() } else { Vec::new() };
        self.sorted = sorted; // its room is used again
        if !is_twice {
            return Ok(());
        }
        let mut places = HashMap::with_hasher(foldhash::fast::FixedState::default());
        let mut sums: Vec<(Meant, f64)> = Vec::with_capacity(ids.len());
        let (fields, mut own_fields) = (self.fields.split_off(first.min(self.fields.len())), Vec::new());
        for (position, (&id, &value)) in ids.iter().zip(self.values.iter().skip(first)).enumerate() {
            match (places.entry(id), self.repeated) {
                (Entry::Vacant(place), _) => {
                    place.insert(sums.len());
                    sums.push((id, value.into()));
                    own_fields.extend(fields.get(position));
                }
                (Entry::Occupied(_), Repeated::Error) => return Err(Refused { feature: Some(position), ..repeated() }),
                (Entry::Occupied(place), how) => {
                    let Some((_, sum)) = sums.get_mut(*place.get()) else { continue };
                    self.several_fields |= own_fields.get(*place.get()) != fields.get(position);
                    *sum = if how == Repeated::Add { *sum + f64::from(value) } else { value.into() };
                }
            }
        }
        self.features.truncate(first, first_other);
        self.values.truncate(first);
        self.fields.extend(own_fields);
        for (id, sum) in sums {
            if !(sum as f32).is_finite() {
                return Err(beyond());
            }
            self.features.push_meant(id);
            self.values.push(sum as f32);
        }
        Ok(())
    }

    /// Puts hashes in the place of the last example's features. Values of those that fall together add up.
    #[inline(never)]
    fn hash(&mut self, bits: u32) -> Result<(), Refused> {
        let (first, first_other) = self.whole;
        let mut hashed = std::mem::take(&mut self.hashed);
        hashed.clear();
        let hash = |meant| match meant {
            Meant::Number(number) => hash_of_number(number, bits),
            Meant::Name(entry) => hash_of_name(self.features.names.name(entry), bits),
        };
        hashed.extend(self.features.meant(first, first_other).map(hash).zip(self.values.iter().skip(first).copied()));
        hashed.sort_by_key(|&(number, _)| number);
        self.features.truncate(first, first_other);
        self.values.truncate(first);
        let mut last = None;
        for &(number, value) in &hashed {
            match self.values.last_mut().filter(|_| last == Some(number)) {
                Some(sum) => *sum += value,
                None => {
                    self.features.push_number(number.into());
                    self.values.push(value);
                }
            }
            last = Some(number);
        }
        self.hashed = hashed; // its room is used again
        if self.values.iter().skip(first).all(|value| value.is_finite()) { Ok(()) } else { Err(beyond()) }
    }

    /// Puts a named feature by until the example ends.
    #[inline(always)]
    fn put_by(&mut self, [front, back]: [&[u8]; 2], value: f32, how: Repeated) {
        let start = self.pending_text.len();
        self.pending_text.extend_from_slice(front);
        self.pending_text.extend_from_slice(back);
        self.pending.push(Pending { hash: 0, start, end: self.pending_text.len(), value, how });
    }

    /// Looks up the names that were put by.
    fn look_up(&mut self) -> Result<(), Refused> {
        let (mut pending, mut text) = (std::mem::take(&mut self.pending), std::mem::take(&mut self.pending_text));
        let mut guesses = std::mem::take(&mut self.guesses);
        guess(&mut pending, &mut text, &self.features.names, &mut guesses);
        let put = |(&Pending { hash, start, end, value, how }, &guess): (&Pending, &u32)| {
            let entry = self.features.names.guessed(guess, Name::hashed(&text, start..end, hash));
            self.put(entry, value, how)
        };
        let found = pending.iter().zip(&guesses).try_for_each(put);
        (self.pending, self.pending_text, self.guesses) = (pending, text, guesses); // their room is used again
        found
    }

    /// Puts a name into the example at hand, or does with one that it has already as is to be done.
    #[inline(always)]
    fn put(&mut self, entry: u32, value: f32, how: Repeated) -> Result<(), Refused> {
        let place = self.features.len() as u32;
        let Some(place) = self.features.names.stands(entry, self.begun, place) else {
            self.features.push_name(entry);
            self.values.push(value);
            return Ok(());
        };
        let Some(held) = self.values.get_mut(place as usize) else { return Ok(()) };
        match how {
            Repeated::Error => return Err(repeated()),
            Repeated::Add => *held += value,
            Repeated::Last => *held = value,
        }
        if held.is_finite() { Ok(()) } else { Err(beyond()) }
    }

    /// Leaves out the example at hand, which counts for nothing.
    #[cold]
    fn leave_out(&mut self, observed: usize) {
        self.cut();
        self.observed.truncate(observed);
        self.left_out += 1;
    }

    /// How often all names were forgotten, which is between chunks.
    #[cfg(feature = "arrow")]
    pub(crate) fn forgotten(&self) -> u32 {
        self.features.names.forgotten
    }

    /// Brings the memory of names near that the next example has.
    #[cfg(feature = "arrow")]
    #[inline(always)]
    pub(crate) fn fetch(&self, entries: impl Iterator<Item = u32>) {
        self.features.names.fetch(entries);
    }

    /// Which names some words are, looked up together while no example is at hand. They keep these numbers until they are
    /// [forgotten](Self::forgotten).
    #[cfg(feature = "arrow")]
    pub(crate) fn entries<'a>(&mut self, front: &[u8], words: impl Iterator<Item = &'a [u8]>, mut each: impl FnMut(u32)) {
        self.pending.clear();
        self.pending_text.clear();
        words.for_each(|word| self.put_by([front, word], 1.0, Repeated::Add));
        let Examples { pending, pending_text, guesses, features, .. } = self;
        guess(pending, pending_text, &features.names, guesses);
        for (&Pending { hash, start, end, .. }, &guess) in pending.iter().zip(&*guesses) {
            each(features.names.guessed(guess, Name::hashed(pending_text, start..end, hash)));
        }
        pending.clear();
    }

    #[cold]
    fn first_of_column(&mut self, place: usize, name: &[u8]) -> u32 {
        if self.columns.len() <= place {
            self.columns.resize(place + 1, u32::MAX);
        }
        let entry = self.features.names.entry(name);
        self.columns[place] = entry;
        entry
    }
}

/// Hashes the names that were put by, and guesses which they are.
#[inline(always)]
fn guess(pending: &mut [Pending], text: &mut Vec<u8>, names: &Names, guesses: &mut Vec<u32>) {
    text.extend([0; SHORT]); // so that the last name is taken as the others are
    pending.iter_mut().for_each(|pending| pending.hash = Name::within(text, pending.start..pending.end).hash());
    names.guess(pending.iter().map(|pending| pending.hash), guesses);
}

#[cold]
fn repeated() -> Refused {
    const REMEDY: &str = "give each feature once a row, or say what to do by `repeated` add or `repeated` last";
    Refused::new("the index is repeated in this row", REMEDY)
}

#[cold]
fn bad_weight() -> Refused {
    Refused::new("the weight of the example is below 0, or not finite", "give a weight from 0 up; one of 0 leaves the example out")
}

#[cold]
fn beyond() -> Refused {
    Refused::new("values of a repeated index add up beyond 32-bit floats", "scale the values below 3.4e38")
}

impl Collector for Examples {
    const KIND: Kind = Kind::Sparse;

    fn clear(&mut self, how: &How) {
        self.labels.clear();
        self.classes.clear();
        self.whole_classes = 0;
        self.weights.clear();
        self.lengths.clear();
        self.features.clear();
        self.fields.clear();
        self.several_fields = false;
        self.values.clear();
        self.finding = None;
        self.observed.clear();
        self.columns.clear();
        self.words.begin(&self.features.names);
        (self.ones, self.headless, self.repeated, self.whole) = (true, None, how.repeated, (0, 0));
        (self.weightless, self.left_out, self.hash_bits) = (how.unlabelled, 0, how.hash_bits);
        if self.begun > u32::MAX / 2 {
            self.features.names.forget_examples();
            self.begun = 0;
        }
    }

    fn cut(&mut self) {
        let (features, others) = self.whole;
        self.features.truncate(features, others);
        self.values.truncate(features);
        self.fields.truncate(features);
        self.classes.truncate(self.whole_classes);
    }

    fn push_bad(&mut self) {
        self.keep(BAD, 1.0);
    }

    fn targets(&self) -> &[f32] {
        &self.labels
    }

    fn headless(&self) -> Option<Range<usize>> {
        self.headless.clone()
    }

    fn take_finding(&mut self) -> Option<Finding> {
        self.finding.take()
    }

    fn observed(&self) -> &[Observed] {
        &self.observed
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}
