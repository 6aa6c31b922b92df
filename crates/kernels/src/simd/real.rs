//! What formulas are written in: [`Real`], one number or sixteen at a time with the same text and the same bits.
//!
//! A rule, a loss, `exp` are each written once over `Real`; tests and users call them with `f32`, the inner loop with a vector type
//! of the processor's instruction set. A multiplication is fused with an addition where the text says so and nowhere else, and sums
//! run in one fixed order, so every instruction set gives what plain `f32` gives, to the bit.
use super::InstructionSet;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// How many numbers a vector holds.
pub const LANES: usize = 16;

/// Sixteen numbers of one cache line, so that no vector move straddles two.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Line<T>(pub [T; LANES]);

/// Arithmetic on `f32`, lane by lane.
pub trait Real:
    Copy + Send + Sync + 'static + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The same number in every lane.
    fn of(x: f32) -> Self;
    /// `self * factor + term`, rounded once.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// `self` where it is the greater, else `other`; so `other` where one is NaN.
    fn max(self, other: Self) -> Self;
    /// `self` where it is the smaller, else `other`; so `other` where one is NaN.
    fn min(self, other: Self) -> Self;
    /// `yes` where `self < other`, else (and where one is NaN) `no`.
    fn less(self, other: Self, yes: Self, no: Self) -> Self;
    /// `2^self` of a whole number from -126 to 127.
    fn pow2(self) -> Self;

    // How numbers pass through memory to code that is compiled apart.
    /// The instruction set whose vectors these are; none of single numbers.
    #[doc(hidden)]
    const SET: Option<InstructionSet>;
    /// Stores the number, or the sixteen.
    #[doc(hidden)]
    fn spill(self, to: &mut Line<f32>);
    /// Loads them.
    #[doc(hidden)]
    fn fill(from: &Line<f32>) -> Self;
}

/// Sixteen numbers.
pub trait Vector: Real {
    /// From memory.
    fn load(from: &[f32; LANES]) -> Self;
    /// To memory.
    fn store(self, to: &mut [f32; LANES]);
    /// The sum of the lanes: halves onto halves.
    fn sum(self) -> f32;
    /// Four sums at once.
    #[inline(always)]
    fn sums_of_four(all: [Self; 4]) -> [f32; 4] {
        let [a, b, c, d] = all;
        [a.sum(), b.sum(), c.sum(), d.sum()]
    }
    /// Three sums at once.
    #[inline(always)]
    fn sums(all: [Self; 3]) -> [f32; 3] {
        let [a, b, c] = all;
        [a.sum(), b.sum(), c.sum()]
    }
}

/// Copies a slice to the beginning of another. In inner loops in place of the standard library's `copy_from_slice` (and `map` of an array), which
/// is no `#[inline]`: where ThinLTO is off, or holds back, it stays a call that sends vectors through memory. `.ci/loops` looks for such calls.
#[allow(clippy::manual_memcpy)] // see above
#[inline(always)]
pub(crate) fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    let to = &mut to[..from.len()];
    for i in 0..from.len() {
        to[i] = from[i];
    }
}

/// Two sequences side by side. In inner loops in place of the standard library's `zip`, for the same reason.
#[inline(always)]
pub(crate) fn pairs<A: IntoIterator, B: IntoIterator>(a: A, b: B) -> Pairs<A::IntoIter, B::IntoIter> {
    Pairs(a.into_iter(), b.into_iter())
}

pub(crate) struct Pairs<A, B>(A, B);

impl<A: Iterator, B: Iterator> Iterator for Pairs<A, B> {
    type Item = (A::Item, B::Item);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.1.next()?))
    }
}

/// Sixteen row numbers. Loops over `[u32; 16]` were compiled to anything from one instruction to sixteen jumps.
pub trait Integers: Copy {
    /// The same number in every lane.
    fn of(x: u32) -> Self;
    /// From memory.
    fn load(from: &Line<u32>) -> Self;
    /// To memory.
    fn store(self, to: &mut Line<u32>);
    /// Stores the numbers whose bits these are.
    #[inline(always)]
    fn store_bits(self, to: &mut Line<f32>) {
        let mut bits = Line([0; LANES]);
        self.store(&mut bits);
        for i in 0..LANES {
            to.0[i] = f32::from_bits(bits.0[i]);
        }
    }
    /// Wraps around.
    fn plus(self, other: Self) -> Self;
    /// Wraps around.
    fn times(self, other: Self) -> Self;
    /// Bits that both have.
    fn and(self, other: Self) -> Self;
    /// Bits that one has.
    fn or(self, other: Self) -> Self;
    /// `yes` where `self < other`, else `no`.
    fn less(self, other: Self, yes: Self, no: Self) -> Self;
    /// Whether no lane of `self` is below that of `other`.
    fn none_below(self, other: Self) -> bool;
}

impl Integers for Line<u32> {
    #[inline(always)]
    fn of(x: u32) -> Self {
        Line([x; LANES])
    }
    #[inline(always)]
    fn load(from: &Line<u32>) -> Self {
        *from
    }
    #[inline(always)]
    fn store(self, to: &mut Line<u32>) {
        *to = self;
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Line(std::array::from_fn(|i| self.0[i].wrapping_add(other.0[i])))
    }
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Line(std::array::from_fn(|i| self.0[i].wrapping_mul(other.0[i])))
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Line(std::array::from_fn(|i| self.0[i] & other.0[i]))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Line(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    fn less(self, other: Self, yes: Self, no: Self) -> Self {
        Line(std::array::from_fn(|i| if self.0[i] < other.0[i] { yes.0[i] } else { no.0[i] }))
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    fn none_below(self, other: Self) -> bool {
        pairs(&self.0, &other.0).all(|(a, b)| a >= b)
    }
}

/// How vectors pass through memory.
macro_rules! through_memory {
    ($set:expr) => {
        const SET: Option<$crate::simd::InstructionSet> = Some($set);
        #[inline(always)]
        fn spill(self, to: &mut Line<f32>) {
            self.store(&mut to.0);
        }
        #[inline(always)]
        fn fill(from: &Line<f32>) -> Self {
            Self::load(&from.0)
        }
    };
}
#[cfg(target_arch = "x86_64")]
pub(super) use through_memory;

impl Real for f32 {
    const SET: Option<InstructionSet> = None;
    #[inline(always)]
    fn spill(self, to: &mut Line<f32>) {
        to.0[0] = self;
    }
    #[inline(always)]
    fn fill(from: &Line<f32>) -> f32 {
        from.0[0]
    }
    #[inline(always)]
    fn of(x: f32) -> f32 {
        x
    }
    #[inline(always)]
    fn mul_add(self, factor: f32, term: f32) -> f32 {
        f32::mul_add(self, factor, term)
    }
    #[inline(always)]
    fn sqrt(self) -> f32 {
        f32::sqrt(self)
    }
    #[inline(always)]
    fn abs(self) -> f32 {
        f32::abs(self)
    }
    #[inline(always)]
    fn max(self, other: f32) -> f32 {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn min(self, other: f32) -> f32 {
        if self < other { self } else { other }
    }
    #[inline(always)]
    fn less(self, other: f32, yes: f32, no: f32) -> f32 {
        if self < other { yes } else { no }
    }
    #[inline(always)]
    fn pow2(self) -> f32 {
        f32::from_bits(((self as i32).wrapping_add(127) as u32) << 23)
    }
}

/// `a b + c` rounded once, on processors that may lack the instruction: the system's function takes many times as long there.
///
/// The product is exact in `f64`; the sum is rounded to odd (Boldo & Melquiond 2008), so that the second rounding, to `f32`, is as if
/// there had been no first.
#[inline(always)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
        return a.mul_add(b, c);
    }
    let (product, c) = (a as f64 * b as f64, c as f64);
    let sum = product + c;
    let part = sum - product;
    let missing = (product - (sum - part)) + (c - part);
    let bits = sum.to_bits();
    let towards = if (missing > 0.0) == (sum > 0.0) { bits.wrapping_add(1) } else { bits.wrapping_sub(1) };
    f64::from_bits(if missing.abs() > 0.0 && bits & 1 == 0 { towards } else { bits }) as f32
}

/// Sixteen numbers in plain Rust: what processors without a vector type here use, the oracle of those that have one, and what a
/// user's own [`Weights`](crate::params::Weights) are written with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(64))]
pub struct F32x16(pub [f32; LANES]);

macro_rules! lanes {
    ($trait:ident, $name:ident, $inline:ident) => {
        impl $trait for F32x16 {
            type Output = F32x16;
            #[cfg_attr(not(target_arch = "aarch64"), inline($inline))]
            #[cfg_attr(target_arch = "aarch64", inline(always))]
            fn $name(mut self, other: F32x16) -> F32x16 {
                for i in 0..LANES {
                    self.0[i] = $trait::$name(self.0[i], other.0[i]);
                }
                self
            }
        }
    };
}
lanes!(Add, add, always);
lanes!(Sub, sub, always);
lanes!(Mul, mul, always);
lanes!(Div, div, never);

impl Neg for F32x16 {
    type Output = F32x16;
    #[inline(always)]
    fn neg(self) -> F32x16 {
        F32x16(std::array::from_fn(|i| -self.0[i]))
    }
}

impl Real for F32x16 {
    through_memory!(InstructionSet::Portable);
    #[inline(always)]
    fn of(x: f32) -> F32x16 {
        F32x16([x; LANES])
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    fn mul_add(mut self, factor: F32x16, term: F32x16) -> F32x16 {
        for i in 0..LANES {
            self.0[i] = fused(self.0[i], factor.0[i], term.0[i]);
        }
        self
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    fn sqrt(self) -> F32x16 {
        F32x16(std::array::from_fn(|i| f32::sqrt(self.0[i])))
    }
    #[inline(always)]
    fn abs(self) -> F32x16 {
        F32x16(std::array::from_fn(|i| f32::abs(self.0[i])))
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    fn max(mut self, other: F32x16) -> F32x16 {
        for i in 0..LANES {
            self.0[i] = Real::max(self.0[i], other.0[i]);
        }
        self
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    fn min(mut self, other: F32x16) -> F32x16 {
        for i in 0..LANES {
            self.0[i] = Real::min(self.0[i], other.0[i]);
        }
        self
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    fn less(self, other: F32x16, yes: F32x16, mut no: F32x16) -> F32x16 {
        for i in 0..LANES {
            no.0[i] = self.0[i].less(other.0[i], yes.0[i], no.0[i]);
        }
        no
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    fn pow2(self) -> F32x16 {
        F32x16(std::array::from_fn(|i| self.0[i].pow2()))
    }
}

impl Vector for F32x16 {
    #[inline(always)]
    fn load(from: &[f32; LANES]) -> F32x16 {
        F32x16(*from)
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        *to = self.0;
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    fn sum(self) -> f32 {
        let x = self.0;
        let eight: [f32; 8] = std::array::from_fn(|i| x[i] + x[i + 8]);
        let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
        (four[0] + four[2]) + (four[1] + four[3])
    }
}
