//! Numbers in text: eight digits at a time, and decimals rounded as the standard library rounds them.
//!
//! A mantissa of at most 19 digits times a power of ten between -22 and 22 has, in double precision, an error of at most three
//! units in the last place: one for the mantissa, one for the power, one for the product. Rounding that to single precision is right unless
//! a midpoint between two singles is that near (Clinger 1990, with a wider type in place of an exact one); those few, and all that is
//! written otherwise, go to the standard library.

use crate::bytes::byte;

const POWERS: [f64; 23] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];
const FRACTIONS: [f64; 23] = [
    1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18, 1e-19, 1e-20,
    1e-21, 1e-22,
];
pub(crate) const TENS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The eight bytes from `at`, the first one lowest. No digits where the text ends before.
#[inline(always)]
fn word(text: &[u8], at: usize) -> u64 {
    text.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Up to eight leading digits: how many, what number, and the byte after them (0 after eight).
#[inline(always)]
pub(crate) fn digits(text: &[u8], at: usize) -> (usize, u64, u8) {
    let word = word(text, at);
    let cells = word ^ 0x3030_3030_3030_3030;
    // Bytes above 9 get their high bit. A carry from one reaches only those after it.
    let others = (cells.wrapping_add(0x7676_7676_7676_7676) | cells) & 0x8080_8080_8080_8080;
    let count = others.trailing_zeros() / 8;
    let after = word.checked_shr(8 * count).unwrap_or(0) as u8;
    // Shifted so that zeros stand before the digits; then pairs, fours, and all eight are joined.
    let cells = cells.checked_shl(64 - 8 * count).unwrap_or(0);
    let pairs = cells.wrapping_mul(10).wrapping_add(cells >> 8);
    const MASK: u64 = 0x0000_00ff_0000_00ff;
    let fours = (pairs & MASK).wrapping_mul(0x000f_4240_0000_0064);
    let number = fours.wrapping_add((pairs >> 16 & MASK).wrapping_mul(0x0000_2710_0000_0001)) >> 32;
    (count as usize, number, after)
}

/// The double as a single, if rounding twice is sure to be rounding once.
#[inline]
fn single(value: f64) -> Option<f32> {
    let below = value.to_bits() & 0x1fff_ffff;
    let rounded = value as f32;
    (below.abs_diff(0x1000_0000) > 4 && rounded.is_finite()).then_some(rounded)
}

/// A decimal number and where it ends; `None` for what is left to [`long_number`].
#[inline(always)]
pub(crate) fn short_number(text: &[u8], at: usize) -> Option<(f32, usize)> {
    let negative = byte(text, at) == b'-';
    let start = at + usize::from(negative);
    let first = byte(text, start).wrapping_sub(b'0');
    // One digit and a point, or one digit alone: foreseen by a branch, so that nothing waits for counting it.
    let (count, whole, after) = match byte(text, start + 1) {
        after @ (b'.' | b' ' | b'\n') if first <= 9 => (1, first.into(), after),
        _ => digits(text, start),
    };
    if count == 0 || count == 8 || matches!(after, b'e' | b'E') {
        return decimal(text, at);
    }
    let (value, end) = if after == b'.' {
        let (places, fraction, after) = digits(text, start + count + 1);
        if places == 8 || matches!(after, b'e' | b'E') {
            return decimal(text, at);
        }
        // Less than 10^14, so that the signed conversion does, which is one instruction.
        let mantissa = whole * TENS.get(places)? + fraction;
        let Some(value) = single(mantissa as i64 as f64 * FRACTIONS.get(places)?) else { return decimal(text, at) };
        (value, start + count + 1 + places)
    } else {
        // Seven digits are exact.
        (whole as f32, start + count)
    };
    Some((if negative { -value } else { value }, end))
}

/// The same for longer numbers and for those with an exponent.
#[inline(never)]
fn decimal(text: &[u8], mut at: usize) -> Option<(f32, usize)> {
    let sign = byte(text, at);
    at += usize::from(sign == b'-' || sign == b'+');
    let (mut mantissa, mut all, mut places) = (0u64, 0, 0);
    for part in 0..2 {
        if part == 1 {
            if byte(text, at) != b'.' {
                break;
            }
            at += 1;
        }
        loop {
            let (count, number, _) = digits(text, at);
            mantissa = mantissa.wrapping_mul(*TENS.get(count)?).wrapping_add(number);
            (at, all, places) = (at + count, all + count, places + part * count);
            if count < 8 {
                break;
            }
        }
    }
    // Up to 19 digits do not wrap.
    if all == 0 || all > 19 {
        return None;
    }
    let mut power = -(places as i64);
    if matches!(byte(text, at), b'e' | b'E') {
        let sign = byte(text, at + 1);
        let start = at + 1 + usize::from(sign == b'-' || sign == b'+');
        let (count, exponent, _) = digits(text, start);
        if count == 0 || count == 8 {
            return None;
        }
        power += if sign == b'-' { -(exponent as i64) } else { exponent as i64 };
        at = start + count;
    }
    let scale = if power < 0 { FRACTIONS } else { POWERS };
    let value = single(mantissa as f64 * scale.get(power.unsigned_abs() as usize)?)?;
    Some((if sign == b'-' { -value } else { value }, at))
}

/// What is wrong with a number.
pub(crate) enum Why {
    NoNumber,
    Nan,
    Infinite,
    Range,
}

/// Any number that the standard library reads, if it is finite.
#[cold]
pub(crate) fn long_number(token: &[u8]) -> Result<f32, Why> {
    let value: f32 = std::str::from_utf8(token).ok().and_then(|token| token.parse().ok()).ok_or(Why::NoNumber)?;
    if value.is_nan() {
        Err(Why::Nan)
    } else if value.is_finite() {
        Ok(value)
    } else if token.iter().any(u8::is_ascii_digit) {
        Err(Why::Range)
    } else {
        Err(Why::Infinite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::chunk::PAD;
    use proptest::prelude::*;

    fn padded(text: &str) -> Vec<u8> {
        [text.as_bytes(), &[b'\n'; PAD]].concat()
    }

    fn agrees(text: &str) {
        if let Some((value, end)) = short_number(&padded(text), 0) {
            assert_eq!((value.to_bits(), end), (text.parse::<f32>().unwrap().to_bits(), text.len()), "{text}");
        }
    }

    #[test]
    fn hard_cases() {
        for text in [
            "0",
            "-0",
            "1",
            "9999999",
            "16777217",
            "16777219",
            "0.1",
            "1.",
            ".5",
            "-.5",
            "+2.",
            "1e5",
            "1e-5",
            "3.4028235e38",
            "1.5e-22",
            "8388608.5",
            "8388609.5",
            "0.000000059604644775390625",
            "1.00000017881393421514957253748434595763683319091796875",
            "1.000000059604644775390625",
            "1.0000000596046447",
            "1.0000000596046448",
            "9007199254740993",
            "9999999999999999999",
        ] {
            agrees(text);
        }
        // All that is usual is read without the standard library, unless it is near a midpoint.
        for text in ["0.026662", "12", "-1.5", "+1", "0.123456789", "1e-05", "1,5"] {
            assert!(short_number(&padded(text), 0).is_some(), "{text}");
        }
        assert_eq!(digits(&padded("12345678"), 0), (8, 12345678, 0));
        assert_eq!(digits(&padded("907:"), 0), (3, 907, b':'));
        assert_eq!(digits(&padded(":1"), 0).0, 0);
    }

    proptest! {
        #[test]
        fn as_the_standard_library(bits in any::<u32>(), mantissa in any::<u64>(), power in -30i32..30, cut in 1usize..20) {
            let value = f32::from_bits(bits);
            if value.is_finite() {
                agrees(&format!("{value}"));
                agrees(&format!("{value:e}"));
                agrees(&format!("{:?}", f64::from(value)));
                // The midpoint to the next, and just beside it.
                let next = f32::from_bits(bits.wrapping_add(1) & 0x7f7f_ffff);
                agrees(&format!("{:?}", (f64::from(value) + f64::from(next)) / 2.0));
            }
            let whole = mantissa.to_string();
            let (front, back) = whole.split_at(cut.min(whole.len()));
            agrees(&whole);
            agrees(&format!("{front}.{back}"));
            agrees(&format!("-{front}.{back}e{power}"));
        }
    }
}
