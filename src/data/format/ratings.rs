//! `user item rating [time]`, separated by blanks, tabs, commas or `::`; users and items are numbers or names.

use super::number::{Why, byte, digits, long_number, short_number};
use super::{Fault, MISSING, Parsed, REMEDY_FINITE, REMEDY_MIXED, blank, fault, line_end, odd};

/// Parses one line from `place`, leaves `place` after its newline.
#[inline]
pub(super) fn row(text: &[u8], place: &mut usize, out: &mut Parsed, may_be_header: bool) -> Result<(), Fault> {
    let Some((user, item, rating, end)) = usual(text, *place) else {
        return any(text, place, out, may_be_header).map_err(|found| mixed(text, *place).unwrap_or(found));
    };
    out.codes.push(user);
    out.items.push(item);
    out.values.push(rating);
    *place = end;
    Ok(())
}

/// A line of two plain numbers of at most seven digits and a rating, perhaps with a time.
#[inline]
fn usual(text: &[u8], at: usize) -> Option<(u32, u32, f32, usize)> {
    let (user, at) = plain(text, at)?;
    let (item, at) = plain(text, at)?;
    let (rating, at) = short_number(text, at)?;
    let end = match byte(text, at) {
        b'\n' => at + 1,
        b'\r' if byte(text, at + 1) == b'\n' => at + 2,
        _ => {
            let mut at = separator(text, at)?;
            loop {
                let (count, ..) = digits(text, at);
                at += count;
                if count < 8 {
                    break;
                }
            }
            match byte(text, at) {
                b'\n' => at + 1,
                b'\r' if byte(text, at + 1) == b'\n' => at + 2,
                _ => return None,
            }
        }
    };
    Some((user, item, rating, end))
}

/// A number and what separates it from the next.
#[inline]
fn plain(text: &[u8], at: usize) -> Option<(u32, usize)> {
    let (count, number, _) = digits(text, at);
    // A name that is written with a leading zero is another than the number.
    let is_plain = count > 0 && count < 8 && (count == 1 || byte(text, at) != b'0');
    Some((number as u32, separator(text, at + count).filter(|_| is_plain)?))
}

/// The place after one separator.
#[inline]
fn separator(text: &[u8], at: usize) -> Option<usize> {
    match byte(text, at) {
        b' ' | b'\t' | b',' => Some(at + 1),
        b':' if byte(text, at + 1) == b':' => Some(at + 2),
        _ => None,
    }
}

/// What is wrong with a line that is an svmlight row.
#[cold]
fn mixed(text: &[u8], at: usize) -> Option<Fault> {
    let ([label, (start, end), ..], _) = fields(text, at);
    let pair = text.get(start..end)?;
    let colon = memchr::memchr(b':', pair)?;
    let is_row = colon > 0 && pair.iter().take(colon).all(u8::is_ascii_digit) && short_number(text, label.0)?.1 == label.1;
    is_row.then_some(Fault { start, end, problem: "this is an svmlight row, but the text is read as ratings", remedy: REMEDY_MIXED })
}

/// Any line, field by field.
fn any(text: &[u8], place: &mut usize, out: &mut Parsed, may_be_header: bool) -> Result<(), Fault> {
    let start = *place;
    let ([user, item, rating, _, _], count) = fields(text, start);
    let end = line_end(text, start);
    if count == 0 {
        *place = end;
        return Ok(());
    }
    let line = text.get(start..end).unwrap_or_default().trim_ascii_end().len() + start;
    const ROW: &str = "write each rating as `user item rating [time]`, separated by blanks, tabs, commas or `::`";
    let token = text.get(rating.0..rating.1).unwrap_or_default();
    let unlabelled = out.how.unlabelled;
    let titles = [user, item].map(|(start, end)| text.get(start..end).unwrap_or_default());
    if may_be_header && (if unlabelled { titles.into_iter().all(names_a_column) } else { count >= 3 && is_title(token) }) {
        *place = end;
        return Ok(());
    }
    if let Some(nul) = odd::nul(text, start, end) {
        return Err(nul);
    }
    if user.0 == user.1 {
        return fault(user.0, line, "the user is missing", ROW);
    }
    if count < 2 || item.0 == item.1 {
        return fault(user.0, line, "the item is missing", ROW);
    }
    if !unlabelled && (count < 3 || token.is_empty()) {
        return fault(user.0, line, "the rating is missing", ROW);
    }
    if count > 4 {
        return fault(user.0, line, "this has more than four fields", ROW);
    }
    let value = match short_number(text, rating.0) {
        Some((value, end)) if end == rating.1 => Ok(value),
        _ => long_number(token),
    };
    let value = match value {
        Ok(value) => value,
        Err(_) if unlabelled => {
            out.unlabelled = true;
            MISSING
        }
        Err(Why::NoNumber) => return fault(rating.0, rating.1, "the rating is no number", ROW),
        Err(Why::Nan) => return fault(rating.0, rating.1, "the rating is NaN", REMEDY_FINITE),
        Err(Why::Infinite) => return fault(rating.0, rating.1, "the rating is infinite", REMEDY_FINITE),
        Err(Why::Range) => {
            return fault(rating.0, rating.1, "the rating is out of the range of 32-bit floats", "scale the ratings below 3.4e38");
        }
    };
    out.codes.push(out.others.push(text, user));
    out.items.push(out.other_items.push(text, item));
    out.values.push(value);
    *place = end;
    Ok(())
}

/// Whether a third field is the heading of a column: neither a number nor an attempt at one.
fn is_title(token: &[u8]) -> bool {
    let begins = token.first().is_some_and(|byte| !byte.is_ascii_digit() && !matches!(byte, b'-' | b'+' | b'.'));
    begins && matches!(long_number(token), Err(Why::NoNumber))
}

/// Whether a field of the first line is what users or items are called; for predictions, where any word may be in place of a rating.
fn names_a_column(field: &[u8]) -> bool {
    let name: Vec<u8> = field.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    let names: [&[u8]; 13] = [
        b"user",
        b"userid",
        b"uid",
        b"users",
        b"item",
        b"itemid",
        b"iid",
        b"items",
        b"movie",
        b"movieid",
        b"product",
        b"productid",
        b"book",
    ];
    names.contains(&name.as_slice())
}

/// The places of the first five fields between `at` and the end of the line, and how many there are.
pub(super) fn fields(text: &[u8], mut at: usize) -> ([(usize, usize); 5], usize) {
    let (mut found, mut count) = ([(0, 0); 5], 0);
    while blank(byte(text, at)) {
        at += 1;
    }
    if byte(text, at) == b'\n' {
        return (found, 0);
    }
    while let Some(place) = found.get_mut(count) {
        let start = at;
        loop {
            match byte(text, at) {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => break,
                b':' if byte(text, at + 1) == b':' => break,
                _ => at += 1,
            }
        }
        *place = (start, at);
        count += 1;
        while blank(byte(text, at)) {
            at += 1;
        }
        match byte(text, at) {
            b'\n' => break,
            b',' => at += 1,
            b':' if byte(text, at + 1) == b':' => at += 2,
            _ => continue,
        }
        while blank(byte(text, at)) {
            at += 1;
        }
    }
    (found, count)
}
