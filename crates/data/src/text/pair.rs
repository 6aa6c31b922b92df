//! `index:value`, as rows have it and as lines of other formats may.

use crate::bytes::split_once;
use crate::text::fields::{Separator, Shape};

pub(crate) fn is_number(token: &[u8]) -> bool {
    Shape::of(token, Separator::Blanks).number().is_some()
}

/// `index:value`.
pub(crate) fn is_pair(token: &[u8]) -> bool {
    let Some((index, value)) = split_once(token, b':') else { return false };
    !index.is_empty() && index.iter().all(u8::is_ascii_digit) && is_number(value)
}
