//! Implicit feedback: who took what. Either a pair a line, `user item [count]`, or a user a line with all items, `user item item item ...`.
//!
//! Lines of two fields say the same in both shapes. Lines of more than three are lists; where a user has several lines of up to three, they
//! are pairs. Lines of three fields that leave a doubt are refused, for counts and items look alike: a heading then says which.
//! An item that is taken has the value 1, or its count; where that is asked for, it counts so much, too.

use std::collections::HashSet;

use crate::bytes::{blank, line_end, lines, part};
use crate::text::codes::Id;
use crate::text::fault::{Bad, Fault, fault};
use crate::text::fields::{Field, Quote, Separator, Shape, fields};
use crate::text::number::long_number;
use crate::text::pair::is_pair;
use crate::text::parse::Start;
use crate::text::rated::Rated;
use crate::text::sink::RatingSink;
use crate::text::{Asked, Begun, TextFormat, odd};

/// How many lines are looked at.
const SAMPLE: usize = 400;
const HEADING: &str = "put a heading before the first line: `user item count` for pairs, or `user items` for lists";
const PAIR: &str = "write each interaction as `user item`, or `user item count` with a count above 0";

/// How lines are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Shaped {
    /// `user item [count]`.
    #[default]
    Pairs,
    /// `user item item item ...`.
    Lists,
}

/// Implicit feedback.
#[derive(Default)]
pub(crate) struct Interactions {
    separator: Separator,
    shape: Shaped,
    /// Whether pairs have counts.
    counted: bool,
    /// Whether these are their weights.
    weighted: bool,
}

impl TextFormat for Interactions {
    const NAME: &'static str = "interactions";
    const LOOKS: &'static str = "`user item [count]`, or `user item item item ...`: implicit feedback, told apart by the first lines";
    type Collector = Rated;

    /// It is read where it is asked for: its lines may as well be ratings.
    fn recognises(_line: &[u8]) -> bool {
        false
    }

    fn begin(first_lines: &[u8], asked: Asked<'_>) -> Result<Begun<Interactions>, Bad> {
        let weight = asked.prepare.and_then(|prepare| prepare.weight.as_deref());
        // For predictions weights are not looked at.
        let weight = weight.filter(|_| !asked.unlabelled);
        let weighted = weight.is_some();
        if asked.is_matrix && weight.is_none_or(|name| matches!(name, "count" | "3")) {
            let format = Interactions { separator: Separator::Tab, shape: Shaped::Pairs, counted: true, weighted };
            return Ok(Begun::all(format));
        }
        let sample: Vec<(u64, usize)> = sample(first_lines);
        let Some(&(number, at)) = sample.first() else {
            return Ok(Begun { start: Start { at: first_lines.len(), lines: 0 }, ..Begun::default() });
        };
        let separator = separator(first_lines, &sample);
        let end = line_end(first_lines, at);
        let bad = |problem: &str, remedy| Err(Bad::of(first_lines, number, at, at..end.min(first_lines.len()), problem.to_owned(), remedy));
        let all = |at: usize| fields(first_lines, at, separator).map(move |field| field.raw(first_lines));
        if all(at).count() > 1 && all(at).skip(1).all(is_pair) {
            return bad("these look like svmlight rows (`label index:value ...`)", "give `format` svmlight, and a model of rows");
        }
        let names: Vec<&[u8]> = all(at).collect();
        let (shape, is_heading) = match heading(&names) {
            Heading::Of(shape) => (shape, true),
            Heading::Unknown => return bad("this heading is none of interactions", HEADING),
            Heading::None if has_marks_within(first_lines, &sample, separator) => {
                return bad(
                    "fields are several numbers, with other marks between them than between fields",
                    "write all fields with the same mark between them",
                );
            }
            Heading::None => match shape(first_lines, &sample, separator) {
                Some(shape) => (shape, false),
                None => return bad("lines of three fields may be `user item count`, or `user item item`", HEADING),
            },
        };
        let most = sample.iter().map(|&(_, at)| all(at).count()).max().unwrap_or(0);
        let counted = if is_heading { names.len() > 2 } else { most > 2 };
        let third = names.get(2).and_then(|name| std::str::from_utf8(name).ok()).filter(|_| is_heading);
        let is_count = |name: &str| matches!(name, "count" | "3") || Some(name) == third;
        if let Some(name) = weight.filter(|name| shape == Shaped::Lists || !counted || !is_count(name)) {
            let problem = format!("`weight` is {name}, and the only weight of interactions is the count of a pair, `count`");
            return bad(&problem, "give `weight` count and a count a line, or leave `weight` out");
        }
        let start = match sample.get(1) {
            _ if !is_heading => Start { at, lines: number },
            Some(&(number, at)) => Start { at, lines: number },
            None => Start { at: first_lines.len(), lines: number + 1 },
        };
        let note = match shape {
            Shaped::Pairs => "interactions: a user, an item and perhaps a count a line",
            Shaped::Lists => "interactions: a user and all items of that user a line",
        };
        Ok(Begun { start, note: Some(note.into()), ..Begun::all(Interactions { separator, shape, counted, weighted }) })
    }

    fn line(&self, text: &[u8], place: &mut usize, rows: &mut Rated) -> Result<(), Fault> {
        let start = *place;
        let end = line_end(text, start);
        let whole = part(text, start..end).trim_ascii();
        if whole.is_empty() || is_comment(whole) {
            *place = end;
            return Ok(());
        }
        if let Some(nul) = odd::nul(text, start, end) {
            return Err(nul);
        }
        // A line gives all that it has, or nothing.
        for field in fields(text, start, self.separator) {
            if field.quote == Quote::Broken {
                let problem = "a quote is not closed in its line, or something stands behind the closing one";
                return fault(field.start, field.end, problem, "close the quote, and double those inside, as CSV has it");
            }
        }
        let mut parts = fields(text, start, self.separator);
        let user = match parts.next() {
            Some(user) if !user.is_empty() => user,
            _ => return fault(start, end - 1, "the user is missing", PAIR),
        };
        match self.shape {
            Shaped::Pairs => self.pair(text, user, (start, end), rows)?,
            Shaped::Lists => {
                let user = user.value(text);
                for item in parts.filter(|item| !item.is_empty()) {
                    rows.rating(Id::Name(&user), Id::Name(&item.value(text)), 1.0);
                }
            }
        }
        *place = end;
        Ok(())
    }
}

impl Interactions {
    /// A line of two or three fields, whose first is the user.
    fn pair(&self, text: &[u8], user: Field, (start, end): (usize, usize), rows: &mut Rated) -> Result<(), Fault> {
        let mut parts = fields(text, start, self.separator).skip(1);
        let item = match parts.next() {
            Some(item) if !item.is_empty() => item,
            _ => return fault(user.start, end - 1, "the item is missing", PAIR),
        };
        let count = match parts.next() {
            None => 1.0,
            Some(third) if !self.counted && !third.is_empty() => {
                return fault(third.start, third.end, "this has a third field, and the first lines have two", HEADING);
            }
            Some(_) if !self.counted => 1.0,
            Some(count) => match long_number(count.raw(text)) {
                Ok(value) if value > 0.0 && value.is_finite() => value,
                Ok(_) => {
                    let remedy = "leave out lines of what was not taken; of a matrix, call `eliminate_zeros` before it is saved";
                    return fault(count.start, count.end, "the count is not above 0", remedy);
                }
                Err(_) => {
                    let remedy =
                        "give a finite number; if lines are `user item item item ...`, put the heading `user items` before the first";
                    return fault(count.start, count.end, "the count is no finite number", remedy);
                }
            },
        };
        if let Some(beyond) = parts.find(|field| !field.is_empty()) {
            let remedy =
                "write each as `user item count`; if lines are `user item item item ...`, put the heading `user items` before the first";
            return fault(beyond.start, beyond.end, "this has more than three fields, and the first lines have not", remedy);
        }
        let weight = if self.weighted { count } else { 1.0 };
        rows.weighted_rating(Id::Name(&user.value(text)), Id::Name(&item.value(text)), count, weight);
        Ok(())
    }
}

/// `# ...`.
pub(super) fn is_comment(line: &[u8]) -> bool {
    line.first() == Some(&b'#') && line.get(1).is_none_or(|&next| blank(next) || next == b'#')
}

/// The first lines that say something: number and place of each.
pub(super) fn sample(text: &[u8]) -> Vec<(u64, usize)> {
    let begin = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let of_text = (0..).zip(lines(&text[begin..])).map(|(number, (at, line))| (number, begin + at, line.trim_ascii()));
    let says = of_text.filter(|(_, _, line)| !line.is_empty() && !is_comment(line));
    says.map(|(number, at, _)| (number, at)).take(SAMPLE).collect()
}

/// What stands in every line: a tab, or `::`, and so on; else blanks separate.
pub(super) fn separator(text: &[u8], sample: &[(u64, usize)]) -> Separator {
    let has = |mark: Separator| {
        sample.iter().all(|&(_, at)| {
            let line = part(text, at..line_end(text, at).min(text.len())).trim_ascii();
            let of_mark =
                |places: &[u8]| places.first() == Some(&mark.byte()) && (mark != Separator::Colons || places.get(1) == Some(&b':'));
            (0..line.len()).any(|at| of_mark(&line[at..]))
        })
    };
    let marks = Separator::ALL.into_iter().filter(|&mark| mark != Separator::Blanks);
    marks.into_iter().find(|&mark| has(mark)).unwrap_or(Separator::Blanks)
}

/// What the first line is.
enum Heading {
    None,
    Of(Shaped),
    Unknown,
}

/// `user item [count]` or `user items`, in words that begin so.
fn heading(names: &[&[u8]]) -> Heading {
    let names: Vec<String> = names.iter().map(|name| String::from_utf8_lossy(name).trim_matches('"').to_lowercase()).collect();
    // Not an id such as `user17`.
    let begins = |i: usize, word: &str| {
        names.get(i).and_then(|name| name.strip_prefix(word)).is_some_and(|rest| !rest.bytes().any(|byte| byte.is_ascii_digit()))
    };
    match names.len() {
        _ if !begins(0, "user") => Heading::None,
        _ if !begins(1, "item") => Heading::Unknown,
        2 if names[1] == "items" => Heading::Of(Shaped::Lists),
        2 => Heading::Of(Shaped::Pairs),
        3 if !begins(2, "item") => Heading::Of(Shaped::Pairs),
        _ if (1..names.len()).all(|i| begins(i, "item")) => Heading::Of(Shaped::Lists),
        _ => Heading::Unknown,
    }
}

/// Whether most lines have a field that is several numbers, with a mark of its own between these: `1<tab>10,11,12`.
fn has_marks_within(text: &[u8], sample: &[(u64, usize)], separator: Separator) -> bool {
    let marks = b",;| \t";
    let is_several = |field: &[u8]| {
        let mut pieces = field.split(|byte| marks.contains(byte)).filter(|piece| !piece.is_empty());
        pieces.clone().count() > 1 && pieces.all(|piece| piece.iter().all(u8::is_ascii_digit))
    };
    let has = |at: usize| fields(text, at, separator).any(|field| field.quote == Quote::No && is_several(field.raw(text).trim_ascii()));
    2 * sample.iter().filter(|&&(_, at)| has(at)).count() > sample.len()
}

/// How the lines are laid out, where they leave no doubt.
fn shape(text: &[u8], sample: &[(u64, usize)], separator: Separator) -> Option<Shaped> {
    let all = |at: usize| fields(text, at, separator).filter(|field| !field.is_empty());
    let most = sample.iter().map(|&(_, at)| all(at).count()).max().unwrap_or(0);
    if most > 3 {
        return Some(Shaped::Lists);
    }
    if most < 3 {
        // A user without items is a list, as a test set may have it.
        let is_short = sample.iter().any(|&(_, at)| all(at).count() == 1);
        return Some(if is_short { Shaped::Lists } else { Shaped::Pairs });
    }
    let third = |at: usize| all(at).nth(2).map(|field| Shape::of(field.raw(text), separator));
    let mut users = HashSet::new();
    let repeats = sample.iter().any(|&(_, at)| all(at).next().is_some_and(|user| !users.insert(user.raw(text))));
    let counts = sample.iter().filter_map(|&(_, at)| third(at));
    if counts.clone().any(|shape| shape.number().is_none()) {
        // Words are items, unless something says that lines are pairs: dates, or a count that is missing.
        let all_words = counts.into_iter().all(|shape| shape.number().is_none());
        return (all_words && !repeats).then_some(Shaped::Lists);
    }
    let has_fractions = counts.into_iter().any(|shape| matches!(shape, Shape::Fraction(_) | Shape::Whole(_)));
    (repeats || has_fractions).then_some(Shaped::Pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(text: &str) -> Option<Shaped> {
        Interactions::begin(text.as_bytes(), Asked::default()).ok().map(|begun| begun.format.shape)
    }

    #[test]
    fn shapes_are_told_by_content_or_by_a_heading() {
        for (text, shape) in [
            ("1 2 3 4\n2 5\n", Some(Shaped::Lists)),
            ("1 2\n2 5\n", Some(Shaped::Pairs)),
            ("1 2\n2\n", Some(Shaped::Lists)),
            ("1 2 3\n1 3 1\n2 5 1\n", Some(Shaped::Pairs)),
            ("1,2,3.0\n2,5,1.0\n", Some(Shaped::Pairs)),
            ("ann tea milk\nbob tea\n", Some(Shaped::Lists)),
            ("1 2 3\n2 5 1\n", None),
            ("1 2 3\n2 5\n", None),
            ("user item count\n1 2 3\n2 5 1\n", Some(Shaped::Pairs)),
            ("user_id\titem_id\n1\t2\n", Some(Shaped::Pairs)),
            ("user items\n1 2 3\n2 5 1\n", Some(Shaped::Lists)),
            ("user item count time\n1 2 3 4\n", None),
            ("1 3:0.5 7:1\n", None),
            ("user,song,plays\nann,tea,3\nann,milk,1\n", None),
            ("ann,milk,NA\nann,tea,3\nbob,tea,2\n", None),
            ("ann,tea,2020-01-02\nann,milk,2020-01-03\n", None),
            ("1\t10 11 12\n2\t11 13\n", None),
            ("1 10,11,12\n2 11,13\n", None),
            ("user1 item5\nuser2 item7\n", Some(Shaped::Pairs)),
            ("# made by hand\n1 2 3 4\n", Some(Shaped::Lists)),
        ] {
            assert_eq!(shaped(text), shape, "{text}");
        }
    }
}
