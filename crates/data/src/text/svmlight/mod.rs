//! `label index:value index:value ...`, with comments after `#` and query numbers left out; for predictions also without the label.

pub(crate) mod counts;

use crate::dictionary::DIRECT;
use crate::text::guess::{REWRITE, VOWPAL_WABBIT, is_vowpal_wabbit};
use crate::text::number::{TENS, Why, byte, digits, long_number, short_number};
use crate::text::odd::{character, lone_return, wide_blank};
use crate::text::repeated::{Repeated, repeated, settle};
use crate::text::{Fault, MISSING, Parsed, REMEDY_FINITE, blank, fault, line_end, mixed, readable};

const PAIRS: &str = "write each feature as `index:value`, without blanks around the colon";
const NAMED: &str = "indices are whole numbers from 0: number the names (or hash them), as in `index:value`";
const COMMAS: &str = "commas or semicolons separate the features of this row, and blanks should";
const BLANKS: &str = "put blanks in their place: `label index:value index:value ...`";

/// Where a token ends at a blank, a comment or the end of the line.
#[inline]
fn closes(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'#')
}

/// The end of a token, for what is odd about it: blanks that are no ASCII end it too.
pub(crate) fn token_end(text: &[u8], mut at: usize) -> usize {
    while !closes(byte(text, at)) && wide_blank(text, at) == 0 {
        at += character(text, at);
    }
    at
}

/// Where the blanks end, those included that are no ASCII.
pub(crate) fn skip_blanks(text: &[u8], mut at: usize) -> usize {
    loop {
        match wide_blank(text, at) {
            0 if blank(byte(text, at)) => at += 1,
            0 => return at,
            wide => at += wide,
        }
    }
}

/// Parses one line from `place`, leaves `place` after its newline.
#[inline]
pub(crate) fn row(text: &[u8], place: &mut usize, out: &mut Parsed) -> Result<(), Fault> {
    let mut at = *place;
    while blank(byte(text, at)) {
        at += 1;
    }
    if byte(text, at) > 127 {
        at = skip_blanks(text, at);
    }
    if matches!(byte(text, at), b'\n' | b'#') {
        *place = line_end(text, at);
        return Ok(());
    }
    let line = at;
    let (label, end) = match short_number(text, at) {
        Some((label, end)) if closes(byte(text, end)) => (label, end),
        _ => {
            let (label, end) = label(text, at, out.how.unlabelled)?;
            if end == at && out.headless.is_none() {
                out.headless = Some((out.lines + 1, readable(text.get(at..token_end(text, at)).unwrap_or_default())));
            }
            (label, end)
        }
    };
    at = end + usize::from(byte(text, end) == b' ');
    let (first, first_other) = (out.codes.len(), out.others.0.len());
    let (mut last, mut ascending) = (0u64, true);
    let (mut width, mut ones) = (1, true);
    loop {
        let start = at;
        let (count, mut index, after) = digits(text, start);
        // Most indices are as long as the one before. Guessing so, the processor need not wait for the count to go on.
        if count != width {
            width = count;
            continue;
        }
        let mut colon = start + width;
        if width == 0 || after != b':' {
            // A blank more, the end of the line, a long index, or something odd.
            match byte(text, start) {
                b' ' | b'\t' => {
                    at += 1;
                    continue;
                }
                b'\r' => {
                    while blank(byte(text, at)) {
                        at += 1;
                    }
                    if byte(text, at) != b'\n' {
                        return Err(lone_return(text, start));
                    }
                    continue;
                }
                b'\n' => {
                    at += 1;
                    break;
                }
                b'#' => {
                    at = line_end(text, at);
                    break;
                }
                _ => match long_index(text, start)? {
                    (Some(found), end) => (index, colon) = (found, end),
                    (None, end) => {
                        at = end;
                        continue;
                    }
                },
            }
        }
        let (value, end) = match short_number(text, colon + 1) {
            Some((value, end)) if closes(byte(text, end)) => (value, end),
            _ => value(text, start, colon + 1)?,
        };
        at = end + usize::from(byte(text, end) == b' ');
        if index <= last && out.codes.len() > first {
            if index == last && out.how.repeated == Repeated::Error {
                return Err(repeated(start, end));
            }
            ascending = false;
        }
        last = index;
        out.codes.push(if index < DIRECT { index as u32 } else { out.others.push_number(index) });
        out.values.push(value);
        ones &= value.to_bits() == 1f32.to_bits();
    }
    if !ascending {
        settle(text, line, (first, first_other), out)?;
        ones = out.values.iter().skip(first).all(|value| value.to_bits() == 1f32.to_bits());
    }
    out.unlabelled |= label.is_nan();
    out.ones &= ones;
    out.labels.push(label);
    out.lengths.push((out.codes.len() - first) as u32);
    *place = at;
    Ok(())
}

/// A label that is no plain number; where rows may lack labels, [`MISSING`] for anything, and the row's features may begin in its place.
#[cold]
fn label(text: &[u8], start: usize, unlabelled: bool) -> Result<(f32, usize), Fault> {
    let end = token_end(text, start);
    let token = text.get(start..end).unwrap_or_default();
    let comma = token.iter().any(|byte| matches!(byte, b',' | b';'));
    if comma && (token.contains(&b':') || token.ends_with(b",") || token.ends_with(b";")) {
        return fault(start, end, COMMAS, BLANKS);
    }
    if let Some(colon) = memchr::memchr(b':', token) {
        const ALONE: &str = "begin each row with its label alone: `label index:value ...`; `predict` takes rows without labels";
        if is_weighted(text, token, colon, end) {
            let remedy = "leave `:weight` away: `label index:value ...`";
            return fault(start, end, "this is `label:weight`, and weights of examples are not read yet", remedy);
        }
        if unlabelled {
            return Ok((MISSING, start));
        }
        return fault(start, end, "the label is missing, or is followed by a weight (`label:weight`), and those are not read yet", ALONE);
    }
    match long_number(token) {
        Ok(label) => Ok((label, end)),
        Err(_) if unlabelled && !token.iter().any(u8::is_ascii_control) => Ok((MISSING, end)),
        Err(Why::NoNumber) if comma => {
            fault(start, end, "the label has a comma", "give one label a row, a number with a point for its decimals")
        }
        Err(Why::NoNumber) => {
            fault(start, end, "the label is no number", "labels are +1, -1, 0, 1 or any real number; `predict` takes rows without labels")
        }
        Err(Why::Nan) => fault(start, end, "the label is NaN", REMEDY_FINITE),
        Err(Why::Infinite) => fault(start, end, "the label is infinite", REMEDY_FINITE),
        Err(Why::Range) => fault(start, end, "the label is out of the range of 32-bit floats", "scale the labels below 3.4e38"),
    }
}

/// Whether `a:b` before a row's pairs can only be a label and its weight: `a` is no index, or that of the first pair.
fn is_weighted(text: &[u8], token: &[u8], colon: usize, end: usize) -> bool {
    let (label, weight) = (token.get(..colon).unwrap_or_default(), token.get(colon + 1..).unwrap_or_default());
    if long_number(label).is_err() || long_number(weight).is_err() {
        return false;
    }
    let next = skip_blanks(text, end);
    let following = text.get(next..token_end(text, next)).unwrap_or_default();
    let index =
        |text: &[u8]| std::str::from_utf8(text).ok().filter(|text| !text.starts_with('+')).and_then(|text| text.parse::<u64>().ok());
    let first = memchr::memchr(b':', following).and_then(|colon| following.get(..colon)).and_then(index);
    match (index(label), first) {
        (Some(label), Some(first)) => label == first,
        (index, _) => index.is_none(),
    }
}

/// An index of any number of digits, and where its colon is; the rest is odd.
fn long_index(text: &[u8], start: usize) -> Result<(Option<u64>, usize), Fault> {
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
    let token = text.get(start..end).unwrap_or_default();
    if token.starts_with(b"qid:") {
        return Ok((None, end));
    }
    // A blank that is no ASCII.
    if end == start {
        return Ok((None, skip_blanks(text, start)));
    }
    let colon = memchr::memchr(b':', token);
    if token.iter().take(colon.unwrap_or(token.len())).any(|byte| matches!(byte, b',' | b';')) {
        return fault(start, end, COMMAS, BLANKS);
    }
    let Some(colon) = colon else {
        if is_vowpal_wabbit(line_around(text, start)) {
            return fault(start, end, VOWPAL_WABBIT, REWRITE);
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
    let index = token.get(..colon).unwrap_or_default();
    if index.is_empty() {
        return fault(start, end, "the index is missing before the colon", "write each feature as `index:value`");
    }
    if !index.iter().all(u8::is_ascii_digit) {
        return fault(start, end, "the index is no whole number", NAMED);
    }
    match std::str::from_utf8(index).ok().and_then(|index| index.parse().ok()) {
        Some(index) => Ok((Some(index), start + colon)),
        None => fault(start, end, "the index is out of the range of 64-bit integers", "hash or renumber the features below 2^64"),
    }
}

#[cold]
fn value(text: &[u8], start: usize, at: usize) -> Result<(f32, usize), Fault> {
    let end = token_end(text, at);
    let token = text.get(at..end).unwrap_or_default();
    if token.is_empty() {
        return fault(start, end, "the value is missing after the colon", PAIRS);
    }
    if let Some(comma) = token.iter().position(|byte| matches!(byte, b',' | b';')) {
        let rest = token.get(comma + 1..).unwrap_or_default();
        if rest.is_empty() || rest.contains(&b':') {
            return fault(start, end, COMMAS, BLANKS);
        }
        return fault(start, end, "the value has a comma", "write decimals with a point, and blanks between features");
    }
    if token.contains(&b':') {
        return fault(start, end, "this has more than one colon", "write each feature as `index:value`; field-aware triples are not read");
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
    let start = text.get(..at).and_then(|before| memchr::memrchr(b'\n', before)).map_or(0, |newline| newline + 1);
    text.get(start..line_end(text, at)).unwrap_or_default()
}

/// Whether the line around a place has three or four fields without a colon among them.
fn is_rating(text: &[u8], at: usize) -> bool {
    let line = line_around(text, at);
    let fields = line.split(|&byte| blank(byte) || byte == b'\n').filter(|field| !field.is_empty());
    matches!(fields.count(), 3..=4) && !line.contains(&b':') && !line.contains(&b'#')
}
