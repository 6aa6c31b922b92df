//! Characters that cannot be seen, or look like others: blanks that are no ASCII, marks, NULs. Where they spoil a row, they are named.

use std::borrow::Cow;

use crate::bytes::{byte, from, part};
use crate::text::fault::Fault;

/// How many bytes long a blank is that is no ASCII: no-break, em, thin, ... in UTF-8, or no-break in Latin-1. 0 where there is none.
pub(crate) fn wide_blank(text: &[u8], at: usize) -> usize {
    match [byte(text, at), byte(text, at + 1), byte(text, at + 2)] {
        [0xa0, ..] => 1,
        [0xc2, 0xa0, _] => 2,
        [0xe1, 0x9a, 0x80] | [0xe2, 0x80, 0x80..=0x8a | 0xaf] | [0xe2, 0x81, 0x9f] | [0xe3, 0x80, 0x80] => 3,
        _ => 0,
    }
}

/// How long the character at a place is, by its first byte and those that go on with it: no more where it is cut short.
pub(crate) fn character(text: &[u8], at: usize) -> usize {
    let more = match byte(text, at) {
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        _ => 0,
    };
    1 + (1..=more).take_while(|&next| matches!(byte(text, at + next), 0x80..=0xbf)).count()
}

/// A line with plain blanks in the place of all others.
pub(crate) fn plain_blanks(line: &[u8]) -> Cow<'_, [u8]> {
    if line.is_ascii() {
        return Cow::Borrowed(line);
    }
    let (mut plain, mut at) = (Vec::with_capacity(line.len()), 0);
    while at < line.len() {
        let wide = wide_blank(line, at);
        let end = at + if wide > 0 { wide } else { character(line, at) };
        plain.extend_from_slice(if wide > 0 { b" " } else { part(line, at..end) });
        at = end;
    }
    Cow::Owned(plain)
}

pub(crate) const LINES: &str = "end lines with LF or CR LF";
pub(crate) const RETURN: &str = "a carriage return (CR) alone stands within the line";
const NUL: &str = "a NUL byte stands here: this is no text, or not all of it";
const PLAIN: &str = "give plain text, in UTF-8";

/// What is wrong with a lone carriage return.
pub(crate) fn lone_return(text: &[u8], at: usize) -> Fault {
    let shown = from(text, at).iter().take(20).take_while(|&&byte| byte != b'\n').count();
    Fault { start: at, end: at + shown, problem: RETURN, remedy: LINES }
}

/// The first NUL of a part of the text.
pub(crate) fn nul(text: &[u8], start: usize, end: usize) -> Option<Fault> {
    let at = start + memchr::memchr(0, part(text, start..end))?;
    Some(Fault { start: at, end: at + 1, problem: NUL, remedy: PLAIN })
}

/// The same fault; or, where something in the text that is at fault looks like nothing or like something else, that.
#[cold]
pub(crate) fn named(text: &[u8], found: Fault) -> Fault {
    let mut at = found.start;
    while at < found.end {
        let (length, problem, remedy) = match [byte(text, at), byte(text, at + 1), byte(text, at + 2)] {
            [0, ..] => (1, NUL, PLAIN),
            [b'\r', next, _] if next != b'\n' && next != b'\r' => (1, RETURN, LINES),
            [0xef, 0xbb, 0xbf] => (
                3,
                "a byte order mark (U+FEFF) stands within the line, as where a file without a last line end was joined to another",
                "join files by `awk 1 FILE...`, or name them one after the other",
            ),
            [0xe2, 0x80, 0x8b..=0x8f] | [0xe2, 0x81, 0xa0] => {
                (3, "a character of no width (such as U+200B) stands here, which cannot be seen", "take it out")
            }
            [0xe2, 0x80, 0xa8 | 0xa9] | [0xc2, 0x85, _] => {
                (3, "a character that separates lines elsewhere (such as U+2028) stands within the line", LINES)
            }
            [0x01..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f, ..] => {
                (1, "a control character stands here, which cannot be seen", "take it out")
            }
            [0xe2, 0x88, 0x92] | [0xe2, 0x80, 0x90..=0x94] if at == found.start || byte(text, at - 1) == b':' => {
                (3, "this has a dash that is no minus sign (such as U+2212)", "write `-` for minus")
            }
            _ if wide_blank(text, at) > 0 => (
                wide_blank(text, at),
                "a blank that is no plain one stands here, such as a no-break blank (U+00A0)",
                "put plain blanks in its place",
            ),
            _ => {
                at += character(text, at);
                continue;
            }
        };
        // Shown with what is around it, as it cannot be seen itself.
        let start = if length > 1 { found.start } else { at };
        return Fault { start, end: found.end.max(at + length), problem, remedy };
    }
    found
}
