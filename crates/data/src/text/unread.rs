//! Formats that are not read, told from single lines.

use crate::bytes::{blank, split_once, words};
use crate::text::fields::{Separator, Shape};
use crate::text::pair::is_pair;

/// A format that is named and refused.
pub(crate) struct Unread {
    pub(crate) recognises: fn(&[u8]) -> bool,
    pub(crate) problem: &'static str,
}

/// In the order in which they are looked for, before all formats that are read.
pub(crate) const UNREAD: [Unread; 2] = [
    Unread { recognises: is_vowpal_wabbit, problem: VOWPAL_WABBIT },
    Unread { recognises: is_libffm, problem: "this is libffm's format (`label field:index:value ...`), which is not read" },
];

pub(crate) const VOWPAL_WABBIT: &str = "this is Vowpal Wabbit's format, which is not read";
pub(crate) const REWRITE: &str = "write each row as `label index:value index:value ...`, or each rating as `user item rating`";

/// A number, and nothing but triples behind it.
fn is_libffm(line: &[u8]) -> bool {
    let is_number = words(line).next().is_some_and(|label| Shape::of(label, Separator::Blanks).number().is_some());
    let rest = || words(line).skip(1).take_while(|word| !word.starts_with(b"#"));
    is_number && rest().next().is_some() && rest().all(is_triple)
}

/// `field:index:value`.
fn is_triple(token: &[u8]) -> bool {
    let Some((field, rest)) = split_once(token, b':') else { return false };
    !field.is_empty() && field.iter().all(u8::is_ascii_digit) && is_pair(rest)
}

/// A bar behind the label (and perhaps weight and tag) or at the beginning; and no table between bars.
pub(crate) fn is_vowpal_wabbit(line: &[u8]) -> bool {
    let Some((before, after)) = split_once(line, b'|') else { return false };
    let tag = before.rsplit(|&byte| blank(byte)).next().unwrap_or_default();
    let glued = !tag.is_empty() && !tag.starts_with(b"'");
    let mut labels = words(before).filter(|word| !word.starts_with(b"'"));
    // Between bars from end to end, as Markdown has rows of a table.
    let is_framed = before.is_empty() && line.len() > 1 && line.ends_with(b"|");
    if glued || is_framed || !labels.all(|token| Shape::of(token, Separator::Blanks).number().is_some()) {
        return false;
    }
    let cell = |part: &[u8]| !part.trim_ascii().is_empty() && !part.trim_ascii().iter().any(|&byte| blank(byte));
    let parts = || line.split(|&byte| byte == b'|');
    let is_table = after.first().is_some_and(|&byte| blank(byte)) && parts().count() > 2 && parts().all(cell);
    !is_table
}
