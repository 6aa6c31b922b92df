//! Which column is the label, and what its cells mean: numbers as they are, words as classes.

use foldhash::fast::FixedState;
use hashbrown::HashSet;

use crate::text::labelling::number_of;
use crate::text::number::Why;
use crate::text::recipe::{Finding, MOST_CLASSES, Recipe, is_missing, label_of};

/// What the column of the label is usually called, in the order in which it is looked for.
pub(crate) const USUAL: [&str; 8] = ["label", "target", "y", "click", "clicked", "class", "outcome", "is_click"];

/// The usual names, for messages.
pub(crate) const NAMES: &str = "label, target, y, click, clicked, class, outcome or is_click";

/// The place of the label among names: that of the one that was named, or of the first usual name.
pub(crate) fn find<'a>(names: impl Iterator<Item = &'a str> + Clone, named: Option<&str>) -> Option<usize> {
    let place = |wanted: &str| {
        names.clone().position(|name| name == wanted).or_else(|| names.clone().position(|name| name.eq_ignore_ascii_case(wanted)))
    };
    match named {
        Some(named) => place(named),
        None => USUAL.into_iter().find_map(place),
    }
}

/// The labels of some rows.
pub(crate) struct Classes {
    seen: HashSet<String, FixedState>,
    are_words: bool,
    /// How many classes there may be.
    most: usize,
}

impl Classes {
    /// Of two classes, or where labels are classes by name of any number.
    pub(crate) fn new(any: bool) -> Classes {
        Classes { seen: HashSet::default(), are_words: false, most: if any { MOST_CLASSES } else { 2 } }
    }

    /// Sees a label; `number`: how its text is read as a number.
    pub(crate) fn see(&mut self, cell: &[u8], number: impl Fn(&[u8]) -> Result<f32, Why>) {
        let Ok(text) = std::str::from_utf8(cell) else { return }; // the row is refused when it is read
        if self.seen.len() <= self.most && !is_missing(cell) && !self.seen.contains(text) {
            // Of any number of classes one that loses something as a number is a name.
            self.are_words |= matches!(number(cell), Err(Why::NoNumber)) || self.most > 2 && number_of(cell).is_none();
            self.seen.insert(text.to_owned());
        }
    }

    /// Those of two classes, if they are words, in their order. Of more than two the row of the third is told when it is read.
    pub(crate) fn words(self) -> Vec<String> {
        if !self.are_words || self.seen.len() > self.most {
            return Vec::new();
        }
        let mut words: Vec<String> = self.seen.into_iter().collect();
        words.sort();
        words
    }
}

/// What is wrong with a label, and what to do.
pub(crate) struct Wrong {
    pub(crate) problem: &'static str,
    pub(crate) remedy: &'static str,
    /// What the recipe would say if it were right.
    pub(crate) finding: Option<Finding>,
}

/// What stands for a class, by its place in their order: of two -1 or +1.
pub(crate) fn of_class(class: &[u8], classes: &[String]) -> Option<f32> {
    let place = match classes {
        [_, _, _, ..] => classes.binary_search_by(|known| known.as_bytes().cmp(class)).ok()?,
        few => few.iter().position(|known| known.as_bytes() == class)?,
    };
    Some(label_of(place, classes.len()))
}

/// The label that a cell says, `number` being the cell as a number; with `any` number of classes by name; where the recipe is not fixed, a word that is no class yet is told as a
/// finding.
#[inline(never)]
pub(crate) fn value(cell: &[u8], number: Result<f32, Why>, recipe: &Recipe, (is_fixed, any): (bool, bool)) -> Result<f32, Wrong> {
    const REMEDY: &str = "labels are +1, -1, 0, 1, any real number, or two words; `predict` takes rows without labels";
    let wrong = |problem, remedy| Err(Wrong { problem, remedy, finding: None });
    if let Some(label) = of_class(cell, &recipe.classes) {
        return Ok(label);
    }
    let is_name = any && number.is_ok() && number_of(cell).is_none();
    match if is_name { Err(Why::NoNumber) } else { number } {
        Ok(label) if recipe.classes.is_empty() => Ok(label),
        Err(Why::Nan) => wrong("the label is NaN", "give a finite number or leave the row out"),
        Err(Why::Infinite) => wrong("the label is infinite", "give a finite number or leave the row out"),
        Err(Why::Range) => wrong("the label is out of the range of 32-bit floats", "scale the labels below 3.4e38"),
        _ if cell.is_empty() => {
            wrong("the label is missing", "give each row its label, or leave the row out; `predict` takes rows without")
        }
        _ if is_fixed && recipe.classes.is_empty() => wrong("the label is no number", REMEDY),
        _ if is_fixed => wrong("the label is none of the two words that the model was trained on", "see `inspect` for these two words"),
        _ if std::str::from_utf8(cell).is_err() => wrong("the label is a word that is no UTF-8", "save the text as UTF-8"),
        _ => Err(Wrong {
            problem: "the label is a word that did not occur before, and what comes through a pipe is read once",
            remedy: "give a file in place of the pipe, or labels that are numbers",
            finding: Some(Finding::Class(String::from_utf8_lossy(cell).into_owned())),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;
    use crate::text::number::long_number;

    #[test]
    fn labels_are_found_by_their_usual_names() {
        let of = |names: &str, named| find(names.split(','), named);
        assert_eq!((of("a,Label,y", None), of("a,b,y", None), of("a,b", None)), (Some(1), Some(2), None));
        assert_eq!((of("a,Label,y", Some("a")), of("a,A", Some("A")), of("a", Some("b"))), (Some(0), Some(1), None));
        assert!(USUAL.iter().all(|name| NAMES.contains(name)));
    }

    #[test]
    fn labels_of_the_first_rows_are_classes_if_they_are_two_words() {
        for (labels, classes) in [
            (&["yes", "no", "", "yes"][..], &["no", "yes"][..]),
            (&["1", "x"], &["1", "x"]),
            (&["yes"], &["yes"]),
            (&["a", "b", "c"], &[]),
            (&["1", "0", "2", "3", "x"], &[]),
            (&["1", "0"], &[]),
        ] {
            let mut found = Classes::new(false);
            labels.iter().for_each(|label| found.see(label.as_bytes(), long_number));
            assert_eq!(found.words(), classes, "{labels:?}");
        }
    }

    #[test]
    fn words_are_classes_in_their_order() {
        let classes = |classes: &[&str]| Recipe { classes: classes.iter().map(|c| c.to_string()).collect(), ..Recipe::of(Format::ALL[0]) };
        let of = |cell: &str, recipe: &Recipe, fixed| {
            value(cell.as_bytes(), long_number(cell.as_bytes()), recipe, (fixed, false)).map_err(|wrong| (wrong.problem, wrong.finding))
        };
        let (none, two) = (classes(&[]), classes(&["no", "yes"]));
        assert_eq!((of("0.5", &none, false), of("no", &two, true), of("yes", &two, false)), (Ok(0.5), Ok(-1.0), Ok(1.0)));
        assert_eq!(of("yes", &classes(&["yes"]), false), Ok(1.0));
        assert_eq!(of("yes", &none, false).unwrap_err().1, Some(Finding::Class("yes".into())));
        assert_eq!(of("1", &two, false).unwrap_err().1, Some(Finding::Class("1".into())));
        for (cell, recipe, says) in
            [("x", &none, "no number"), ("x", &two, "two words"), ("", &none, "missing"), ("inf", &none, "infinite")]
        {
            let (problem, finding) = of(cell, recipe, true).unwrap_err();
            assert!(problem.contains(says) && finding.is_none(), "{cell}: {problem}");
        }
    }
}
