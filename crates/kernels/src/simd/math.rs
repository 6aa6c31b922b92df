//! Small numerics in plain arithmetic over [`Real`]: the same bits on every processor, sixteen at a time or one.
//!
//! The system's `exp` differs in its last bit from machine to machine; training must be reproducible to the bit. It also stands in
//! the way from each score to its slope, where nothing else can be done: hence the polynomials in pairs (Estrin's scheme), whose
//! chain of dependent operations is half as long as Horner's.
use super::Real;

/// The finalizer of splitmix64: any two numbers come out as different as random ones.
#[inline]
pub fn mixed(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// `e^x` within 3e-7; 0 below -87.3, infinity above 88.7, NaN for NaN.
///
/// `e^x = 2^n e^r` with `n` the nearest integer to `x / ln 2`; `e^r` by the Cephes polynomial.
#[inline(always)]
pub fn exp<V: Real>(x: V) -> V {
    let c = V::of;
    let round = c(12_582_912.0); // 1.5 * 2^23: adding it drops the fraction
    let y = c(88.8).min(c(-87.3).max(x)); // keeps NaN: both take their second argument then
    let n = y.mul_add(c(std::f32::consts::LOG2_E), round) - round;
    let r = n.mul_add(c(2.121_944_4e-4), n.mul_add(c(-0.693_359_4), y));
    let square = r * r;
    let low = r.mul_add(c(1.666_666_5e-1), c(0.5));
    let middle = r.mul_add(c(8.333_452e-3), c(4.166_579_6e-2));
    let high = r.mul_add(c(1.987_569_1e-4), c(1.398_199_9e-3));
    let p = high.mul_add(square, middle).mul_add(square, low);
    let e = p.mul_add(square, r) + c(1.0);
    // 2^n in two halves, so that n = 128 does not overflow before its time.
    let half = n.mul_add(c(0.5), round) - round;
    let value = e * half.pow2() * (n - half).pow2();
    x.less(c(-87.3), c(0.0), value)
}

/// Steps of the table of [`sigmoid`] a unit, and how far from 0 it reaches.
const STEPS: usize = 16;
const REACH: usize = 32;

/// By step: value and first three derivatives over 1, 2 and 6, that is, the Taylor polynomial around the step.
static SIGMOID: [[f32; 4]; 2 * REACH * STEPS + 1] = {
    let mut table = [[0.0; 4]; 2 * REACH * STEPS + 1];
    let mut i = 0;
    while i < table.len() {
        let x = (i as f64 - (REACH * STEPS) as f64) / STEPS as f64;
        // e^-|x| as the sixteenth root's power: the series converges at once.
        let (mut root, mut term, mut k) = (1.0, 1.0, 1);
        while k < 16 {
            term *= (if x < 0.0 { x } else { -x }) / 64.0 / k as f64;
            root += term;
            k += 1;
        }
        let (mut power, mut k) = (root, 0);
        while k < 6 {
            power *= power;
            k += 1;
        }
        let s = if x < 0.0 { power / (1.0 + power) } else { 1.0 / (1.0 + power) };
        let other = if x < 0.0 { 1.0 / (1.0 + power) } else { power / (1.0 + power) };
        let first = s * other;
        table[i] = [s as f32, first as f32, (first * (other - s) / 2.0) as f32, (first * (1.0 - 6.0 * first) / 6.0) as f32];
        i += 1;
    }
    table
};

/// `1 / (1 + e^-x)` within 3e-7 of itself for -32 <= x <= 32, its value at the end beyond, NaN for NaN.
///
/// It is what each score waits for before the weights can be stepped, so it is looked up: a third of the time of an `exp` and a
/// division (click logs of 33 features an example: 3.6 ns a nonzero with `exp`, 1.9 so).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    const END: f32 = REACH as f32;
    const MIDDLE: f32 = 12_582_912.0 + (REACH * STEPS) as f32; // 1.5 * 2^23 drops the fraction and leaves the index in the low bits
    let x = if x > END { END } else { x };
    let x = if x < -END { -END } else { x };
    let shifted = x.mul_add(STEPS as f32, MIDDLE);
    let i = (shifted.to_bits() as usize & 0xFFFF).min(2 * REACH * STEPS); // NaN has any index; h keeps it
    let h = (shifted - MIDDLE).mul_add(-1.0 / STEPS as f32, x);
    let [a, b, c, d] = SIGMOID[i];
    (h * h).mul_add(d.mul_add(h, c), b.mul_add(h, a))
}

/// `ln(1 + x)` for `0 <= x <= 1`, within 3e-7 of the true value.
///
/// With `s = x / (2 + x)`: `ln(1 + x) = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ...)`, and `s <= 1/3`.
#[inline(always)]
pub fn ln_1p<V: Real>(x: V) -> V {
    let c = V::of;
    let s = x / (c(2.0) + x);
    let q = s * s;
    let p = c(1.0 / 13.0);
    let p = p.mul_add(q, c(1.0 / 11.0));
    let p = p.mul_add(q, c(1.0 / 9.0));
    let p = p.mul_add(q, c(1.0 / 7.0));
    let p = p.mul_add(q, c(1.0 / 5.0));
    let p = p.mul_add(q, c(1.0 / 3.0));
    c(2.0) * (s * q).mul_add(p, s)
}

/// `ln x` of a normal number above 0, within 3e-7 beside the larger of 1 and the true value.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let part = f32::from_bits(bits & 0x007f_ffff | 0x3f80_0000); // from 1 to 2
    (exponent as f32).mul_add(std::f32::consts::LN_2, ln_1p(part - 1.0))
}

/// A rate as it is told: by three digits, so that what is typed again is the same.
pub fn three_digits(rate: f32) -> f32 {
    format!("{rate:.2e}").parse().ok().filter(|rate: &f32| rate.is_normal()).unwrap_or(rate)
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
    fn sigmoid_equals_the_library_over_its_range() {
        for i in -32_000..=32_000 {
            let x = i as f32 / 1000.0;
            let true_value = 1.0 / (1.0 + (-x as f64).exp());
            assert!((sigmoid(x) as f64 / true_value - 1.0).abs() < 3e-7, "{x}: {} {true_value}", sigmoid(x));
        }
        assert_eq!((sigmoid(f32::INFINITY), sigmoid(0.0)), (1.0, 0.5));
        assert!(sigmoid(f32::NEG_INFINITY) < 1.3e-14 && sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn ln_equals_the_library_over_its_range() {
        for i in 1..=100_000 {
            for x in [i as f32 / 1000.0, i as f32 * 1e30, i as f32 * 1e-37] {
                let true_value = (x as f64).ln();
                assert!((ln(x) as f64 - true_value).abs() < 3e-7 * true_value.abs().max(1.0), "{x}");
            }
        }
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn ln_1p_equals_the_library_over_its_range() {
        for i in 0..=10_000 {
            let x = i as f32 / 10_000.0;
            assert!((ln_1p(x) as f64 - (x as f64).ln_1p()).abs() < 3e-7, "{x}");
        }
    }
}
