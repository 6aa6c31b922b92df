//! How a file of ratings is laid out: what separates its fields, whether it has a heading, and which columns are read.
//!
//! All of it is found once, from the first lines: a line that does not fit later on is an error, never another reading.

use super::columns::{Column, Columns};
use super::doubt::doubt;
use super::heading::Roles;
use super::sample::{Line, Sample, number, position};
use super::time::is_no_time;
use crate::bytes::{blank, from, lines};
use crate::text::fault::Bad;
use crate::text::fields::{Separator, Shape};
use crate::text::parse::Start;
use crate::text::{Asked, Begun, odd};

/// Where a table does not have a column.
pub(crate) const NOWHERE: usize = usize::MAX;

/// How many fields a line has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Width {
    /// Three, or four with a time.
    Usual,
    /// As many as the heading, or all lines of the sample.
    Just(usize),
    AtLeast(usize),
}

impl Width {
    pub(crate) fn takes(self, fields: usize) -> bool {
        match self {
            Width::Usual => matches!(fields, 3 | 4),
            Width::Just(n) => fields == n,
            Width::AtLeast(n) => fields >= n,
        }
    }

    /// How many fields every line has.
    pub(crate) fn least(self) -> usize {
        match self {
            Width::Usual => 3,
            Width::Just(n) | Width::AtLeast(n) => n,
        }
    }
}

/// Which fields of a line are read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) separator: Separator,
    /// The columns of user, item and rating.
    pub(crate) cells: [usize; 3],
    /// That of the weight.
    pub(crate) weight: usize,
    pub(crate) width: Width,
    /// Whether lines of three, and of four fields, in the usual order are right.
    pub(crate) three: bool,
    pub(crate) four: bool,
    /// Whether the one field that some lines have more than others has to be a time.
    pub(crate) timed: bool,
}

impl Default for Table {
    fn default() -> Table {
        Table::new(Separator::Blanks, [0, 1, 2], Width::Usual)
    }
}

impl Table {
    fn new(separator: Separator, cells: [usize; 3], width: Width) -> Table {
        let may = |fields: usize| cells == [0, 1, 2] && width.takes(fields);
        Table { separator, cells, weight: NOWHERE, width, three: may(3), four: may(4), timed: false }
    }

    /// The same with a column of weights, if any.
    fn with_weight(self, weight: usize) -> Table {
        let is_usual = weight == NOWHERE;
        Table { weight, three: self.three && is_usual, four: self.four && is_usual, ..self }
    }

    /// Looks at the first lines of a file.
    pub(crate) fn find(text: &[u8], asked: Asked<'_>) -> Result<Begun<Table>, Bad> {
        let Asked { columns, doubtful, unlabelled, .. } = asked;
        // For predictions weights are not looked at, so that a column of that name need not be there.
        let unweighted = columns.filter(|columns| unlabelled && matches!(columns.weight, Some(Column::Name(_))));
        let unweighted = unweighted.map(|columns| Columns { weight: None, ..columns.clone() });
        let columns = unweighted.as_ref().or(columns).filter(|columns| **columns != Columns::default());
        let sample = Sample::new(text);
        if let Some(&line) = sample.comments.first().filter(|line| from(text, line.start).starts_with(b"%%MatrixMarket")) {
            let remedy = "take out the lines that begin with % and the line of counts behind them; then it is read with `format` ratings";
            return Err(sample.bad(line, "this is the heading of a Matrix Market file, which is not read", remedy));
        }
        let Some(&first) = sample.lines.first() else {
            return Ok(Begun { start: Start { at: text.len(), lines: 0 }, ..Begun::default() });
        };
        if lines(from(text, first.start)).next().is_some_and(|(_, line)| line.trim_ascii().contains(&b'\r')) {
            return Err(sample.bad(first, odd::RETURN, odd::LINES));
        }
        // A heading may stand in the last comment; then it names all three.
        let commented = sample.comments.last().and_then(|&line| {
            let start = line.start + from(text, line.start).iter().position(|&byte| !blank(byte) && !matches!(byte, b'#' | b'%'))?;
            let (separator, names) = sample.named(Line { start, ..line }, columns)?;
            let roles = Roles::of(&names).complete(&names);
            let whole = roles.rating.is_some() && names.len() == sample.fields(first, separator).len();
            whole.then_some((separator, names))
        });
        let of_first = sample.named(first, columns);
        let is_named = of_first.is_some();
        let (separator, names) = match of_first.or(commented) {
            Some((separator, names)) => (separator, Some(names)),
            None => (sample.separator(columns, unlabelled)?, None),
        };
        let rating = columns.and_then(|columns| number(&columns.rating)).unwrap_or(2);
        let has_heading = is_named || names.is_none() && sample.is_heading(first, separator, rating);
        let mut names = names.or_else(|| has_heading.then(|| sample.names(first, separator)));
        if let Some(names) = names.as_mut().filter(|names| is_named && sample.have_row_names(separator, names.len())) {
            names.insert(0, String::new());
        }
        if names.is_none() {
            sample.heed_title(first, separator)?;
        }
        let (at, lines) = match (has_heading, sample.lines.get(1)) {
            (true, Some(second)) => (second.start, second.number),
            (true, None) => (text.len(), first.number + 1),
            (false, _) => (first.start, first.number),
        };
        let mut table = match (&names, columns) {
            (None, None) => Table::new(separator, [0, 1, 2], Width::Usual),
            _ => sample.resolve(first, separator, names.as_deref(), has_heading, Asked { columns, ..asked })?,
        };
        if table.width == Width::Usual {
            sample.heed_comments(first, separator)?;
        }
        if names.is_none() && doubtful {
            doubt(&sample, separator, asked)?;
        }
        table.heed_decimal_commas(&sample, usize::from(has_heading));
        let note = match names {
            Some(names) => told(&names, &table),
            None if table.weight != NOWHERE => told(&[], &table),
            None => None,
        };
        Ok(Begun { start: Start { at, lines }, note, ..Begun::all(table) })
    }

    /// Between commas a rating with a decimal comma is two fields. So where some lines have a field more than others, that has to be a
    /// time; and where the first lines all have one, and it is no time, no line may be shorter.
    fn heed_decimal_commas(&mut self, sample: &Sample<'_>, skip: usize) {
        let least = self.width.least();
        if self.separator != Separator::Comma || matches!(self.width, Width::Just(_)) || self.cells[2] == NOWHERE {
            return;
        }
        let lines = || sample.lines.iter().skip(skip).map(|&line| sample.shapes(line, Separator::Comma));
        let is_short = |shapes: Vec<Shape>| shapes.iter().skip(least).all(|&shape| shape == Shape::Empty);
        self.timed = lines().any(is_short);
        if self.width == Width::Usual && !self.timed && lines().any(|shapes| shapes.get(least).is_some_and(|&shape| is_no_time(shape))) {
            *self = Table::new(self.separator, self.cells, Width::Just(least + 1)).with_weight(self.weight);
        }
    }
}

impl Sample<'_> {
    /// Finds the columns by what was asked for and what the heading says.
    fn resolve(
        &self,
        first: Line,
        separator: Separator,
        names: Option<&[String]>,
        has_heading: bool,
        Asked { columns, unlabelled, .. }: Asked<'_>,
    ) -> Result<Table, Bad> {
        let list = || match names {
            Some(names) => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            None => format!("{} without a heading", self.fields(first, separator).len()),
        };
        const WEIGHT: &str = "give the weight another column, by its number from 1 or by its name in the heading";
        const SAY: &str = "of a table of features, say which column is the label in `label`; of ratings, say which columns with \
            `columns` user=NAME,item=NAME,rating=NAME (or numbers, from 1)";
        let refuse = |what: &str, remedy: &'static str| Err(self.bad(first, format!("{what}; the columns are: {}", list()), remedy));
        let unnamed = |what: &str| {
            let below = || self.lines.iter().skip(1).map(|&line| self.shapes(line, separator));
            let dense = has_heading && below().next().is_some() && below().flatten().all(|shape| shape.number().is_some());
            let dense = if dense { ", and all below are numbers: this may be dense data (as CSV), a column a feature" } else { "" };
            refuse(&format!("{what}{dense}"), SAY)
        };
        let roles = names.map(|names| Roles::of(names).complete(names)).unwrap_or_default();
        let asked = columns.map(|c| [&c.user, &c.item, &c.rating, &c.weight].map(Option::as_ref)).unwrap_or_default();
        // Where a weight is named and there is no heading, user and item stand where they usually do, and the rating if nothing else is said.
        let mut cells = match asked {
            [None, None, None, Some(_)] if names.is_none() => [Some(0), Some(1), Some(2), None],
            [.., Some(_)] if names.is_none() => [Some(0), Some(1), None, None],
            _ => [roles.user, roles.item, roles.rating, None],
        };
        for (role, (cell, column)) in cells.iter_mut().zip(asked).enumerate() {
            *cell = match column {
                None => *cell,
                Some(Column::Number(number)) => Some(number - 1),
                Some(Column::Name(name)) => match names.and_then(|names| position(names, name)) {
                    None if role == 3 => return refuse(&format!("no column is called `{name}`"), WEIGHT),
                    None => {
                        return refuse(
                            &format!("no column is called `{name}`"),
                            "name one of them in `columns`, or give its number from 1",
                        );
                    }
                    found => found,
                },
            };
        }
        // Columns by number alone may lie beside a heading that is shorter, as R writes it.
        let [of_rating @ .., of_weight] = asked;
        let all_numbers =
            of_rating.iter().all(|column| matches!(column, Some(Column::Number(_)))) && !matches!(of_weight, Some(Column::Name(_)));
        let in_rows = || {
            let counts = self.lines.iter().skip(usize::from(has_heading)).map(|&line| self.fields(line, separator).len());
            counts.clone().next().filter(|&n| counts.clone().all(|m| m == n))
        };
        let expected = match names {
            Some(names) if !all_numbers => Some(names.len()),
            _ => in_rows(),
        };
        cells[3] = cells[3].filter(|_| !unlabelled);
        // Nor has a rating to be there that is not named.
        cells[2] = cells[2].filter(|&rating| !unlabelled || asked[2].is_some() || expected.is_none_or(|expected| rating < expected));
        let least = cells.into_iter().flatten().max().map_or(0, |most| most + 1);
        if let Some(expected) = expected.filter(|&expected| expected < least) {
            let is_weight = cells[3].is_some_and(|weight| weight + 1 == least);
            return refuse(&format!("there is no column {least}, only {expected}"), if is_weight { WEIGHT } else { SAY });
        }
        let [user, item, rating, weight] = match cells {
            [Some(user), Some(item), rating, weight] => [Some(user), Some(item), rating, weight],
            [None, Some(_), ..] => return unnamed("no column is named as the user"),
            [Some(_), None, ..] => return unnamed("no column is named as the item"),
            [None, None, ..] => return unnamed("no columns are named as user and item"),
        }
        .map(|cell| cell.unwrap_or(NOWHERE));
        let others = expected.unwrap_or(0).saturating_sub(2 + usize::from(roles.time.is_some()) + usize::from(weight != NOWHERE));
        if !unlabelled && rating == NOWHERE && (others > 0 || names.is_none()) {
            return refuse("no column is named as the rating", SAY);
        }
        if user == item || user == rating || item == rating {
            return refuse("two of user, item and rating are one column", SAY);
        }
        if weight != NOWHERE && [user, item].contains(&weight) {
            return refuse("the weight is the column of the user or of the item", WEIGHT);
        }
        Ok(Table::new(separator, [user, item, rating], expected.map_or(Width::AtLeast(least), Width::Just)).with_weight(weight))
    }
}

/// What the user should hear of the columns: not that the usual ones are read.
fn told(names: &[String], table: &Table) -> Option<String> {
    let roles = Roles::of(names).complete(names);
    let unread: Vec<String> = (0..names.len())
        .filter(|column| !table.cells.contains(column) && *column != table.weight && roles.time != Some(*column))
        .map(|column| match names.get(column) {
            Some(name) if !name.is_empty() => format!("`{name}`"),
            _ => format!("column {} (without a name)", column + 1),
        })
        .collect();
    if unread.is_empty() && table.cells == [0, 1, 2] && table.weight == NOWHERE {
        return None;
    }
    let name = |column: usize| names.get(column).map_or_else(|| format!("column {}", column + 1), |name| format!("`{name}`"));
    let of = |(role, column): (&str, usize)| (column != NOWHERE).then(|| format!("{role} from {}", name(column)));
    let cells = table.cells.into_iter().chain([table.weight]);
    let read: Vec<String> = ["user", "item", "rating", "weight"].into_iter().zip(cells).filter_map(of).collect();
    let rest = if unread.is_empty() { String::new() } else { format!("; not read: {}", unread.join(", ")) };
    Some(format!("columns: {}{rest}", read.join(", ")))
}
