//! A line of counts, as some exports put before their rows.

use super::{skip_blanks, token_end};
use crate::bytes::part;

/// Whether a text begins with a line of counts that rows follow.
pub(crate) fn are_counts(text: &[u8]) -> bool {
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
        Some(part(line, start..at)).filter(|token| !token.is_empty())
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
