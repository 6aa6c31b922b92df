//! Small numerics in plain arithmetic: the same bits on every processor, and loops over them become vector code.
//!
//! The system's `exp` differs in its last bit from machine to machine and is a call per number; training must be reproducible to
//! the bit and spends a tenth of its time in the loss on short rows.
use crate::params::LANES;

/// The sum, in a fixed order that is also the fastest: halves onto halves.
#[inline(always)]
pub(crate) fn sum(x: [f32; LANES]) -> f32 {
    let eight: [f32; 8] = std::array::from_fn(|i| x[i] + x[i + 8]);
    let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// The dot product of two slices of padded, equal length.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for i in 0..LANES {
            sums[i] += a[i] * b[i];
        }
    }
    sum(sums)
}

/// `e^x` within 2 units in the last place; 0 below -87, infinity above 88.7, NaN for NaN.
///
/// `e^x = 2^n e^r` with `n` the nearest integer to `x / ln 2`; `e^r` by the Cephes polynomial.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
    let y = x.clamp(-87.3, 88.8); // clamp keeps NaN
    let shifted = y * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = y - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let e = (p * r * r + r) + 1.0;
    // 2^n in two halves, so that n = 128 does not overflow before its time.
    let bits = shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    let half = |n: i32| f32::from_bits(((n + 127) as u32) << 23);
    let value = e * half(bits >> 1) * half(bits - (bits >> 1));
    if x < -87.3 { 0.0 } else { value }
}

/// `ln(1 + x)` for `0 <= x <= 1`, within 3e-7 of the true value.
///
/// With `s = x / (2 + x)`: `ln(1 + x) = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ...)`, and `s <= 1/3`.
#[inline(always)]
pub(crate) fn ln_1p(x: f32) -> f32 {
    let s = x / (2.0 + x);
    let q = s * s;
    let p = 1.0 / 13.0;
    let p = p * q + 1.0 / 11.0;
    let p = p * q + 1.0 / 9.0;
    let p = p * q + 1.0 / 7.0;
    let p = p * q + 1.0 / 5.0;
    let p = p * q + 1.0 / 3.0;
    2.0 * (s + s * q * p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_equals_the_library_over_its_range() {
        for i in -8730..8870 {
            let x = i as f32 / 100.0;
            let (ours, true_value) = (exp(x) as f64, (x as f64).exp());
            assert!((ours / true_value - 1.0).abs() < 3e-7, "{x}: {ours} {true_value}");
        }
        assert_eq!((exp(0.0), exp(-100.0), exp(f32::NEG_INFINITY), exp(100.0)), (1.0, 0.0, 0.0, f32::INFINITY));
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn ln_1p_equals_the_library_over_its_range() {
        for i in 0..=10_000 {
            let x = i as f32 / 10_000.0;
            assert!((ln_1p(x) as f64 - (x as f64).ln_1p()).abs() < 3e-7, "{x}");
        }
    }

    #[test]
    fn dot_equals_the_naive_sum() {
        let (a, b): (Vec<f32>, Vec<f32>) = (0..48).map(|i| (i as f32 - 20.0, (i * i % 7) as f32)).unzip();
        assert_eq!(dot(&a, &b), a.iter().zip(&b).map(|(a, b)| a * b).sum::<f32>());
    }
}
