//! What kinds of synthetic data share: numbers that belong to a seed, Zipf's law, and numbers as text.
use rand::{RngExt, rngs::Xoshiro256PlusPlus};

pub(super) type Random = Xoshiro256PlusPlus;

/// A number that belongs to both.
pub(super) fn mix(a: u64, b: u64) -> u64 {
    hogwild_kernels::simd::math::mixed(a.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ b.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// A number from 0 to 1 that belongs to (seed, i).
pub(super) fn unit(seed: u64, i: u64) -> f64 {
    (mix(seed, i) >> 11) as f64 / (1u64 << 53) as f64
}

/// Ranks below `n` under Zipf's law (its continuous form, inverted).
pub(super) struct Zipf {
    n: u64,
    top: f64,
    /// Unless the exponent is 1: with `e = 1 - exponent`, `top^e - 1` and `1/e`.
    power: Option<(f64, f64)>,
}

impl Zipf {
    pub fn new(n: u64, exponent: f64) -> Zipf {
        let (top, e) = (n as f64 + 1.0, 1.0 - exponent);
        let power = if e.abs() < 1e-9 { None } else { Some((top.powf(e) - 1.0, 1.0 / e)) };
        Zipf { n, top, power }
    }

    /// A rank.
    pub fn draw(&self, random: &mut Random) -> u64 {
        let u: f64 = random.random();
        let x = match self.power {
            None => self.top.powf(u),
            Some((range, root)) => (1.0 + u * range).powf(root),
        };
        (x as u64).clamp(1, self.n) - 1
    }
}

/// The probability of a score.
pub(super) fn sigmoid(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// Appends a whole number.
pub(super) fn push(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a number of thousandths, as short as it goes.
pub(super) fn push_thousandths(out: &mut Vec<u8>, thousandths: i64) {
    if thousandths < 0 {
        out.push(b'-');
    }
    let number = thousandths.unsigned_abs();
    push(out, number / 1000);
    let rest = (number % 1000) as u16;
    if rest > 0 {
        let digits = [b'.', b'0' + (rest / 100) as u8, b'0' + (rest / 10 % 10) as u8, b'0' + (rest % 10) as u8];
        let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
        out.extend_from_slice(&digits[..4 - zeros]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_are_written_as_rust_writes_them() {
        for thousandths in -2100..=2100 {
            let mut out = Vec::new();
            push_thousandths(&mut out, thousandths);
            assert_eq!(String::from_utf8(out).unwrap(), (thousandths as f64 / 1000.0).to_string());
        }
    }
}
