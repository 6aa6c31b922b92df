//! The first lines of a file of ratings, and what they say: what separates the fields, whether there is a heading.

use std::borrow::Cow;

use super::columns::{Column, Columns};
use super::heading::{Roles, plain};
use crate::bytes::{blank, byte, from, line_end, lines, up_to};
use crate::text::fault::Bad;
use crate::text::fields::{Field, Separator, Shape, fields};

/// How many lines are looked at.
const SAMPLE: usize = 200;

/// A line of the sample.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    /// From 0.
    pub(crate) number: u64,
    pub(crate) start: usize,
}

/// The first lines of a file.
pub(crate) struct Sample<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) lines: Vec<Line>,
    /// Lines before them that begin with `#` or `%`.
    pub(crate) comments: Vec<Line>,
}

impl<'a> Sample<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Sample<'a> {
        let mut sample = Sample { text, lines: Vec::new(), comments: Vec::new() };
        let begin = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        for (number, (start, line)) in (0..).zip(lines(from(text, begin))) {
            if sample.lines.len() == SAMPLE {
                break;
            }
            let (found, line) = (Line { number, start: begin + start }, line.trim_ascii());
            match line.first() {
                None => {}
                Some(b'#' | b'%') if sample.lines.is_empty() => sample.comments.push(found),
                // What Excel writes for itself, before the heading.
                Some(_) if sample.lines.is_empty() && is_separator_line(line) => {}
                // Between ratings too, where it is plain.
                Some(b'#') if line.get(1).is_none_or(|&next| blank(next) || next == b'#') => {}
                Some(_) => sample.lines.push(found),
            }
        }
        sample
    }

    pub(crate) fn fields(&self, line: Line, separator: Separator) -> Vec<Field> {
        fields(self.text, line.start, separator).collect()
    }

    pub(crate) fn shapes(&self, line: Line, separator: Separator) -> Vec<Shape> {
        fields(self.text, line.start, separator).map(|field| Shape::of(&field.value(self.text), separator)).collect()
    }

    /// The names in a heading, without empty ones at its end.
    pub(crate) fn names(&self, line: Line, separator: Separator) -> Vec<String> {
        let mut names: Vec<String> = self.fields(line, separator).iter().map(|field| field.name(self.text)).collect();
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        names
    }

    /// What is wrong with a line as a whole.
    pub(crate) fn bad(&self, line: Line, problem: impl Into<Cow<'static, str>>, remedy: impl Into<Cow<'static, str>>) -> Bad {
        let end = line_end(self.text, line.start).min(self.text.len());
        Bad::of(self.text, line.number, line.start, line.start..end, problem, remedy)
    }

    /// Whether a line has a rating where it should be, in at least so many fields.
    fn fits(&self, line: Line, separator: Separator, rating: usize, fields: usize) -> bool {
        let shapes = self.shapes(line, separator);
        shapes.len() >= fields && shapes.get(rating).is_some_and(|shape| shape.number().is_some())
    }

    /// Whether every comma of a file that is separated otherwise is in a number.
    fn commas_are_decimal(&self, separator: Separator) -> bool {
        let fine = |field: Field| {
            let token = field.raw(self.text);
            !token.contains(&b',') || Shape::of(token, separator).number().is_some()
        };
        separator.decimal_comma() && self.lines.iter().all(|line| fields(self.text, line.start, separator).all(fine))
    }

    /// How many lines have at least so many fields.
    fn long(&self, separator: Separator, least: usize) -> usize {
        self.lines.iter().filter(|line| fields(self.text, line.start, separator).nth(least - 1).is_some()).count()
    }

    /// The heading that the first line is, if its names say so: the separator too.
    pub(crate) fn named(&self, line: Line, columns: Option<&Columns>) -> Option<(Separator, Vec<String>)> {
        let given: Vec<&str> = columns.map(named_columns).unwrap_or_default();
        let marks = Separator::ALL.into_iter().filter(|&mark| mark != Separator::Tab || self.before_tabs().is_none());
        marks.into_iter().find_map(|separator| {
            let names = self.names(line, separator);
            let all_there = given.iter().all(|name| position(&names, name).is_some());
            let roles = Roles::of(&names).complete(&names);
            let words = self.shapes(line, separator).iter().all(|shape| matches!(shape, Shape::Word | Shape::Empty));
            let by_roles = words && roles.user.is_some() && roles.item.is_some();
            let is_heading = if given.is_empty() { by_roles } else { all_there && names.len() > 1 };
            is_heading.then_some((separator, names))
        })
    }

    /// The separator that fits most lines. Where ratings may be missing, a name with blanks is not to be taken for an item and a rating.
    pub(crate) fn separator(&self, columns: Option<&Columns>, unlabelled: bool) -> Result<Separator, Bad> {
        if let Some(mark) = self.before_tabs() {
            return Ok(mark);
        }
        let numbers = columns.map(|c| [&c.user, &c.item, &c.rating, &c.weight].map(number)).unwrap_or_default();
        let rating = numbers[2].unwrap_or(2);
        let least = numbers.into_iter().flatten().max().map_or(3, |most| (most + 1).max(2));
        let fits = |line: Line, separator| self.fits(line, separator, rating, least);
        let fitting = |separator| self.lines.iter().filter(|line| fits(**line, separator)).count();
        let [marks @ .., blanks] = Separator::ALL.map(fitting);
        let most = marks.into_iter().max().unwrap_or(0);
        let best: Vec<Separator> =
            Separator::ALL.into_iter().zip(marks).filter(|&(_, lines)| lines == most).map(|(mark, _)| mark).collect();
        if let (Some(&line), &[mark, ..]) = (self.lines.first(), best.as_slice())
            && most > 0
            && 2 * most >= blanks
        {
            // Nobody writes a tab or `::` for anything else; of the others, both may be meant.
            let rival =
                best.iter().copied().find(|&rival| rival != mark && self.lines.iter().any(|&line| fits(line, mark) && fits(line, rival)));
            return match rival.filter(|_| !matches!(mark, Separator::Tab | Separator::Colons)) {
                None => Ok(best.into_iter().find(|&mark| fits(line, mark)).unwrap_or(mark)),
                Some(rival) if mark == Separator::Comma && self.commas_are_decimal(rival) => Ok(rival),
                Some(rival) => {
                    let problem = format!("both {} and {} could separate the fields", mark.name(), rival.name());
                    Err(self.bad(line, problem, "put fields that hold such a mark in quotes, or separate the fields by tabs"))
                }
            };
        }
        let longest = |least: usize| Separator::ALL.into_iter().find(|&separator| 2 * self.long(separator, least) > self.lines.len());
        if unlabelled && (blanks < self.lines.len() || longest(2) == Some(Separator::Tab)) {
            let mark = |least| longest(least).filter(|&mark| mark != Separator::Blanks);
            return Ok(mark(3).or_else(|| mark(2)).unwrap_or(Separator::Blanks));
        }
        if blanks > 0 {
            return Ok(Separator::Blanks);
        }
        Ok(longest(3).or_else(|| longest(2)).unwrap_or(Separator::Blanks))
    }

    /// Whether the first line has titles above numbers, besides the rating: where that is none, it may be a bad one.
    pub(crate) fn is_heading(&self, first: Line, separator: Separator, rating: usize) -> bool {
        let titles = self.shapes(first, separator);
        let below: Vec<Vec<Shape>> = self.lines.iter().skip(1).map(|&line| self.shapes(line, separator)).collect();
        let numbers = |column: usize| below.iter().all(|shapes| shapes.get(column).is_some_and(|shape| shape.number().is_some()));
        let above = |(column, title): (usize, &Shape)| *title == Shape::Word && column != rating && numbers(column);
        titles.len() > 1
            && !below.is_empty()
            && titles.iter().all(|title| matches!(title, Shape::Word | Shape::Empty))
            && titles.iter().enumerate().any(above)
    }

    /// Whether the lines below a heading have one field more than it has names, and begin with the names that R gives to rows: 1, 2, 3, ...
    pub(crate) fn have_row_names(&self, separator: Separator, names: usize) -> bool {
        let rows = || self.lines.iter().skip(1).map(|&line| self.fields(line, separator));
        let value = |field: &Field| field.value(self.text).into_owned();
        let numbered = |(i, row): (usize, Vec<Field>)| row.first().is_some_and(|field| value(field) == (i + 1).to_string().as_bytes());
        // A last column without a name may as well be a time, or empty.
        let last = |row: Vec<Field>| row.last().map_or(Shape::Empty, |field| Shape::of(&value(field), separator));
        let ends_so = rows().map(last).all(|shape| shape == Shape::Empty || shape.number().is_some_and(|number| number >= 1e7));
        rows().nth(1).is_some() && rows().all(|row| row.len() == names + 1) && rows().enumerate().all(numbered) && !ends_so
    }

    /// Refuses a title above a heading.
    pub(crate) fn heed_title(&self, first: Line, separator: Separator) -> Result<(), Bad> {
        let Some((_, names)) = self.lines.get(1).and_then(|&second| self.named(second, None)) else { return Ok(()) };
        let words = self.shapes(first, separator).contains(&Shape::Word);
        if words && self.fields(first, separator).len() != names.len() {
            let problem = "this line stands above the heading, and is no rating";
            return Err(self.bad(first, problem, "take it out, or begin it with `#` and a blank"));
        }
        Ok(())
    }

    /// The mark that stands before every tab, as in `1,\t2,\t3`: it separates, and tabs are but blanks.
    fn before_tabs(&self) -> Option<Separator> {
        let ends = |line: &Line, mark: Separator| {
            let fields = self.fields(*line, Separator::Tab);
            fields.len() > 1 && fields.iter().rev().skip(1).all(|field| field.raw(self.text).ends_with(&[mark.byte()]))
        };
        [Separator::Comma, Separator::Semicolon, Separator::Bar]
            .into_iter()
            .find(|&mark| !self.lines.is_empty() && self.lines.iter().all(|line| ends(line, mark)))
    }

    /// Lines before the first rating that begin with `#` are comments, unless they look just like a rating.
    pub(crate) fn heed_comments(&self, first: Line, separator: Separator) -> Result<(), Bad> {
        let count = self.fields(first, separator).len();
        for &line in &self.comments {
            let shapes = self.shapes(line, separator);
            let glued = !blank(byte(self.text, line.start + 1));
            if glued && count > 2 && shapes.len() == count && shapes.get(2).is_some_and(|shape| shape.number().is_some()) {
                let remedy = "put a blank behind the mark of a comment, or the field in quotes";
                return Err(self.bad(line, "this may be a comment, or a rating by a user whose name begins so", remedy));
            }
        }
        Ok(())
    }
}

/// `sep=;`
fn is_separator_line(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    line.len() <= 5 && up_to(line, 4).eq_ignore_ascii_case(b"sep=")
}

/// From 0, where it is a number.
pub(crate) fn number(column: &Option<Column>) -> Option<usize> {
    match column {
        Some(Column::Number(number)) => Some(number - 1),
        _ => None,
    }
}

fn named_columns(columns: &Columns) -> Vec<&str> {
    let all = [&columns.user, &columns.item, &columns.rating, &columns.weight].into_iter().flatten();
    all.filter_map(|column| if let Column::Name(name) = column { Some(name.as_str()) } else { None }).collect()
}

/// Where a name is: written just so, else without case and marks.
pub(crate) fn position(names: &[String], name: &str) -> Option<usize> {
    let alike = || names.iter().position(|other| !plain(name).is_empty() && plain(other) == plain(name));
    names.iter().position(|other| other == name).or_else(alike)
}
