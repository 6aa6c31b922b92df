//! Crosses: what features of several columns are together, as a feature of its own. `city=Rome` and `device=phone` are crossed to
//! `city=Rome^device=phone`; values are multiplied.
//!
//! While a line is read, the features of crossed columns are noted. When it is whole, each combination of one feature a column is added; of a
//! column that is crossed with itself, each pair of different ones.

use std::ops::Range;

use crate::text::recipe::Recipe;
use crate::text::sink::Refused;

/// The most crosses of an example.
const MOST: usize = 1 << 16;

/// Which columns are crossed, by their numbers among those that are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crosses {
    columns: Vec<String>,
    sets: Vec<Vec<usize>>,
}

impl Crosses {
    pub(crate) fn of(recipe: &Recipe) -> Crosses {
        let mut crosses = Crosses::default();
        for names in &recipe.crosses {
            let set = names.iter().map(|name| {
                crosses.number(name).unwrap_or_else(|| {
                    crosses.columns.push(name.clone());
                    crosses.columns.len() - 1
                })
            });
            let mut set: Vec<usize> = set.collect();
            set.sort_unstable(); // the same columns are next to each other
            crosses.sets.push(set);
        }
        crosses
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// The number of a column, if it is crossed.
    pub(crate) fn number(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known == column)
    }
}

/// A feature that takes part: the number of its column, its name, its value.
struct Part {
    column: usize,
    name: Range<usize>,
    value: f32,
}

/// The features of an example that are crossed, used again for the next one.
#[derive(Default)]
pub(crate) struct Crossing {
    parts: Vec<Part>,
    text: Vec<u8>,
}

impl Crossing {
    pub(crate) fn clear(&mut self) {
        self.parts.clear();
        self.text.clear();
    }

    /// Notes a feature of a column; its name is given in two parts.
    #[inline(never)]
    pub(crate) fn note(&mut self, column: usize, front: &[u8], back: &[u8], value: f32) {
        let start = self.text.len();
        self.text.extend_from_slice(front);
        self.text.extend_from_slice(back);
        self.parts.push(Part { column, name: start..self.text.len(), value });
    }

    /// Hands all crosses over, each with its name and value.
    pub(crate) fn cross(&self, crosses: &Crosses, mut each: impl FnMut(&[u8], f32)) -> Result<(), Refused> {
        let (mut name, mut chosen, mut count) = (Vec::new(), Vec::new(), 0);
        for set in &crosses.sets {
            chosen.clear();
            let mut next = 0;
            // Combinations in their order: a choice a column, the last of which moves on first.
            loop {
                let column = set.get(chosen.len()).copied();
                let found = (next..self.parts.len()).find(|&i| self.parts.get(i).is_some_and(|part| Some(part.column) == column));
                match found {
                    Some(part) if chosen.len() + 1 == set.len() => {
                        count += 1;
                        if count > MOST {
                            return Err(too_many());
                        }
                        self.name(chosen.iter().copied().chain([part]), &mut name);
                        let value =
                            chosen.iter().copied().chain([part]).map(|i| self.parts.get(i).map_or(1.0, |part| part.value)).product();
                        each(&name, value);
                        next = part + 1;
                    }
                    Some(part) => {
                        let is_same = set.get(chosen.len() + 1) == set.get(chosen.len());
                        chosen.push(part);
                        next = if is_same { part + 1 } else { 0 };
                    }
                    None => match chosen.pop() {
                        Some(before) => next = before + 1,
                        None => break,
                    },
                }
            }
        }
        Ok(())
    }

    fn name(&self, parts: impl Iterator<Item = usize>, name: &mut Vec<u8>) {
        name.clear();
        for part in parts.filter_map(|i| self.parts.get(i)) {
            if !name.is_empty() {
                name.push(b'^');
            }
            name.extend_from_slice(self.text.get(part.name.clone()).unwrap_or_default());
        }
    }
}

#[cold]
fn too_many() -> Refused {
    Refused::new("crosses of this example are more than 65536", "cross fewer columns, or columns with shorter lists")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    #[test]
    fn each_combination_is_there_once() {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let crosses = vec![names(&["a", "b"]), names(&["b", "b"]), names(&["c", "a", "b"]), names(&["b", "b", "b"])];
        let crosses = Crosses::of(&Recipe { crosses, ..Recipe::of(Format::ALL[0]) });
        let number = |name| crosses.number(name).unwrap();
        let mut crossing = Crossing::default();
        crossing.note(number("b"), b"b=", b"1", 1.0);
        crossing.note(number("a"), b"a", b"", 2.0);
        crossing.note(number("b"), b"b=", b"2", 3.0);
        crossing.note(number("b"), b"b=", b"3", 5.0);
        let mut found = Vec::new();
        assert!(crossing.cross(&crosses, |name, value| found.push((String::from_utf8(name.to_vec()).unwrap(), value))).is_ok());
        let expected = [
            ("a^b=1", 2.0),
            ("a^b=2", 6.0),
            ("a^b=3", 10.0),
            ("b=1^b=2", 3.0),
            ("b=1^b=3", 5.0),
            ("b=2^b=3", 15.0),
            // None of a, b and c: there is no c.
            ("b=1^b=2^b=3", 15.0),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)));
        // As many as a long list has pairs.
        crossing.clear();
        (0..400).for_each(|i: u32| crossing.note(number("b"), b"b=", &i.to_le_bytes(), 1.0));
        assert!(crossing.cross(&crosses, |_, _| ()).is_err());
    }
}
