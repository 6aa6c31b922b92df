//! A line of ratings that is not written as most are: read field by field, or named with what is wrong.

use super::RatingTable;
use super::table::{NOWHERE, Table, Width};
use super::time::{DECIMAL_COMMA, is_no_time, is_time_of_day};
use crate::bytes::{blank, byte, line_end, part, split_once};
use crate::kind::MISSING;
use crate::text::codes::Id;
use crate::text::fault::{Fault, REMEDY_FINITE, fault};
use crate::text::fields::{Field, Quote, Separator, Shape, fields, with_point};
use crate::text::number::{Why, long_number, short_number};
use crate::text::pair::is_pair;
use crate::text::rated::Rated;
use crate::text::sink::RatingSink;
use crate::text::{mixed, odd};

/// What is wrong with a line that is an svmlight row.
#[cold]
fn of_row(text: &[u8], at: usize) -> Option<Fault> {
    let mut tokens = fields(text, at, Separator::Blanks);
    let (label, second) = (tokens.next()?, tokens.next()?);
    let (index, _) = split_once(second.raw(text), b':')?;
    let is_row = !index.is_empty() && index.iter().all(u8::is_ascii_digit) && short_number(text, label.start)?.1 == label.end;
    is_row.then_some(Fault { start: second.start, end: second.end, problem: mixed::ROW, remedy: mixed::REMEDY })
}

/// Any line, field by field.
#[inline(never)]
pub(super) fn any(text: &[u8], place: &mut usize, format: &RatingTable, rows: &mut Rated) -> Result<(), Fault> {
    by_fields(text, place, format, rows).map_err(|found| of_row(text, *place).unwrap_or(found))
}

fn by_fields(text: &[u8], place: &mut usize, format: &RatingTable, rows: &mut Rated) -> Result<(), Fault> {
    let RatingTable { table, unlabelled } = format;
    let unlabelled = *unlabelled;
    let start = *place;
    let end = line_end(text, start);
    let whole = part(text, start..end);
    if whole.trim_ascii().is_empty() {
        *place = end;
        return Ok(());
    }
    if let Some(nul) = odd::nul(text, start, end) {
        return Err(nul);
    }
    let line = whole.trim_ascii_end().len() + start;
    let first = start + whole.iter().take_while(|&&byte| blank(byte)).count();
    const ROW: &str = "write each rating as `user item rating [time]`, between tabs, `::`, commas, semicolons, bars or blanks";
    const HEADING: &str = "give a number; if this is a heading, name its columns as in `columns` user=NAME,item=NAME,rating=NAME";
    let separator = if is_mixed(text, start, table) { Separator::Blanks } else { table.separator };
    if byte(text, first) == b'#' && is_comment(text, first, table, unlabelled) {
        *place = end;
        return Ok(());
    }
    let (mut cells, mut weight, mut count, mut filled, mut beyond) = ([None; 3], None, 0, 0, None);
    for field in fields(text, start, separator) {
        if field.quote == Quote::Broken {
            let problem = "a quote is not closed in its line, or something stands behind the closing one";
            return fault(field.start, field.end, problem, "close the quote, and double those inside, as CSV has it");
        }
        if let Some(cell) = table.cells.iter().position(|&column| column == count).and_then(|i| cells.get_mut(i)) {
            *cell = Some(field).filter(|field| !field.is_empty());
        }
        if count == table.weight {
            weight = Some(field).filter(|field| !field.is_empty());
        }
        if count == table.width.least() {
            beyond = Some(field);
        }
        count += 1;
        if !field.is_empty() {
            filled = count;
        }
    }
    if filled == 0 {
        // Separators alone, as spreadsheets write empty lines.
        *place = end;
        return Ok(());
    }
    // For predictions a line may end before its rating.
    let [at_user, at_item, at_rating] = table.cells;
    let ends_early = unlabelled && at_user.max(at_item) < count.min(at_rating) && at_rating >= count;
    match table.width {
        Width::Just(n) if filled > n => {
            let remedy = "put fields that hold the separator in quotes (a decimal comma too), or leave what is too much out";
            return fault(first, line, "this has more fields than the heading or the first lines", remedy);
        }
        Width::Just(n) | Width::AtLeast(n) if count < n && !ends_early => {
            return fault(
                first,
                line,
                "this has fewer fields than the heading or the first lines",
                "give every field, or leave the row out",
            );
        }
        Width::Usual if count == 1 && separator != Separator::Blanks => {
            return fault(first, line, no_separator(separator), "separate the fields as in the first lines");
        }
        _ => {}
    }
    let [user, item, rating] = cells;
    let Some(user) = user else { return fault(first, line, "the user is missing", ROW) };
    let Some(item) = item else { return fault(first, line, "the item is missing", ROW) };
    if table.width == Width::Usual && count > 4 {
        let remedy =
            "write each rating as `user item rating [time]`, or say which columns are read, as in `columns` user=1,item=2,rating=3";
        return fault(first, line, "this has more than four fields", remedy);
    }
    if let Some(beyond) = beyond.filter(|field| table.width == Width::Usual && field.quote == Quote::No) {
        let pair = beyond.raw(text);
        if is_pair(pair) && !is_time_of_day(pair) {
            let remedy = "write rows as `label index:value ...`, or each rating as `user item rating [time]`";
            return fault(
                beyond.start,
                beyond.end,
                "this is an index and a value, as of svmlight rows, where a rating has its time",
                remedy,
            );
        }
    }
    let is_wider = table.timed && filled == table.width.least() + 1;
    if let Some(beyond) = beyond.filter(|field| is_wider && is_no_time(Shape::of(field.raw(text), separator))) {
        let start = rating.filter(|_| table.cells[2] + 1 == table.width.least()).map_or(beyond.start, |rating| rating.start);
        let (problem, remedy) = DECIMAL_COMMA;
        return fault(start, beyond.end, problem, remedy);
    }
    let weight = match weight.map(|weight| (weight, value(text, weight, table))) {
        _ if table.weight == NOWHERE => 1.0,
        None => return fault(first, line, "the weight of the rating is missing", WEIGHT),
        Some((field, found)) => match weight_of(field.raw(text), found) {
            Ok(weight) => weight,
            Err((problem, remedy)) => return fault(field.start, field.end, problem, remedy),
        },
    };
    if weight == 0.0 {
        rows.leave_out();
        *place = end;
        return Ok(());
    }
    let value = match rating.map(|rating| (rating, value(text, rating, table))) {
        Some((_, Ok(value))) => value,
        _ if unlabelled => MISSING,
        None => return fault(first, line, "the rating is missing", ROW),
        Some((rating, Err(Why::NoNumber))) if long_number(&with_point(rating.raw(text))).is_ok() => {
            return fault(rating.start, rating.end, "the rating has a decimal comma", COMMA);
        }
        Some((rating, Err(Why::NoNumber))) => return fault(rating.start, rating.end, "the rating is no number", HEADING),
        Some((rating, Err(Why::Nan))) => return fault(rating.start, rating.end, "the rating is NaN", REMEDY_FINITE),
        Some((rating, Err(Why::Infinite))) => return fault(rating.start, rating.end, "the rating is infinite", REMEDY_FINITE),
        Some((rating, Err(Why::Range))) => {
            return fault(rating.start, rating.end, "the rating is out of the range of 32-bit floats", "scale the ratings below 3.4e38");
        }
    };
    rows.weighted_rating(Id::Name(&user.value(text)), Id::Name(&item.value(text)), value, weight);
    *place = end;
    Ok(())
}

const WEIGHT: &str = "give a weight from 0 up; one of 0 leaves the rating out";
const COMMA: &str = "write 3.5 for 3,5, or separate the fields by tabs, semicolons or bars";

/// A weight, if what was read of its text is one; else what is wrong, and what to do.
fn weight_of(raw: &[u8], found: Result<f32, Why>) -> Result<f32, (&'static str, &'static str)> {
    const SCALE: &str = "scale the weights: they count by their ratios";
    let is_nothing = |raw: &[u8]| raw.iter().take_while(|byte| !matches!(byte, b'e' | b'E')).all(|byte| !matches!(byte, b'1'..=b'9'));
    match found {
        Ok(weight) if weight < 0.0 || raw.starts_with(b"-") && !is_nothing(raw) => Err(("the weight of the rating is below 0", WEIGHT)),
        Ok(weight) if weight < f32::MIN_POSITIVE && !is_nothing(raw) => {
            Err(("the weight of the rating is too small for 32-bit floats", SCALE))
        }
        Ok(weight) => Ok(weight),
        Err(Why::Range) => Err(("the weight of the rating is out of the range of 32-bit floats", SCALE)),
        Err(Why::NoNumber) if long_number(&with_point(raw)).is_ok() => Err(("the weight of the rating has a decimal comma", COMMA)),
        Err(Why::NoNumber | Why::Nan | Why::Infinite) => Err(("the weight of the rating is no finite number", WEIGHT)),
    }
}

/// Whether a line that begins with `#` is a comment: it does not have the fields of a rating. Where no blank is behind the mark, as many
/// fields will do, for the user's name may begin so.
#[cold]
fn is_comment(text: &[u8], start: usize, table: &Table, unlabelled: bool) -> bool {
    let count = fields(text, start, table.separator).count();
    let rating = table.cells.get(2).and_then(|&column| fields(text, start, table.separator).nth(column));
    let has_rating = rating.is_some_and(|rating| value(text, rating, table).is_ok());
    let glued = !blank(byte(text, start + 1)) && !matches!(byte(text, start + 1), b'\n' | b'#');
    let fits = table.width.takes(count) || glued && unlabelled && count > 1;
    !(fits && (glued || has_rating))
}

/// A rating, of any length, with a decimal comma where the file may have them.
fn value(text: &[u8], rating: Field, table: &Table) -> Result<f32, Why> {
    match short_number(text, rating.start) {
        Some((value, end)) if end == rating.end => Ok(value),
        _ if table.separator.decimal_comma() => long_number(&with_point(rating.raw(text))),
        _ => long_number(rating.raw(text)),
    }
}

/// Whether a line of a file between tabs has blanks in their place, and nothing but three or four numbers: there is only one way to read
/// it.
fn is_mixed(text: &[u8], start: usize, table: &Table) -> bool {
    let number = |field: Field| Shape::of(field.raw(text), Separator::Tab).number().is_some();
    table.separator == Separator::Tab
        && table.width == Width::Usual
        && fields(text, start, Separator::Tab).nth(2).is_none()
        && matches!(fields(text, start, Separator::Blanks).count(), 3 | 4)
        && fields(text, start, Separator::Blanks).all(number)
}

fn no_separator(separator: Separator) -> &'static str {
    match separator {
        Separator::Tab => "the fields of this file are separated by tabs, and here is none",
        Separator::Colons => "the fields of this file are separated by `::`, and here is none",
        Separator::Comma => "the fields of this file are separated by commas, and here is none",
        Separator::Semicolon => "the fields of this file are separated by semicolons, and here is none",
        Separator::Bar => "the fields of this file are separated by bars, and here is none",
        Separator::Blanks => "the fields of this file are separated by blanks, and here is none",
    }
}
