//! What rows of svmlight look like, among lines of any text.

use crate::bytes::{split_once, words};
use crate::text::pair::{is_number, is_pair};

/// Whether a line is a row, or was meant as one: then the parser names what is wrong.
pub(crate) fn is_row(line: &[u8]) -> bool {
    let (label, second) = (words(line).next().unwrap_or_default(), words(line).nth(1).unwrap_or_default());
    let has_label = is_number(label);
    let rest = || words(line).skip(1).take_while(|token| !token.starts_with(b"#"));
    let (index, value) = split_once(second, b':').unwrap_or_default();
    let is_index = second.starts_with(b"qid:") || index.iter().all(u8::is_ascii_digit);
    // A label may be a word, but then not one that ends in a date, with the time of day behind it.
    let is_label = has_label || is_pair(label) || rest().all(is_pair);
    if !index.is_empty() && !value.starts_with(b":") && is_index && is_label {
        return true;
    }
    // Named features, and pairs with a blank before the colon.
    let is_torn = |token: &[u8]| token.strip_prefix(b":").is_some_and(is_number);
    let all_named = rest().any(is_named) && rest().all(|token| is_named(token) || is_pair(token));
    if has_label && (all_named || second.iter().all(u8::is_ascii_digit) && rest().any(is_torn)) {
        return true;
    }
    // Rows whose fields are separated by other marks.
    let by_mark = |mark: u8| line.split(move |&byte| byte == mark).skip(1).map(<[u8]>::trim_ascii).filter(|part| !part.is_empty());
    b",;\t".iter().any(|&mark| by_mark(mark).next().is_some() && by_mark(mark).all(is_pair))
}

/// `name:value`, or `name=value`.
fn is_named(token: &[u8]) -> bool {
    let mark = token.iter().find(|byte| matches!(byte, b':' | b'='));
    let Some((name, value)) = mark.and_then(|&mark| split_once(token, mark)) else { return false };
    name.first().is_some_and(u8::is_ascii_alphabetic) && is_number(value)
}
