//! What the first lines of rows may be besides rows: a line of counts, or rows with commas, which are named once they are read as rows.

use super::Format;
use super::odd::wide_blank;
use super::svmlight::{skip_blanks, token_end};

/// The format of a text whose first line does not look like it: rows after a line of counts, with commas between features, or either
/// format with blanks that are no ASCII.
pub(super) fn told(text: &[u8]) -> Option<Format> {
    let first = lines(text).next().unwrap_or_default();
    if is_comma_row(first) || are_counts(text) {
        return Some(Format::Svmlight);
    }
    match tokens(first).count() {
        _ if !has_wide_blank(first) => None,
        _ if is_row(first) => Some(Format::Svmlight),
        2..=4 if !first.contains(&b':') => Some(Format::Ratings),
        _ => None,
    }
}

fn has_wide_blank(line: &[u8]) -> bool {
    (0..line.len()).any(|at| wide_blank(line, at) > 0)
}

/// Whether a text begins with a line of counts that rows follow.
pub(super) fn are_counts(text: &[u8]) -> bool {
    let mut lines = lines(text);
    lines.next().is_some_and(is_counts) && lines.next().is_some_and(is_row)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').take(1000).filter(|line| !is_empty(line))
}

fn is_empty(line: &[u8]) -> bool {
    line.trim_ascii().is_empty() || line.trim_ascii_start().starts_with(b"#")
}

fn tokens(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = skip_blanks(line, at);
        at = token_end(line, start);
        line.get(start..at).filter(|token| !token.is_empty())
    })
}

/// Two to four whole numbers, as some exports begin with: rows, features, and labels or nonzeros.
fn is_counts(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    let is_count = |token: &[u8]| token.len() < 20 && token.iter().all(u8::is_ascii_digit);
    matches!(tokens(line).count(), 2..=4) && tokens(line).all(is_count)
}

/// Whether a token is `index:value`, and not `a::b`.
fn is_pair(token: &[u8]) -> bool {
    let colon = token.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(0);
    colon > 0 && token.get(colon) == Some(&b':') && token.get(colon + 1).is_some_and(|&next| next != b':')
}

/// Whether the first pair comes first or second.
fn is_row(line: &[u8]) -> bool {
    tokens(line).take(2).any(is_pair)
}

/// A label and pairs between commas or semicolons, perhaps with blanks beside them.
fn is_comma_row(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let mut fields = line.split(|&byte| matches!(byte, b',' | b';')).map(<[u8]>::trim_ascii);
    let label = fields.next().unwrap_or_default();
    let mut pairs = fields.filter(|field| !field.is_empty()).peekable();
    !label.is_empty() && pairs.peek().is_some() && pairs.all(is_pair)
}
