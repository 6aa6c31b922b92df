//! What labels are read as: numbers, or classes by name.
//!
//! A class is known by its text. As long as all labels are numbers, and each row has one, they are kept as numbers all the same: then the
//! packed file is the same for models of numbers and of classes. Otherwise the recipe has the names, a label is the place of its own
//! (of two classes -1 or +1, as models of two classes have it), and rows with any number of labels have a list each.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::bytes::{lines, words};
use crate::text::examples::Example;
use crate::text::fault::{Fault, fault};
use crate::text::number::long_number;
use crate::text::recipe::{Finding, MOST_CLASSES, Recipe, label_of};

/// What labels are read as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Labelling {
    /// Numbers, or words of two classes.
    #[default]
    Number,
    /// A class by name, one a row.
    Class,
    /// Any number of classes a row.
    Classes,
}

hogwild_base::named! { Labelling {
    Number "number" "Numbers, or words of two classes";
    Class "class" "One class a row, by any name";
    Classes "classes" "Any number of classes a row: `3,17`, or several `__label__x`";
} }

/// How many lines are looked at for their labels.
const SAMPLE: usize = 20_000;

/// What stands between the labels of a row.
const MARK: u8 = b',';

/// What a class is called: a number as numbers are shown, so that `+1` and `1.0` are `1`; anything else, and a number that 32 bits do not
/// hold, by its text.
pub(crate) fn name_of(text: &[u8]) -> Cow<'_, [u8]> {
    match number_of(text) {
        Some(number) => Cow::Owned(number.to_string().into_bytes()),
        None => Cow::Borrowed(text),
    }
}

/// A label that is a number and loses nothing as one of 32 bits.
pub(crate) fn number_of(text: &[u8]) -> Option<f32> {
    let number = long_number(text).ok()? + 0.0; // -0 is 0
    let exact: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (exact.fract() != 0.0 || exact == f64::from(number)).then_some(number)
}

/// The names in a list between commas.
pub(crate) fn names_of(text: &[u8]) -> Vec<&[u8]> {
    text.split(|&byte| byte == MARK).filter(|name| !name.is_empty()).collect()
}

/// Reads labels as classes.
pub(crate) struct ClassReader {
    several: bool,
    /// Whether rows may have several, or none.
    may_be_several: bool,
    /// Whether names are words, whatever they look like.
    are_words: bool,
    /// By name; none as long as all are numbers.
    places: HashMap<Vec<u8>, u32>,
}

/// What a label is.
pub(crate) enum Read {
    Label(f32),
    /// So many classes, which the example has been given.
    Set(usize),
}

impl ClassReader {
    pub(crate) fn new(labelling: Labelling, recipe: &Recipe) -> ClassReader {
        let places = (0..).zip(&recipe.classes).map(|(place, name)| (name.clone().into_bytes(), place)).collect();
        ClassReader { several: recipe.several, may_be_several: labelling == Labelling::Classes, are_words: false, places }
    }

    /// The same of words, which are called as they stand there.
    pub(crate) fn of_words(self) -> ClassReader {
        ClassReader { are_words: true, ..self }
    }

    /// What a class is called.
    fn name<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        if self.are_words { Cow::Borrowed(text) } else { name_of(text) }
    }

    /// Whether rows may have several classes, or none.
    pub(crate) fn may_be_several(&self) -> bool {
        self.may_be_several
    }

    /// The classes of a row by their names, which stand at these places.
    #[inline(never)]
    pub(crate) fn read(&self, names: &[&[u8]], places: Range<usize>, example: &mut Example<'_>) -> Result<Read, Fault> {
        if !self.several {
            return self.read_one(names, places, example).map(Read::Label);
        }
        let mut given: Vec<u32> = Vec::new();
        for &name in names {
            match self.places.get(&*self.name(name)) {
                // A set: one that stands there twice is in it once.
                Some(&class) => given.extend((!given.contains(&class)).then_some(class)),
                None => return self.unknown(name, places, example),
            }
        }
        example.classes(&given);
        Ok(Read::Set(given.len()))
    }

    fn read_one(&self, names: &[&[u8]], places: Range<usize>, example: &mut Example<'_>) -> Result<f32, Fault> {
        let &[text] = names else {
            if self.may_be_several {
                example.find(Finding::Several);
                return fault(places.start, places.end, "the row has not one label, and what comes through a pipe is read once", FILE);
            }
            const REMEDY: &str = "give each row one label, or use a model that takes several: `model` ovr";
            let problem = if names.is_empty() { "the label is missing" } else { "the row has several labels, and the model takes one" };
            return fault(places.start, places.end, problem, REMEDY);
        };
        if !self.places.is_empty() {
            let count = self.places.len();
            return match self.places.get(&*self.name(text)) {
                Some(&class) => Ok(label_of(class as usize, count)),
                None => self.unknown(text, places, example),
            };
        }
        match number_of(text).filter(|_| !self.are_words) {
            Some(label) => Ok(label),
            None => self.unknown(text, places, example),
        }
    }

    fn unknown<T>(&self, name: &[u8], places: Range<usize>, example: &mut Example<'_>) -> Result<T, Fault> {
        let name = self.name(name);
        let Ok(name) = std::str::from_utf8(&name) else {
            return fault(places.start, places.end, "the label is no UTF-8", "save the text as UTF-8");
        };
        example.find(Finding::Class(name.to_owned()));
        fault(places.start, places.end, "the label did not occur before, and what comes through a pipe is read once", FILE)
    }
}

const FILE: &str = "give a file in place of the pipe";

/// What the first lines of rows say of their labels, by what stands first in each: the classes, unless each is one number.
pub(crate) fn look(first_lines: &[u8], labelling: Labelling, recipe: Recipe) -> Recipe {
    let (mut found, mut are_words, mut several): (Vec<Finding>, bool, bool) =
        (Vec::new(), recipe.several || !recipe.classes.is_empty(), false);
    let mut seen = std::collections::HashSet::new();
    let whole = memchr::memrchr(b'\n', first_lines).map_or(first_lines, |end| first_lines.get(..end).unwrap_or(first_lines));
    for (_, line) in lines(whole).take(SAMPLE) {
        let Some(first) = words(line).next().filter(|first| !first.starts_with(b"#")) else { continue };
        if labelling == Labelling::Classes
            && (first.contains(&MARK) || first.contains(&b':') && line.first().is_some_and(u8::is_ascii_whitespace))
        {
            several = true;
        }
        if first.contains(&b':') {
            continue; // no label, or one with a weight, which is read in its turn
        }
        for name in names_of(first) {
            are_words |= number_of(name).is_none();
            let name = name_of(name);
            if seen.len() < MOST_CLASSES && seen.insert(name.to_vec()) {
                found.extend(std::str::from_utf8(&name).ok().map(|name| Finding::Class(name.to_owned())));
            }
        }
    }
    match (several, are_words) {
        (true, _) => recipe.amend(found.into_iter().chain([Finding::Several]).collect()),
        (false, true) => recipe.amend(found),
        (false, false) => recipe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    #[test]
    fn the_first_lines_say_whether_labels_are_names() {
        let of = |text: &str, labelling| {
            let recipe = look(text.as_bytes(), labelling, Recipe::of(Format::Svmlight));
            (recipe.classes.join(" "), recipe.several)
        };
        assert_eq!(of("1 3:1\n5 3:1\n", Labelling::Class), (String::new(), false));
        assert_eq!(of("dos 3:1\n5 3:1\n", Labelling::Class), ("5 dos".into(), false));
        assert_eq!(of("10 3:1\n9,2 3:1\n 3:1\n", Labelling::Classes), ("2 9 10".into(), true));
        assert_eq!(of("1 3:1\n 3:1\n", Labelling::Classes), ("1".into(), true));
        // A number is called one thing, however it is written; and none is lost by rounding.
        assert_eq!(of("+1 3:1\n1.0 3:1\nfoo 3:1\n", Labelling::Class), ("1 foo".into(), false));
        assert_eq!(of("16777216 3:1\n16777217 3:1\n", Labelling::Class), ("16777216 16777217".into(), false));
    }
}
