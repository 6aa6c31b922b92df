//! The slopes of the scores of several classes, and what they lose together, by sixteen. It is a formula of its own, called once an example:
//! in the loops it would be a third of their code.
use super::output::{Output, take_own};
use crate::{
    loss::Loss,
    simd::{
        InstructionSet, Isa, Job, LANES, Real, Vector, dispatch_formula,
        math::{exp, ln, ln_1p},
    },
};

/// Puts the slopes in the place of the scores; gives the loss. `own`: the example's classes, of `classes`.
#[inline(always)]
pub(super) fn take_slopes<V: Vector>(output: Output, lines: &mut [[f32; LANES]], own: &[u32], classes: usize) -> f32 {
    dispatch_formula(V::SET.unwrap_or(InstructionSet::Portable), Slopes { output, lines, own, classes })
}

struct Slopes<'a> {
    output: Output,
    lines: &'a mut [[f32; LANES]],
    own: &'a [u32],
    classes: usize,
}

impl Job for Slopes<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) -> f32 {
        let Slopes { output, lines, own, classes } = self;
        match output {
            Output::Softmax => softmax::<I::V>(lines, own),
            Output::OneVsRest(Loss::Logistic) => logistic::<I::V>(lines, own),
            Output::OneVsRest(Loss::SquaredHinge) => squared_hinge::<I::V>(lines, own),
            Output::OneVsRest(_) => {
                let all = lines.as_flattened_mut();
                let loss = output.slopes(&mut all[..classes], own);
                all[classes..].fill(0.0);
                loss
            }
        }
    }
}

#[inline(always)]
fn softmax<V: Vector>(lines: &mut [[f32; LANES]], own: &[u32]) -> f32 {
    let mut most = V::load(&lines[0]);
    for line in &lines[1..] {
        most = most.max(V::load(line));
    }
    let most = largest(most);
    let z = own.first().and_then(|&class| lines.as_flattened().get(class as usize)).copied().unwrap_or(most);
    let mut sum = V::of(0.0);
    for line in &mut *lines {
        let e = exp(V::load(line) - V::of(most));
        sum = sum + e;
        e.store(line);
    }
    let sum = sum.sum();
    let inverse = V::of(1.0 / sum);
    for line in &mut *lines {
        (V::load(line) * inverse).store(line);
    }
    take_own(lines.as_flattened_mut(), own);
    ln(sum) + (most - z)
}

#[inline(always)]
fn logistic<V: Vector>(lines: &mut [[f32; LANES]], own: &[u32]) -> f32 {
    let mut of_own = 0.0;
    for &class in own {
        of_own += lines.as_flattened().get(class as usize).copied().unwrap_or(0.0);
    }
    let (mut sum, one, zero) = (V::of(0.0), V::of(1.0), V::of(0.0));
    for line in &mut *lines {
        // ln(1 + e^z), and the sigmoid, without overflow.
        let z = V::load(line);
        let e = exp(-z.abs());
        sum = sum + (ln_1p(e) + zero.max(z));
        (z.less(zero, e, one) / (one + e)).store(line);
    }
    take_own(lines.as_flattened_mut(), own);
    sum.sum() - of_own
}

#[inline(always)]
fn squared_hinge<V: Vector>(lines: &mut [[f32; LANES]], own: &[u32]) -> f32 {
    // Its own classes are turned round: then each loses by max(0, 1 + z), and so is its slope, but for the sign.
    turn(lines, own);
    let mut sum = V::of(0.0);
    for line in &mut *lines {
        let missing = V::of(0.0).max(V::of(1.0) + V::load(line));
        sum = missing.mul_add(missing, sum);
        missing.store(line);
    }
    turn(lines, own);
    0.5 * sum.sum()
}

/// Changes the signs of the example's own classes.
#[inline(always)]
fn turn(lines: &mut [[f32; LANES]], own: &[u32]) {
    for &class in own {
        if let Some(z) = lines.as_flattened_mut().get_mut(class as usize) {
            *z = -*z;
        }
    }
}

/// The largest lane, in four chains side by side.
#[inline(always)]
fn largest<V: Vector>(numbers: V) -> f32 {
    let mut line = [0.0; LANES];
    numbers.store(&mut line);
    let [mut a, mut b, mut c, mut d] = [line[0], line[1], line[2], line[3]];
    let mut i = 4;
    while i < LANES {
        (a, b) = (Real::max(line[i], a), Real::max(line[i + 1], b));
        (c, d) = (Real::max(line[i + 2], c), Real::max(line[i + 3], d));
        i += 4;
    }
    Real::max(Real::max(a, b), Real::max(c, d))
}
