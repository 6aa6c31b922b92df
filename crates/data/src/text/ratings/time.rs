//! Times beside ratings: what is one, and what a field is in the place of one that is none.

use crate::text::fields::Shape;

/// The least number that is a time: seconds since 1970, or a date as in 20200101.
pub(crate) const TIME: f32 = 1e7;

/// What is wrong with a field too many that is no time, and the remedy.
pub(crate) const DECIMAL_COMMA: (&str, &str) = (
    "this has one field more than other lines, which is no time: the comma may be a decimal one",
    "write 3.5 for 3,5, or separate the fields by tabs, semicolons or bars; leave the last field out, if it is no part of the rating",
);

/// Whether a field is a number, and too small for a time.
pub(crate) fn is_no_time(shape: Shape) -> bool {
    shape.number().is_some_and(|number| number < TIME)
}

/// `12:30`, which is a pair by its looks.
pub(crate) fn is_time_of_day(token: &[u8]) -> bool {
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u8>().ok();
    match token {
        [hour @ .., b':', b'0'..=b'5', b'0'..=b'9'] => hour.len() < 3 && number(hour).is_some_and(|hour| hour < 24),
        _ => false,
    }
}
