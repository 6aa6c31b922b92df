//! Looking into text: bytes, parts and lines by their places.
//!
//! A place beyond the end reads as a newline, for a chunk ends in newlines. A part is what lies between two places of the text; bounds that
//! do not lie in it are a mistake of the parser, which its tests stop at.

use std::ops::Range;

/// The byte at a place; a newline beyond the end.
#[inline]
pub(crate) fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(b'\n')
}

/// What lies between two places.
#[inline]
pub(crate) fn part(text: &[u8], places: Range<usize>) -> &[u8] {
    debug_assert!(places.start <= places.end && places.end <= text.len(), "{places:?} of {} bytes", text.len());
    up_to(from(text, places.start), places.end.saturating_sub(places.start))
}

/// All from a place on; nothing where that is the end or beyond.
#[inline]
pub(crate) fn from(text: &[u8], at: usize) -> &[u8] {
    text.split_at_checked(at).map_or(&[], |(_, rest)| rest)
}

/// The first so many bytes, or all where there are fewer.
#[inline]
pub(crate) fn up_to(text: &[u8], length: usize) -> &[u8] {
    text.split_at_checked(length).map_or(text, |(start, _)| start)
}

/// What stands before and behind the first such byte.
pub(crate) fn split_once(text: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
    let (before, rest) = text.split_at_checked(memchr::memchr(mark, text)?)?;
    rest.split_first().map(|(_, behind)| (before, behind))
}

/// Whether a byte is a blank, a tab or a carriage return.
#[inline]
pub(crate) fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// The parts between blanks.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    line.split(|&byte| blank(byte)).filter(|word| !word.is_empty())
}

/// The place after the newline; one beyond the end where there is none.
pub(crate) fn line_end(text: &[u8], at: usize) -> usize {
    at + memchr::memchr(b'\n', from(text, at)).map_or(text.len(), |n| n + 1)
}

/// A text's lines, each with its newline and the place where it begins.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        at = line_end(text, start).min(text.len());
        (start < text.len()).then(|| (start, part(text, start..at)))
    })
}

/// At most 40 characters of one line.
pub(crate) fn readable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(up_to(text, 200));
    let text: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    match text.char_indices().nth(40).and_then(|(end, _)| text.split_at_checked(end)) {
        Some((start, _)) => format!("{start}..."),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_at_the_edges() {
        assert_eq!((byte(b"ab", 1), byte(b"ab", 2)), (b'b', b'\n'));
        assert_eq!((part(b"abc", 1..3), part(b"abc", 3..3)), (&b"bc"[..], &b""[..]));
        assert_eq!((from(b"abc", 3), from(b"abc", 4), up_to(b"abc", 9)), (&b""[..], &b""[..], &b"abc"[..]));
        assert_eq!(split_once(b"a:b:c", b':'), Some((&b"a"[..], &b"b:c"[..])));
        assert_eq!((split_once(b"a", b':'), split_once(b":", b':')), (None, Some((&b""[..], &b""[..]))));
        assert_eq!(lines(b"a\n\nb").collect::<Vec<_>>(), [(0, &b"a\n"[..]), (2, b"\n"), (3, b"b")]);
        assert_eq!(lines(b"").next(), None);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic]
    fn a_wrong_bound_is_noticed() {
        part(b"abc", 2..4);
    }
}
