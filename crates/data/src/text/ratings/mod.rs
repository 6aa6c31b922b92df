//! `user item rating [time]`, or the columns that a [`Table`] says; users and items are numbers or names.

mod any;
pub(crate) mod columns;
mod doubt;
mod heading;
pub(crate) mod json;
mod sample;
mod table;
mod time;

use crate::bytes::{byte, words};
use crate::text::codes::Id;
use crate::text::collector::Named;
use crate::text::fault::{Bad, Fault};
use crate::text::fields::{Separator, fields};
use crate::text::mixed::{self, Advice};
use crate::text::number::{digits, short_number};
use crate::text::rated::Rated;
use crate::text::sink::RatingSink;
use crate::text::{Asked, Begun, TextFormat};
use any::any;
use heading::Roles;
use table::Table;

/// Ratings in a table that may have a heading.
#[derive(Default)]
pub(crate) struct RatingTable {
    table: Table,
    /// Whether ratings may be missing.
    unlabelled: bool,
}

impl TextFormat for RatingTable {
    const NAME: &'static str = "ratings";
    const LOOKS: &'static str =
        "`user item rating [time]`, between tabs, `::`, commas, semicolons, bars or blanks; or a table with a heading";
    type Collector = Rated;

    /// Any line of several fields: a table has no marks of its own.
    fn recognises(line: &[u8]) -> bool {
        let second = words(line).nth(1);
        let is_alone = second.is_none() && !Separator::ALL.into_iter().any(|separator| fields(line, 0, separator).nth(1).is_some());
        !is_alone && !second.is_some_and(|second| second.starts_with(b"#"))
    }

    fn begin(first_lines: &[u8], asked: Asked<'_>) -> Result<Begun<RatingTable>, Bad> {
        if let Some(bad) = json::rating(first_lines, true).filter(|_| !asked.is_matrix) {
            return Err(bad);
        }
        let Begun { format: table, start, decided, note, .. } = Table::find(first_lines, asked)?;
        let format = RatingTable { table, unlabelled: asked.unlabelled };
        Ok(Begun { start, decided, note, ..Begun::all(format) })
    }

    #[inline(always)]
    fn line(&self, text: &[u8], at: &mut usize, rows: &mut Rated) -> Result<(), Fault> {
        line(text, at, self, rows)
    }

    fn advise(found: Fault, named: Named) -> Fault {
        const BY_USER: Advice = (
            "this is an svmlight row (`label index:value ...`), and the format that was given is ratings",
            "if all lines are rows, give `format` svmlight (of `train`: with `model` linear); write each rating as `user item rating`",
        );
        mixed::advise(found, named, BY_USER, mixed::ROW_FOR_MODEL)
    }
}

/// Whether the names of a heading are those of a table of ratings.
pub(crate) fn are_ratings(names: &[String]) -> bool {
    let roles = Roles::of(names).complete(names);
    roles.user.is_some() && roles.item.is_some()
}

/// Parses one line from `place`, leaves `place` after its newline.
#[inline(always)]
fn line(text: &[u8], place: &mut usize, format: &RatingTable, rows: &mut Rated) -> Result<(), Fault> {
    let table = &format.table;
    let found = match table.separator {
        Separator::Tab => usual::<b'\t'>(text, *place),
        Separator::Colons => usual::<b':'>(text, *place),
        Separator::Comma => usual::<b','>(text, *place),
        Separator::Semicolon => usual::<b';'>(text, *place),
        Separator::Bar => usual::<b'|'>(text, *place),
        Separator::Blanks => usual::<b' '>(text, *place),
    };
    let right = |found: &Usual| match found.time {
        0 => table.three,
        digits => table.four && (digits >= TIME_DIGITS || !table.timed),
    };
    let found = found.filter(right);
    let Some(Usual { user, item, rating, end, .. }) = found else {
        return any(text, place, format, rows);
    };
    rows.rating(Id::Number(user), Id::Number(item), rating);
    *place = end;
    Ok(())
}

/// How many digits [`TIME`](time::TIME) has.
const TIME_DIGITS: usize = 8;

/// What most lines are.
struct Usual {
    user: u64,
    item: u64,
    rating: f32,
    /// How many digits the time has; 0 where there is none.
    time: usize,
    /// After the newline.
    end: usize,
}

/// A line of two plain numbers of at most seven digits and a rating, perhaps with a time. Compiled for each separator.
#[inline]
fn usual<const MARK: u8>(text: &[u8], at: usize) -> Option<Usual> {
    let (user, at) = plain::<MARK>(text, at)?;
    let (item, at) = plain::<MARK>(text, at)?;
    let (rating, at) = short_number(text, at)?;
    let mut found = Usual { user, item, rating, time: 0, end: at + 1 };
    match byte(text, at) {
        b'\n' => {}
        b'\r' if byte(text, at + 1) == b'\n' => found.end = at + 2,
        _ => {
            let start = separator::<MARK>(text, at)?;
            let mut at = start;
            loop {
                let (count, ..) = digits(text, at);
                at += count;
                if count < 8 {
                    break;
                }
            }
            found.time = at - start;
            found.end = match byte(text, at) {
                b'\n' => at + 1,
                b'\r' if byte(text, at + 1) == b'\n' => at + 2,
                _ => return None,
            }
        }
    }
    Some(found)
}

/// A number and what separates it from the next.
#[inline]
fn plain<const MARK: u8>(text: &[u8], at: usize) -> Option<(u64, usize)> {
    let (count, number, _) = digits(text, at);
    // A name that is written with a leading zero is another than the number.
    let is_plain = count > 0 && count < 8 && (count == 1 || byte(text, at) != b'0');
    Some((number, separator::<MARK>(text, at + count).filter(|_| is_plain)?))
}

/// The place after one separator.
#[inline]
fn separator<const MARK: u8>(text: &[u8], at: usize) -> Option<usize> {
    match (MARK, byte(text, at)) {
        (b':', b':') => (byte(text, at + 1) == b':').then_some(at + 2),
        (b' ', b'\t') => Some(at + 1),
        (_, found) => (found == MARK && MARK != b':').then_some(at + 1),
    }
}
