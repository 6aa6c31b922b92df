//! How a file of ratings is laid out: what separates its fields, whether it has a heading, and which columns are read.
//!
//! All of it is found once, from the first lines: a line that does not fit later on is an error, never another reading.

use std::borrow::Cow;

use super::columns::{Column, Columns};
use super::fields::{Field, Separator, Shape, fields};
use super::guess::doubt;
use super::heading::{Roles, plain};
use super::number::byte;
use super::{Bad, blank, line_end};

/// How many lines are looked at.
const SAMPLE: usize = 200;
/// Where a table does not have a column.
pub(super) const NOWHERE: usize = usize::MAX;

/// How many fields a line has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Width {
    /// Three, or four with a time.
    Usual,
    /// As many as the heading, or all lines of the sample.
    Just(usize),
    AtLeast(usize),
}

impl Width {
    fn takes(self, fields: usize) -> bool {
        match self {
            Width::Usual => matches!(fields, 3 | 4),
            Width::Just(n) => fields == n,
            Width::AtLeast(n) => fields >= n,
        }
    }
}

/// Which fields of a line are read.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Table {
    pub(super) separator: Separator,
    /// The columns of user, item and rating.
    pub(super) cells: [usize; 3],
    pub(super) width: Width,
    /// Whether lines of three, and of four fields, in the usual order are right.
    pub(super) three: bool,
    pub(super) four: bool,
}

impl Default for Table {
    fn default() -> Table {
        Table::new(Separator::Blanks, [0, 1, 2], Width::Usual)
    }
}

/// What is found in the first lines.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Found {
    pub(super) table: Table,
    /// Where the ratings begin, and how many lines are before them.
    pub(super) begin: usize,
    pub(super) lines: u64,
    /// Whether there was any line to go by.
    pub(in super::super) decided: bool,
    /// Which columns are read, where that is to be told.
    pub(in super::super) note: Option<String>,
}

impl Found {
    /// The same for the chunks after.
    pub(in super::super) fn later(&self) -> Found {
        Found { table: self.table.clone(), decided: self.decided, ..Found::default() }
    }
}

/// A line of the sample.
#[derive(Clone, Copy)]
pub(super) struct Line {
    /// From 0.
    pub(super) number: u64,
    pub(super) start: usize,
}

/// The first lines of a file.
pub(super) struct Sample<'a> {
    pub(super) text: &'a [u8],
    pub(super) lines: Vec<Line>,
    /// Lines before them that begin with `#` or `%`.
    comments: Vec<Line>,
}

impl<'a> Sample<'a> {
    fn new(text: &'a [u8]) -> Sample<'a> {
        let mut sample = Sample { text, lines: Vec::new(), comments: Vec::new() };
        let (mut at, mut number) = (if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }, 0);
        while at < text.len() && sample.lines.len() < SAMPLE {
            let end = line_end(text, at).min(text.len());
            let line = text.get(at..end).unwrap_or_default().trim_ascii();
            let found = Line { number, start: at };
            match line.first() {
                None => {}
                Some(b'#' | b'%') if sample.lines.is_empty() => sample.comments.push(found),
                Some(_) => sample.lines.push(found),
            }
            (at, number) = (end, number + 1);
        }
        sample
    }

    pub(super) fn fields(&self, line: Line, separator: Separator) -> Vec<Field> {
        fields(self.text, line.start, separator).collect()
    }

    pub(super) fn shapes(&self, line: Line, separator: Separator) -> Vec<Shape> {
        fields(self.text, line.start, separator).map(|field| Shape::of(&field.value(self.text), separator)).collect()
    }

    /// The names in a heading, without empty ones at its end.
    fn names(&self, line: Line, separator: Separator) -> Vec<String> {
        let mut names: Vec<String> = self.fields(line, separator).iter().map(|field| field.name(self.text)).collect();
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        names
    }

    /// What is wrong with a line as a whole.
    pub(super) fn bad(&self, line: Line, problem: impl Into<Cow<'static, str>>, remedy: impl Into<Cow<'static, str>>) -> Bad {
        let end = line_end(self.text, line.start).min(self.text.len());
        Bad::of(self.text, line.number, line.start, line.start..end, problem.into(), remedy.into())
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
    fn named(&self, line: Line, columns: Option<&Columns>) -> Option<(Separator, Vec<String>)> {
        let given: Vec<&str> = columns.map(named_columns).unwrap_or_default();
        Separator::ALL.into_iter().find_map(|separator| {
            let names = self.names(line, separator);
            let all_there = given.iter().all(|name| position(&names, name).is_some());
            let roles = Roles::of(&names).complete(&names);
            let words = self.shapes(line, separator).iter().all(|shape| matches!(shape, Shape::Word | Shape::Empty));
            let by_roles = words && roles.user.is_some() && roles.item.is_some();
            let is_heading = if given.is_empty() { by_roles } else { all_there && names.len() > 1 };
            is_heading.then_some((separator, names))
        })
    }

    /// The separator that fits most lines.
    fn separator(&self, columns: Option<&Columns>) -> Result<Separator, Bad> {
        let numbers = columns.map(|c| [&c.user, &c.item, &c.rating].map(number)).unwrap_or_default();
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
        if blanks > 0 {
            return Ok(Separator::Blanks);
        }
        let longest = |least: usize| Separator::ALL.into_iter().find(|&separator| 2 * self.long(separator, least) > self.lines.len());
        Ok(longest(3).or_else(|| longest(2)).unwrap_or(Separator::Blanks))
    }
}

impl Table {
    fn new(separator: Separator, cells: [usize; 3], width: Width) -> Table {
        let may = |fields: usize| cells == [0, 1, 2] && width.takes(fields);
        Table { separator, cells, width, three: may(3), four: may(4) }
    }

    /// Looks at the first lines of a file. With `doubt`, ratings that may as well be something else are refused.
    pub(in super::super) fn find(text: &[u8], columns: Option<&Columns>, doubtful: bool) -> Result<Found, Bad> {
        let sample = Sample::new(text);
        if let Some(&line) =
            sample.comments.first().filter(|line| text.get(line.start..).unwrap_or_default().starts_with(b"%%MatrixMarket"))
        {
            let remedy = "take out the lines that begin with % and the line of counts behind them; then it is read with --format ratings";
            return Err(sample.bad(line, "this is the heading of a Matrix Market file, which is not read", remedy));
        }
        let Some(&first) = sample.lines.first() else { return Ok(Found { begin: text.len(), ..Found::default() }) };
        if text.get(first.start..line_end(text, first.start).min(text.len())).unwrap_or_default().trim_ascii().contains(&b'\r') {
            let remedy = "convert them, as with tr '\\r' '\\n'";
            return Err(sample.bad(first, "the lines end in carriage returns alone", remedy));
        }
        // A heading may stand in the last comment; then it names all three.
        let commented = sample.comments.last().and_then(|&line| {
            let start = line.start + text.get(line.start..)?.iter().position(|&byte| !blank(byte) && !matches!(byte, b'#' | b'%'))?;
            let (separator, names) = sample.named(Line { start, ..line }, columns)?;
            let roles = Roles::of(&names).complete(&names);
            let whole = roles.rating.is_some() && names.len() == sample.fields(first, separator).len();
            whole.then_some((separator, names))
        });
        let of_first = sample.named(first, columns);
        let is_named = of_first.is_some();
        let (separator, names) = match of_first.or(commented) {
            Some((separator, names)) => (separator, Some(names)),
            None => (sample.separator(columns)?, None),
        };
        let rating = columns.and_then(|columns| number(&columns.rating)).unwrap_or(2);
        let has_heading = is_named || names.is_none() && sample.is_heading(first, separator, rating);
        let names = names.or_else(|| has_heading.then(|| sample.names(first, separator)));
        let (begin, lines) = match (has_heading, sample.lines.get(1)) {
            (true, Some(second)) => (second.start, second.number),
            (true, None) => (text.len(), first.number + 1),
            (false, _) => (first.start, first.number),
        };
        let table = match (&names, columns) {
            (None, None) => Table::new(separator, [0, 1, 2], Width::Usual),
            _ => sample.resolve(first, separator, names.as_deref(), has_heading, columns)?,
        };
        if table.width == Width::Usual {
            sample.heed_comments(first, separator)?;
            if doubtful {
                doubt(&sample, separator)?;
            }
        }
        let note = names.and_then(|names| told(&names, &table));
        Ok(Found { table, begin, lines, decided: true, note })
    }
}

impl Sample<'_> {
    /// Whether the first line has titles above numbers, besides the rating: where that is none, it may be a bad one.
    fn is_heading(&self, first: Line, separator: Separator, rating: usize) -> bool {
        let titles = self.shapes(first, separator);
        let below: Vec<Vec<Shape>> = self.lines.iter().skip(1).map(|&line| self.shapes(line, separator)).collect();
        let numbers = |column: usize| below.iter().all(|shapes| shapes.get(column).is_some_and(|shape| shape.number().is_some()));
        let above = |(column, title): (usize, &Shape)| *title == Shape::Word && column != rating && numbers(column);
        titles.len() > 1
            && !below.is_empty()
            && titles.iter().all(|title| matches!(title, Shape::Word | Shape::Empty))
            && titles.iter().enumerate().any(above)
    }

    /// Finds the columns by what was asked for and what the heading says.
    fn resolve(
        &self,
        first: Line,
        separator: Separator,
        names: Option<&[String]>,
        has_heading: bool,
        columns: Option<&Columns>,
    ) -> Result<Table, Bad> {
        let list = || match names {
            Some(names) => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            None => format!("{} without a heading", self.fields(first, separator).len()),
        };
        const SAY: &str = "write rows as `label index:value ...`; of ratings, say which columns with --columns user=NAME,item=NAME,rating=NAME (or numbers, from 1)";
        let refuse = |what: &str, remedy: &'static str| Err(self.bad(first, format!("{what}; the columns are: {}", list()), remedy));
        let unnamed = |what: &str| {
            let below = || self.lines.iter().skip(1).map(|&line| self.shapes(line, separator));
            let dense = has_heading && below().next().is_some() && below().flatten().all(|shape| shape.number().is_some());
            let dense = if dense {
                ", and all below are numbers: this may be dense data (as CSV), a column a feature, which are not read"
            } else {
                ""
            };
            refuse(&format!("{what}{dense}"), SAY)
        };
        let roles = names.map(|names| Roles::of(names).complete(names)).unwrap_or_default();
        let asked = columns.map(|c| [&c.user, &c.item, &c.rating].map(Option::as_ref)).unwrap_or_default();
        let mut cells = [roles.user, roles.item, roles.rating];
        for (cell, column) in cells.iter_mut().zip(asked) {
            *cell = match column {
                None => *cell,
                Some(Column::Number(number)) => Some(number - 1),
                Some(Column::Name(name)) => match names.and_then(|names| position(names, name)) {
                    None => {
                        return refuse(
                            &format!("no column is called `{name}`"),
                            "name one of them in --columns, or give its number from 1",
                        );
                    }
                    found => found,
                },
            };
        }
        // Columns by number alone may lie beside a heading that is shorter, as R writes it.
        let all_numbers = asked.iter().all(|column| matches!(column, Some(Column::Number(_))));
        let in_rows = || {
            let counts = self.lines.iter().skip(usize::from(has_heading)).map(|&line| self.fields(line, separator).len());
            counts.clone().next().filter(|&n| counts.clone().all(|m| m == n))
        };
        let expected = match names {
            Some(names) if !all_numbers => Some(names.len()),
            _ => in_rows(),
        };
        let least = cells.into_iter().flatten().max().map_or(0, |most| most + 1);
        if let Some(expected) = expected.filter(|&expected| expected < least) {
            return refuse(&format!("there is no column {least}, only {expected}"), SAY);
        }
        let [user, item, rating] = match cells {
            [Some(user), Some(item), rating] => [Some(user), Some(item), rating],
            [None, Some(_), _] => return unnamed("no column is named as the user"),
            [Some(_), None, _] => return unnamed("no column is named as the item"),
            [None, None, _] => return unnamed("no columns are named as user and item"),
        }
        .map(|cell| cell.unwrap_or(NOWHERE));
        let others = expected.unwrap_or(0).saturating_sub(2 + usize::from(roles.time.is_some()));
        if rating == NOWHERE && (others > 0 || names.is_none()) {
            return refuse("no column is named as the rating", SAY);
        }
        if user == item || user == rating || item == rating {
            return refuse("two of user, item and rating are one column", SAY);
        }
        Ok(Table::new(separator, [user, item, rating], expected.map_or(Width::AtLeast(least), Width::Just)))
    }

    /// Lines before the first rating that begin with `#` are comments, unless they look just like a rating.
    fn heed_comments(&self, first: Line, separator: Separator) -> Result<(), Bad> {
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

/// What the user should hear of the columns: not that the usual ones are read.
fn told(names: &[String], table: &Table) -> Option<String> {
    let roles = Roles::of(names).complete(names);
    let unread: Vec<String> = (0..names.len())
        .filter(|column| !table.cells.contains(column) && roles.time != Some(*column))
        .map(|column| match names.get(column) {
            Some(name) if !name.is_empty() => format!("`{name}`"),
            _ => format!("column {} (without a name)", column + 1),
        })
        .collect();
    if unread.is_empty() && table.cells == [0, 1, 2] {
        return None;
    }
    let name = |column: usize| names.get(column).map_or_else(|| format!("column {}", column + 1), |name| format!("`{name}`"));
    let of = |(role, column): (&str, usize)| (column != NOWHERE).then(|| format!("{role} from {}", name(column)));
    let read: Vec<String> = ["user", "item", "rating"].into_iter().zip(table.cells).filter_map(of).collect();
    let rest = if unread.is_empty() { String::new() } else { format!("; not read: {}", unread.join(", ")) };
    Some(format!("columns: {}{rest}", read.join(", ")))
}

/// From 0, where it is a number.
fn number(column: &Option<Column>) -> Option<usize> {
    match column {
        Some(Column::Number(number)) => Some(number - 1),
        _ => None,
    }
}

fn named_columns(columns: &Columns) -> Vec<&str> {
    let all = [&columns.user, &columns.item, &columns.rating].into_iter().flatten();
    all.filter_map(|column| if let Column::Name(name) = column { Some(name.as_str()) } else { None }).collect()
}

/// Where a name is: written just so, else without case and marks.
fn position(names: &[String], name: &str) -> Option<usize> {
    let alike = || names.iter().position(|other| !plain(name).is_empty() && plain(other) == plain(name));
    names.iter().position(|other| other == name).or_else(alike)
}
