//! `label index:value index:value ...`, with comments after `#` and query numbers left out.

use hashbrown::HashSet;

use super::number::{TENS, Why, byte, digits, long_number, short_number};
use super::{Fault, Parsed, REMEDY_FINITE, REMEDY_MIXED, blank, fault, line_end};
use crate::data::dictionary::DIRECT;

/// Where a token ends at a blank, a comment or the end of the line.
#[inline]
fn closes(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'#')
}

fn token_end(text: &[u8], mut at: usize) -> usize {
    while !closes(byte(text, at)) {
        at += 1;
    }
    at
}

/// Parses one line from `place`, leaves `place` after its newline.
#[inline]
pub(super) fn row(text: &[u8], place: &mut usize, out: &mut Parsed) -> Result<(), Fault> {
    let mut at = *place;
    while blank(byte(text, at)) {
        at += 1;
    }
    if matches!(byte(text, at), b'\n' | b'#') {
        *place = line_end(text, at);
        return Ok(());
    }
    let line = at;
    let (label, end) = match short_number(text, at) {
        Some((label, end)) if closes(byte(text, end)) => (label, end),
        _ => label(text, at)?,
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
                b' ' | b'\t' | b'\r' => {
                    at += 1;
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
            if index == last {
                return repeated(start, end);
            }
            ascending = false;
        }
        last = index;
        out.codes.push(if index < DIRECT { index as u32 } else { out.others.push_number(index) });
        out.values.push(value);
        ones &= value.to_bits() == 1f32.to_bits();
    }
    if !ascending {
        let others = out.others.numbers(first_other);
        find_repeated(text, line, out.codes.get(first..).unwrap_or_default(), others, &mut out.sorted)?;
    }
    out.ones &= ones;
    out.labels.push(label);
    out.lengths.push((out.codes.len() - first) as u32);
    *place = at;
    Ok(())
}

#[cold]
fn label(text: &[u8], start: usize) -> Result<(f32, usize), Fault> {
    let end = token_end(text, start);
    let token = text.get(start..end).unwrap_or_default();
    if token.contains(&b':') {
        return fault(start, end, "the label is missing", "begin each row with its label: `label index:value ...`");
    }
    match long_number(token) {
        Ok(label) => Ok((label, end)),
        Err(Why::NoNumber) => fault(start, end, "the label is no number", "labels are +1, -1, 0, 1 or any real number"),
        Err(Why::Nan) => fault(start, end, "the label is NaN", REMEDY_FINITE),
        Err(Why::Infinite) => fault(start, end, "the label is infinite", REMEDY_FINITE),
        Err(Why::Range) => fault(start, end, "the label is out of the range of 32-bit floats", "scale the labels below 3.4e38"),
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
    let Some(colon) = memchr::memchr(b':', token) else {
        if is_rating(text, start) {
            return fault(start, end, "this is a rating, but the text is read as svmlight rows", REMEDY_MIXED);
        }
        return fault(start, end, "this is no `index:value` pair", "write each feature as `index:value`, without blanks around the colon");
    };
    let index = token.get(..colon).unwrap_or_default();
    if index.is_empty() {
        return fault(start, end, "the index is missing before the colon", "write each feature as `index:value`");
    }
    if !index.iter().all(u8::is_ascii_digit) {
        return fault(start, end, "the index is no whole number", "indices are whole numbers from 0; number or hash named features first");
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
        return fault(
            start,
            end,
            "the value is missing after the colon",
            "write each feature as `index:value`, without blanks around the colon",
        );
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

fn repeated(start: usize, end: usize) -> Result<(), Fault> {
    fault(start, end, "the index is repeated in this row", "give each feature once a row, adding its values up")
}

/// Finds an index that a row whose indices do not ascend has twice.
#[inline(never)]
fn find_repeated(
    text: &[u8],
    line: usize,
    codes: &[u32],
    others: impl Iterator<Item = u64> + Clone,
    sorted: &mut Vec<u64>,
) -> Result<(), Fault> {
    let ids = || {
        let mut others = others.clone();
        codes.iter().map(move |&code| if u64::from(code) < DIRECT { code.into() } else { others.next().unwrap_or(0) })
    };
    sorted.clear();
    sorted.extend(ids());
    sorted.sort_unstable();
    if !sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Ok(());
    }
    let mut seen = HashSet::with_hasher(foldhash::fast::FixedState::default());
    let position = ids().position(|id| !seen.insert(id)).unwrap_or(0);
    // The label and any query number come first; then the pairs in their order.
    let (mut at, mut left) = (token_end(text, line), position);
    loop {
        while blank(byte(text, at)) {
            at += 1;
        }
        let end = token_end(text, at);
        if at == end || (left == 0 && byte(text, at).is_ascii_digit()) {
            return repeated(at, end);
        }
        if byte(text, at).is_ascii_digit() {
            left -= 1;
        }
        at = end;
    }
}

/// Whether the line around a place has three or four fields without a colon among them.
fn is_rating(text: &[u8], at: usize) -> bool {
    let start = text.get(..at).and_then(|before| memchr::memrchr(b'\n', before)).map_or(0, |newline| newline + 1);
    let line = text.get(start..line_end(text, at)).unwrap_or_default();
    let fields = line.split(|&byte| blank(byte) || byte == b'\n').filter(|field| !field.is_empty());
    matches!(fields.count(), 3..=4) && !line.contains(&b':') && !line.contains(&b'#')
}
