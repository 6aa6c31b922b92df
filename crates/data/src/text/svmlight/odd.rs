//! Labels, indices and values that are not written as most are: read all the same, or named with what is wrong.

use super::{skip_blanks, token, token_end};
use crate::bytes::{blank, byte, from, line_end, split_once, up_to};
use crate::text::fault::{Fault, REMEDY_FINITE, fault};
use crate::text::mixed;
use crate::text::number::{TENS, Why, digits, long_number};
use crate::text::vw::is_vowpal_wabbit;

const PAIRS: &str = "write each feature as `index:value`, without blanks around the colon";
const NAMED: &str = "indices are whole numbers from 0: number the names (or hash them), as in `index:value`";
const COMMAS: &str = "commas or semicolons separate the features of this row, and blanks should";
const BLANKS: &str = "put blanks in their place: `label index:value index:value ...`";

/// What stands where a label does, and where it ends.
pub(super) enum Label {
    Given(f32, usize),
    /// `label:weight`
    Weighted(f32, f32, usize),
    /// Anything else, where labels may be missing.
    Other(usize),
    /// The row's first feature.
    Absent,
}

/// A label that is no plain number.
#[cold]
pub(super) fn label(text: &[u8], start: usize, unlabelled: bool) -> Result<Label, Fault> {
    let end = token_end(text, start);
    let token = token(text, start);
    let comma = token.iter().any(|byte| matches!(byte, b',' | b';'));
    if comma && (token.contains(&b':') || token.ends_with(b",") || token.ends_with(b";")) {
        return fault(start, end, COMMAS, BLANKS);
    }
    if let Some((label, weight)) = split_once(token, b':') {
        const ALONE: &str = "begin each row with its label; of one with a weight write a sign or a point, as in `+1:2` or `0.0:2`; \
            `predict` takes rows without labels";
        if let Some((label, weight)) = weighted(label, weight) {
            return Ok(Label::Weighted(label, weight, end));
        }
        if unlabelled {
            return Ok(Label::Absent);
        }
        return fault(start, end, "the label is missing, or is followed by a weight and looks like an index", ALONE);
    }
    match long_number(token) {
        Ok(label) => Ok(Label::Given(label, end)),
        Err(_) if unlabelled && !token.iter().any(u8::is_ascii_control) => Ok(Label::Other(end)),
        Err(Why::NoNumber) if comma => fault(
            start,
            end,
            "the label has a comma",
            "give one label a row, a number with a point for its decimals; rows with several labels are for `model` ovr",
        ),
        Err(Why::NoNumber) => {
            fault(start, end, "the label is no number", "labels are +1, -1, 0, 1 or any real number; `predict` takes rows without labels")
        }
        Err(Why::Nan) => fault(start, end, "the label is NaN", REMEDY_FINITE),
        Err(Why::Infinite) => fault(start, end, "the label is infinite", REMEDY_FINITE),
        Err(Why::Range) => fault(start, end, "the label is out of the range of 32-bit floats", "scale the labels below 3.4e38"),
    }
}

/// Label and weight, where `a:b` before a row's pairs can be nothing else, as `a` is no index.
fn weighted(label: &[u8], weight: &[u8]) -> Option<(f32, f32)> {
    let is_index = label.iter().all(u8::is_ascii_digit);
    let numbers = (long_number(label).ok()?, long_number(weight).ok()?);
    (!is_index).then_some(numbers)
}

/// The same of a class.
pub(super) fn weighted_class(whole: &[u8]) -> Option<(&[u8], f32)> {
    let (class, weight) = split_once(whole, b':').filter(|(class, _)| !class.iter().all(u8::is_ascii_digit))?;
    Some((class, long_number(weight).ok()?))
}

/// An index of any number of digits, and where its colon is; the rest is odd.
pub(super) fn long_index(text: &[u8], start: usize) -> Result<(Option<u64>, usize), Fault> {
    let (mut at, mut index) = (start, Some(0u64));
    loop {
        let (count, number, _) = digits(text, at);
        index = index.and_then(|index| index.checked_mul(*TENS.get(count)?)?.checked_add(number));
        at += count;
        if count < 8 {
            break;
        }
    }
    if byte(text, at) == b':' && at > start && index.is_some() { Ok((index, at)) } else { odd_index(text, start) }
}

/// A token that does not begin like `index:`. Gives the index, if it has one after all, and where its colon is; or the end
/// of a token to leave out.
#[cold]
fn odd_index(text: &[u8], start: usize) -> Result<(Option<u64>, usize), Fault> {
    let end = token_end(text, start);
    let token = token(text, start);
    if token.starts_with(b"qid:") {
        return Ok((None, end));
    }
    // A blank that is no ASCII.
    if end == start {
        return Ok((None, skip_blanks(text, start)));
    }
    let pair = split_once(token, b':');
    if pair.map_or(token, |(index, _)| index).iter().any(|byte| matches!(byte, b',' | b';')) {
        return fault(start, end, COMMAS, BLANKS);
    }
    let Some((index, _)) = pair else {
        if is_vowpal_wabbit(line_around(text, start).trim_ascii()) {
            const PROBLEM: &str = "this line is in Vowpal Wabbit's format, and the text is read as svmlight rows";
            return fault(start, end, PROBLEM, "where all lines are so, give `format` vw; else write each as `label index:value ...`");
        }
        let next = skip_blanks(text, end);
        if byte(text, next) == b':' && byte(text, next + 1) != b':' {
            return fault(start, token_end(text, next), "a blank stands before the colon", PAIRS);
        }
        if token.first().is_some_and(u8::is_ascii_alphabetic) && token.contains(&b'=') {
            return fault(start, end, "this is a named feature, with `=` in place of a colon", NAMED);
        }
        if is_rating(text, start) {
            return fault(start, end, mixed::RATING, mixed::REMEDY);
        }
        return fault(start, end, "this is no `index:value` pair", PAIRS);
    };
    if index.is_empty() {
        return fault(start, end, "the index is missing before the colon", "write each feature as `index:value`");
    }
    if !index.iter().all(u8::is_ascii_digit) {
        return fault(start, end, "the index is no whole number", NAMED);
    }
    match std::str::from_utf8(index).ok().and_then(|digits| digits.parse().ok()) {
        Some(number) => Ok((Some(number), start + index.len())),
        None => fault(start, end, "the index is out of the range of 64-bit integers", "hash or renumber the features below 2^64"),
    }
}

/// A value that is not written as most are, and where it ends. The token begins at `start`, its value at `at`.
#[cold]
pub(super) fn value(text: &[u8], start: usize, at: usize) -> Result<(f32, usize), Fault> {
    let end = token_end(text, at);
    let token = token(text, at);
    if token.is_empty() {
        return fault(start, end, "the value is missing after the colon", PAIRS);
    }
    if let Some(comma) = token.iter().find(|byte| matches!(byte, b',' | b';')) {
        let is_list = split_once(token, *comma).is_some_and(|(_, rest)| rest.is_empty() || rest.contains(&b':'));
        if is_list {
            return fault(start, end, COMMAS, BLANKS);
        }
        return fault(start, end, "the value has a comma", "write decimals with a point, and blanks between features");
    }
    if token.contains(&b':') {
        return fault(
            start,
            end,
            "this has more than one colon",
            "write each feature as `index:value`; of rows `label field:index:value ...`, give `format` libffm",
        );
    }
    match long_number(token) {
        Ok(value) => Ok((value, end)),
        Err(Why::NoNumber) => fault(start, end, "the value is no number", "write each feature as `index:value` with a real value"),
        Err(Why::Nan) => fault(start, end, "the value is NaN", REMEDY_FINITE),
        Err(Why::Infinite) => fault(start, end, "the value is infinite", REMEDY_FINITE),
        Err(Why::Range) => fault(start, end, "the value is out of the range of 32-bit floats", "scale the values below 3.4e38"),
    }
}

/// The line around a place.
fn line_around(text: &[u8], at: usize) -> &[u8] {
    let start = memchr::memrchr(b'\n', up_to(text, at)).map_or(0, |newline| newline + 1);
    up_to(from(text, start), line_end(text, at) - start)
}

/// Whether the line around a place has three or four fields without a colon among them.
fn is_rating(text: &[u8], at: usize) -> bool {
    let line = line_around(text, at);
    let fields = line.split(|&byte| blank(byte) || byte == b'\n').filter(|field| !field.is_empty());
    matches!(fields.count(), 3..=4) && !line.contains(&b':') && !line.contains(&b'#')
}
