//! Weighted means over examples, by the threads of the call: part by part, so that any number of threads gives the same bits.
use hogwild_base::threads;

/// Examples of a part.
const PART: usize = 4096;

/// The mean over the examples that have a number, each counting by its weight (none: all alike); 0 where there is none.
pub(super) fn mean_of(examples: usize, weights: &[f32], number: impl Fn(usize) -> Option<f64> + Sync) -> f64 {
    let [sum, all] = sum_of(examples, |i| {
        let weight = weights.get(i).map_or(1.0, |&weight| weight as f64);
        number(i).map_or([0.0; 2], |number| [weight * number, weight])
    });
    if all > 0.0 { sum / all } else { 0.0 }
}

/// Sums over examples.
pub(super) fn sum_of<const N: usize>(examples: usize, numbers: impl Fn(usize) -> [f64; N] + Sync) -> [f64; N] {
    let add = |sums: [f64; N], more: [f64; N]| std::array::from_fn(|i| sums[i] + more[i]);
    let part = |part: usize| (part * PART..examples.min((part + 1) * PART)).map(&numbers).fold([0.0; N], add);
    threads::in_call(|| threads::map(examples.div_ceil(PART), part)).into_iter().fold([0.0; N], add)
}
