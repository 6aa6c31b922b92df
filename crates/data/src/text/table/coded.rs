//! Whether the whole numbers of a column are codes (of a site, a device, a hashed word) and not quantities.
//!
//! Codes lie far apart and everywhere alike between the least and the largest, and they come again. Quantities are dense (ages, counts,
//! years), or more of them are small (prices, bytes), or hardly one comes twice (times, random numbers). A column is taken for codes if all
//! three signs are there: the setting `numeric` says otherwise.

/// Of fewer cells nothing is concluded.
const LEAST: usize = 500;
/// How many times as far apart as neighbours the different values are at least.
const APART: u64 = 20;

/// Whether some whole numbers, one a cell, are codes.
pub(super) fn are_codes(mut numbers: Vec<u64>) -> bool {
    let cells = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    let (&[least, .., most], different) = (numbers.as_slice(), numbers.len()) else { return false };
    // Where nothing is counted a quantity is 0, and a code is not.
    if cells < LEAST || least == 0 || different * 5 > cells * 4 {
        return false;
    }
    let step = numbers.iter().fold(0, |step, number| common_divisor(step, number - least));
    let places = (most - least) / step + 1;
    places / APART > different as u64 && are_spread(&numbers, least, most)
}

fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// Whether the share of numbers below each of them is about that of the way to it: the largest difference is as Kolmogorov and Smirnov have
/// it for numbers drawn alike, but for one case in a hundred.
fn are_spread(ascending: &[u64], least: u64, most: u64) -> bool {
    let count = ascending.len() as f64;
    let bound = (1.6 / count.sqrt()).max(0.1);
    let far = |(i, &number): (usize, &u64)| {
        let way = (number - least) as f64 / (most - least) as f64;
        (way - i as f64 / count).abs().max((way - (i + 1) as f64 / count).abs())
    };
    ascending.iter().enumerate().map(far).all(|difference| difference <= bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that are alike everywhere up to 2^20.
    fn hashed(i: u64) -> u64 {
        (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44) | 1
    }

    #[test]
    fn codes_are_told_from_quantities() {
        let of = |number: &dyn Fn(u64) -> u64| are_codes((0..2000).map(number).collect());
        // Few codes, many, and more of the first ones.
        assert!(of(&|i| hashed(i % 5)) && of(&|i| hashed(i % 700)) && of(&|i| hashed(i * i % 1999 % (1 + i % 900))));
        type Made = (&'static str, fn(u64) -> u64);
        let quantities: [Made; 8] = [
            ("ages", |i| 18 + i * 7 % 70),
            ("years", |i| 1900 + i * 31 % 120),
            ("thousands", |i| 1000 * (1 + i * 13 % 40)),
            ("prices", |i| 1 + (hashed(i % 500) / 1000).pow(3) / 1000),
            ("random numbers", |i| hashed(i)),
            ("times", |i| 1_700_000_000 + 60 * i),
            ("mostly none", |i| if i % 10 > 0 { 0 } else { hashed(i % 5) }),
            ("one number", |_| 915_130),
        ];
        for (what, number) in quantities {
            assert!(!of(&number), "{what}");
        }
        assert!(!are_codes((0..LEAST as u64 - 1).map(|i| hashed(i % 5)).collect()) && !are_codes(Vec::new()));
    }
}
