//! Small pieces that several rules are made of.
use crate::simd::Real;

/// The most that a decay factor may be: the next number below 1 that differs from it usefully.
pub(crate) const NEARLY_ONE: f32 = 0.999_999_9;

/// `1 - beta^t`, which undoes the start of an exponential average from 0 (Kingma & Ba 2015, section 3). Once it is 1 in `f32` it is
/// not worked out any more.
#[inline(always)]
pub(crate) fn bias_correction(beta: f32, t: u64) -> f32 {
    let beta = beta as f64;
    // beta^t < 2^-25 from here on.
    if t as f64 * (1.0 - beta) > 17.4 {
        return 1.0;
    }
    (1.0 - beta.powf(t as f64)) as f32
}

// Default rates, by the mean squared length of rows: each rule's was chosen as good or nearly so after five epochs on imdb_1gram,
// imdb_2gram, criteo and a9a (`examples/which_rule.rs`), of rates three times apart.

/// Of rules whose steps grow with the gradient: the same step in scores, whatever the rows' length.
pub(crate) fn by_square(rate: f32, mean_square: f32) -> f32 {
    (rate / mean_square.max(0.5)).clamp(1e-6, 2.0 * rate)
}

/// Of rules that divide by an average of the gradients' size: they step the same weights less by itself.
pub(crate) fn by_length(rate: f32, mean_square: f32) -> f32 {
    (rate / mean_square.max(0.5).sqrt()).clamp(1e-6, 2.0 * rate)
}

/// `beta a + (1 - beta) x`.
#[inline(always)]
pub(crate) fn average<V: Real>(beta: f32, a: V, x: V) -> V {
    V::of(beta).mul_add(a, V::of(1.0 - beta) * x)
}

/// `same` where a and b have one sign, `different` where they have two, `neither` where one is 0.
#[inline(always)]
pub(crate) fn by_signs<V: Real>(a: V, b: V, same: V, different: V, neither: V) -> V {
    // Not by a closure, which was compiled out of line, without the loop's instruction set.
    let zero = V::of(0.0);
    let if_below = a.less(zero, same, zero.less(a, different, neither));
    let if_above = a.less(zero, different, zero.less(a, same, neither));
    b.less(zero, if_below, zero.less(b, if_above, neither))
}

/// How `f(t)` of PowerSign and AddSign falls over the run, by the names of `internal_decay` (Bello et al. 2017, section 4.3).
pub(crate) const INTERNAL_DECAYS: [&str; 3] = ["none", "linear", "cosine"];

/// `f(t)`: 1 at the first step.
pub(crate) fn internal_decay(choice: usize, step: u64, steps: u64) -> f64 {
    let progress = step.saturating_sub(1) as f64 / steps.max(1) as f64;
    match choice {
        1 => (1.0 - progress).max(0.0),
        2 => (1.0 + (std::f64::consts::PI * progress.min(1.0)).cos()) / 2.0,
        _ => 1.0,
    }
}

/// Steps are remembered beside a weight as `f32`, which holds whole numbers up to 2^24: modulo this.
const ROUND: u64 = 1 << 22;

/// A step's number as it is remembered.
#[inline(always)]
pub(crate) fn remembered(step: u64) -> f32 {
    (step % ROUND) as f32
}

/// How many steps lie between two remembered ones, none of them counted. A step that another worker took meanwhile counts as none.
#[inline(always)]
pub(crate) fn steps_between<V: Real>(last: V, now: f32) -> V {
    let gap = V::of(now - 1.0) - last;
    let round = V::of(ROUND as f32);
    gap.less(-round * V::of(0.5), gap + round, V::of(0.0).max(gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrections_equal_powers() {
        for t in [1u64, 2, 10, 1000, 17_000, 30_000, 1 << 40] {
            let exact = 1.0 - 0.999f32 as f64;
            let exact = 1.0 - (1.0 - exact).powf(t as f64);
            assert!((bias_correction(0.999, t) as f64 - exact).abs() < 1e-7, "{t}");
        }
    }

    #[test]
    fn signs_and_gaps() {
        let all = [(2.0, 3.0), (-2.0, -3.0), (2.0, -3.0), (-2.0, 3.0), (0.0, 3.0), (2.0, 0.0)].map(|(a, b)| by_signs(a, b, 1.0, 2.0, 3.0));
        assert_eq!(all, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
        let between = |a: u64, b: u64| steps_between(remembered(a), remembered(b));
        assert_eq!((between(5, 6), between(5, 9), between(ROUND - 2, ROUND + 3), between(9, 7)), (0.0, 3.0, 4.0, 0.0));
    }
}
