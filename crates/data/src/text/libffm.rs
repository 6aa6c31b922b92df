//! libffm's rows: `label field:index:value field:index:value ...`. Features go by their indices, and each has a field. Where an index stands
//! twice in a row, as hashed ones may in two fields, its values add up.
//!
//! A text whose indices stand in several fields each may be read by a recipe that says so: features are then called `field:index`.

use crate::bytes::{blank, byte, line_end, part, split_once, words};
use crate::kind::MISSING;
use crate::text::codes::Id;
use crate::text::examples::Examples;
use crate::text::fault::{Bad, Fault, REMEDY_FINITE, fault};
use crate::text::fields::{Separator, Shape};
use crate::text::number::{TENS, Why, digits, long_number, short_number};
use crate::text::odd::lone_return;
use crate::text::pair::is_pair;
use crate::text::recipe::Recipe;
use crate::text::sink::RowSink;
use crate::text::{Asked, Begun, Format, TextFormat};

/// Rows of libffm.
pub(crate) struct Libffm {
    /// Whether labels may be missing, or be anything.
    unlabelled: bool,
    /// Whether features are called `field:index`.
    by_field: bool,
}

impl TextFormat for Libffm {
    const NAME: &'static str = "libffm";
    const LOOKS: &'static str = "`label field:index:value ...`";
    type Collector = Examples;
    const ADDS: bool = true;

    /// A number, and nothing but triples behind it.
    fn recognises(line: &[u8]) -> bool {
        let is_number = words(line).next().is_some_and(|label| Shape::of(label, Separator::Blanks).number().is_some());
        let rest = || words(line).skip(1).take_while(|word| !word.starts_with(b"#"));
        is_number && rest().next().is_some() && rest().all(is_triple)
    }

    fn begin(_: &[u8], asked: Asked<'_>) -> Result<Begun<Libffm>, Bad> {
        let recipe = asked.recipe.cloned().unwrap_or_else(|| Recipe::of(Format::Libffm));
        let told = match recipe.by_field {
            false => "libffm's rows: features go by their indices",
            true => "libffm's rows: features are called `field:index`, as some indices stand in several fields",
        };
        let (note, by_field) = ((!asked.is_fixed).then(|| told.to_owned()), recipe.by_field);
        Ok(Begun { recipe: Some(recipe), note, ..Begun::all(Libffm { unlabelled: asked.unlabelled, by_field }) })
    }

    #[inline(always)]
    fn line(&self, text: &[u8], at: &mut usize, rows: &mut Examples) -> Result<(), Fault> {
        line(text, at, self, rows)
    }
}

/// `field:index:value`.
fn is_triple(token: &[u8]) -> bool {
    let Some((field, rest)) = split_once(token, b':') else { return false };
    !field.is_empty() && field.iter().all(u8::is_ascii_digit) && is_pair(rest)
}

/// Whether a token ends.
#[inline]
fn closes(byte: u8) -> bool {
    blank(byte) || matches!(byte, b'\n' | b'#')
}

fn token_end(text: &[u8], mut at: usize) -> usize {
    while !closes(byte(text, at)) {
        at += 1;
    }
    at
}

#[inline(always)]
fn line(text: &[u8], place: &mut usize, format: &Libffm, rows: &mut Examples) -> Result<(), Fault> {
    let mut at = *place;
    while blank(byte(text, at)) {
        at += 1;
    }
    if matches!(byte(text, at), b'\n' | b'#') {
        *place = line_end(text, at);
        return Ok(());
    }
    let start = at;
    let label = match short_number(text, at) {
        Some((label, end)) if closes(byte(text, end)) => {
            at = end;
            label
        }
        _ => {
            at = token_end(text, at);
            label(text, start, at, format.unlabelled)?
        }
    };
    let mut example = rows.begin();
    example.label(label);
    loop {
        match byte(text, at) {
            b' ' | b'\t' => at += 1,
            b'\r' => {
                while blank(byte(text, at)) {
                    at += 1;
                }
                if byte(text, at) != b'\n' {
                    return Err(lone_return(text, at - 1));
                }
            }
            b'\n' => {
                at += 1;
                break;
            }
            b'#' => {
                at = line_end(text, at);
                break;
            }
            _ => {
                let begin = at;
                let (length, field, mark) = digits(text, at);
                let first = begin + length + 1;
                let (count, index, after) = digits(text, first);
                let is_short = length > 0 && length < 8 && mark == b':' && count > 0 && count < 8 && after == b':';
                let found = if is_short {
                    short_number(text, first + count + 1)
                        .filter(|&(_, end)| closes(byte(text, end)))
                        .map(|(value, end)| (field, index, value, end))
                } else {
                    None
                };
                let (field, index, value, end) = match found {
                    Some(found) => found,
                    None => triple(text, begin)?,
                };
                let put = match format.by_field {
                    false => example.in_field(Id::Number(field), Id::Number(index), value),
                    true => example.in_bag(format!("{field}:").as_bytes(), index.to_string().as_bytes(), value),
                };
                if let Err(refused) = put {
                    return Err(refused.at(begin..end));
                }
                at = end;
            }
        }
    }
    *place = at;
    example.end().map_err(|refused| refused.at(start..token_end(text, start)))
}

/// A label that is no plain number.
#[cold]
fn label(text: &[u8], start: usize, end: usize, unlabelled: bool) -> Result<f32, Fault> {
    let token = part(text, start..end);
    if unlabelled && !token.contains(&b':') {
        return Ok(long_number(token).unwrap_or(MISSING));
    }
    let (problem, remedy) = match long_number(token) {
        Ok(label) => return Ok(label),
        Err(_) if token.contains(&b':') => ("the label is missing", "begin each row with its label; of rows without, write 0 for it"),
        Err(Why::NoNumber) => ("the label is no number", "labels are +1, -1, 0, 1 or any real number"),
        Err(Why::Nan | Why::Infinite) => ("the label is not finite", REMEDY_FINITE),
        Err(Why::Range) => ("the label is out of the range of 32-bit floats", "scale the labels below 3.4e38"),
    };
    fault(start, end, problem, remedy)
}

/// A triple that is not written as most are: field, index, value, and where it ends; or what is wrong with it.
#[cold]
fn triple(text: &[u8], start: usize) -> Result<(u64, u64, f32, usize), Fault> {
    const TRIPLES: &str = "write each feature as `field:index:value`";
    let end = token_end(text, start);
    let mut parts = part(text, start..end).split(|&byte| byte == b':');
    let (Some(field), Some(index), Some(value), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return fault(start, end, "this is no `field:index:value` triple", TRIPLES);
    };
    let whole = |token: &[u8]| {
        let digit = |number: Option<u64>, &byte: &u8| number?.checked_mul(TENS[1])?.checked_add(u64::from(byte.wrapping_sub(b'0')));
        token.iter().fold(Some(0), digit).filter(|_| !token.is_empty() && token.iter().all(u8::is_ascii_digit))
    };
    let Some(field) = whole(field) else {
        return fault(start, end, "the field is no whole number below 2^64", "fields are whole numbers from 0");
    };
    let Some(index) = whole(index) else {
        return fault(
            start,
            end,
            "the index is no whole number below 2^64",
            "indices are whole numbers from 0: number the names, or hash them",
        );
    };
    let (problem, remedy) = match long_number(value) {
        Ok(value) => return Ok((field, index, value, end)),
        Err(_) if value.is_empty() => ("the value is missing behind the colon", TRIPLES),
        Err(Why::NoNumber) => ("the value is no number", "write each feature as `field:index:value` with a real value"),
        Err(Why::Nan) => ("the value is NaN", REMEDY_FINITE),
        Err(Why::Infinite) => ("the value is infinite", REMEDY_FINITE),
        Err(Why::Range) => ("the value is out of the range of 32-bit floats", "scale the values below 3.4e38"),
    };
    fault(start, end, problem, remedy)
}
