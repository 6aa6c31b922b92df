//! Vectors as four quarters of four lanes, for models that take four examples at a time: a quarter holds the few numbers of one example.
//!
//! All that such a model does with single numbers (biases, states of rows, roots, quotients) it then does once for four. The sums of four
//! vectors come of one tree, in the order of [`Vector::sum`], so they have its bits.
#![allow(unsafe_code)]
use super::{F32x16, Line, Vector};
#[cfg(target_arch = "x86_64")]
use super::{avx2::Ymm, avx512::Zmm};
#[cfg(target_arch = "x86_64")]
use std::arch::{asm, x86_64::*};

/// A vector of four quarters.
pub trait Quarters: Vector {
    /// The same four numbers in each quarter.
    fn repeated(numbers: [f32; 4]) -> Self;
    /// A number for each quarter, in all of its lanes.
    fn spread(numbers: [f32; 4]) -> Self;
    /// The sums of four vectors, each in all lanes of its quarter.
    fn quarter_sums(all: [Self; 4]) -> Self;
    /// Lane `LANE` of each quarter, in all lanes of it.
    fn each<const LANE: i32>(self) -> Self;
    /// Neighbours exchanged: lanes 1, 0, 3, 2 of each quarter.
    fn swapped(self) -> Self;
    /// The last two lanes of each quarter, behind the first two of another vector's.
    fn behind(self, first: Self) -> Self;
    /// Of `[a0 a1 a2 a3]` and `[b0 b1 b2 b3]` in each quarter `[a0 b0 a1 b1]` and `[a2 b2 a3 b3]`.
    fn interleaved(a: Self, b: Self) -> (Self, Self);
    /// The way back.
    fn parted(low: Self, high: Self) -> (Self, Self);
    /// Stores all lanes where each is loaded by itself, as a factor of a whole vector. The compiler does not learn that the two are one: it
    /// would take each lane from the register by two shuffles, where a load costs nothing.
    fn spilled(self, to: &mut Line<f32>) -> &Line<f32>;
    /// The first lane of each quarter.
    fn firsts(self) -> [f32; 4];
}

impl Quarters for F32x16 {
    #[inline(always)]
    fn repeated(numbers: [f32; 4]) -> F32x16 {
        F32x16(std::array::from_fn(|i| numbers[i % 4]))
    }
    #[inline(always)]
    fn spread(numbers: [f32; 4]) -> F32x16 {
        F32x16(std::array::from_fn(|i| numbers[i / 4]))
    }
    #[inline(always)]
    fn quarter_sums([a, b, c, d]: [F32x16; 4]) -> F32x16 {
        F32x16::spread([a.sum(), b.sum(), c.sum(), d.sum()])
    }
    #[inline(always)]
    fn each<const LANE: i32>(self) -> F32x16 {
        F32x16(std::array::from_fn(|i| self.0[i / 4 * 4 + LANE as usize]))
    }
    #[inline(always)]
    fn swapped(self) -> F32x16 {
        F32x16(std::array::from_fn(|i| self.0[i ^ 1]))
    }
    #[inline(always)]
    fn behind(self, first: F32x16) -> F32x16 {
        F32x16(std::array::from_fn(|i| if i % 4 < 2 { first.0[i] } else { self.0[i] }))
    }
    #[inline(always)]
    fn interleaved(a: F32x16, b: F32x16) -> (F32x16, F32x16) {
        let from =
            |i: usize, half: usize| if i.is_multiple_of(2) { a.0[i / 4 * 4 + half + i % 4 / 2] } else { b.0[i / 4 * 4 + half + i % 4 / 2] };
        (F32x16(std::array::from_fn(|i| from(i, 0))), F32x16(std::array::from_fn(|i| from(i, 2))))
    }
    #[inline(always)]
    fn parted(low: F32x16, high: F32x16) -> (F32x16, F32x16) {
        let from = |i: usize, odd: usize| if i % 4 < 2 { low.0[i / 4 * 4 + i % 2 * 2 + odd] } else { high.0[i / 4 * 4 + i % 2 * 2 + odd] };
        (F32x16(std::array::from_fn(|i| from(i, 0))), F32x16(std::array::from_fn(|i| from(i, 1))))
    }
    #[inline(always)]
    fn spilled(self, to: &mut Line<f32>) -> &Line<f32> {
        to.0 = self.0;
        to
    }
    #[inline(always)]
    fn firsts(self) -> [f32; 4] {
        [self.0[0], self.0[4], self.0[8], self.0[12]]
    }
}

/// The same line, of which the compiler no longer knows what it holds.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn hidden(line: &Line<f32>) -> &Line<f32> {
    let mut p = std::ptr::from_ref(line);
    // SAFETY: no instruction; the pointer is the one that was borrowed.
    unsafe {
        asm!("/* {p} */", p = inout(reg) p, options(nostack, preserves_flags));
        &*p
    }
}

// SAFETY, for all of the next: only code that was handed an `Avx512` has a `Zmm`.
#[cfg(target_arch = "x86_64")]
impl Quarters for Zmm {
    #[inline(always)]
    fn repeated(numbers: [f32; 4]) -> Zmm {
        // SAFETY: as above; reads the four numbers.
        Zmm(unsafe { _mm512_broadcast_f32x4(_mm_loadu_ps(numbers.as_ptr())) })
    }
    #[inline(always)]
    fn spread([a, b, c, d]: [f32; 4]) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe {
            let quarters = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
            _mm512_permutexvar_ps(quarters, _mm512_castps128_ps512(_mm_setr_ps(a, b, c, d)))
        })
    }
    #[inline(always)]
    fn quarter_sums([a, b, c, d]: [Zmm; 4]) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe {
            let ab = _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(a.0, b.0), _mm512_shuffle_f32x4::<0xEE>(a.0, b.0));
            let cd = _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(c.0, d.0), _mm512_shuffle_f32x4::<0xEE>(c.0, d.0));
            let four = _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(ab, cd), _mm512_shuffle_f32x4::<0xDD>(ab, cd));
            let two = _mm512_add_ps(four, _mm512_permute_ps::<0x4E>(four));
            _mm512_add_ps(two, _mm512_permute_ps::<0xB1>(two))
        })
    }
    #[inline(always)]
    fn each<const LANE: i32>(self) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe {
            match LANE {
                0 => _mm512_permute_ps::<0x00>(self.0),
                1 => _mm512_permute_ps::<0x55>(self.0),
                2 => _mm512_permute_ps::<0xAA>(self.0),
                _ => _mm512_permute_ps::<0xFF>(self.0),
            }
        })
    }
    #[inline(always)]
    fn swapped(self) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_permute_ps::<0xB1>(self.0) })
    }
    #[inline(always)]
    fn behind(self, first: Zmm) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_mask_blend_ps(0xCCCC, first.0, self.0) })
    }
    #[inline(always)]
    fn interleaved(a: Zmm, b: Zmm) -> (Zmm, Zmm) {
        // SAFETY: as above.
        unsafe { (Zmm(_mm512_unpacklo_ps(a.0, b.0)), Zmm(_mm512_unpackhi_ps(a.0, b.0))) }
    }
    #[inline(always)]
    fn parted(low: Zmm, high: Zmm) -> (Zmm, Zmm) {
        // SAFETY: as above.
        unsafe { (Zmm(_mm512_shuffle_ps::<0x88>(low.0, high.0)), Zmm(_mm512_shuffle_ps::<0xDD>(low.0, high.0))) }
    }
    #[inline(always)]
    fn spilled(self, to: &mut Line<f32>) -> &Line<f32> {
        self.store(&mut to.0);
        hidden(to)
    }
    #[inline(always)]
    fn firsts(self) -> [f32; 4] {
        let mut numbers = [0.0; 4];
        // SAFETY: as above; writes the four numbers.
        unsafe {
            let firsts = _mm512_permutexvar_ps(_mm512_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), self.0);
            _mm_storeu_ps(numbers.as_mut_ptr(), _mm512_castps512_ps128(firsts));
        }
        numbers
    }
}

// SAFETY, for all of the next: only code that was handed an `Avx2` has a `Ymm`.
#[cfg(target_arch = "x86_64")]
impl Quarters for Ymm {
    #[inline(always)]
    fn repeated(numbers: [f32; 4]) -> Ymm {
        // SAFETY: as above; reads the four numbers.
        let half = unsafe { _mm256_broadcast_ps(&_mm_loadu_ps(numbers.as_ptr())) };
        Ymm(half, half)
    }
    #[inline(always)]
    fn spread([a, b, c, d]: [f32; 4]) -> Ymm {
        // SAFETY: as above.
        unsafe { Ymm(_mm256_setr_ps(a, a, a, a, b, b, b, b), _mm256_setr_ps(c, c, c, c, d, d, d, d)) }
    }
    #[inline(always)]
    fn quarter_sums([a, b, c, d]: [Ymm; 4]) -> Ymm {
        // SAFETY: as above.
        unsafe {
            let [a, b, c, d] = [_mm256_add_ps(a.0, a.1), _mm256_add_ps(b.0, b.1), _mm256_add_ps(c.0, c.1), _mm256_add_ps(d.0, d.1)];
            let ab = _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(a, b), _mm256_permute2f128_ps::<0x31>(a, b));
            let cd = _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(c, d), _mm256_permute2f128_ps::<0x31>(c, d));
            let (ab, cd) = (_mm256_add_ps(ab, _mm256_permute_ps::<0x4E>(ab)), _mm256_add_ps(cd, _mm256_permute_ps::<0x4E>(cd)));
            Ymm(_mm256_add_ps(ab, _mm256_permute_ps::<0xB1>(ab)), _mm256_add_ps(cd, _mm256_permute_ps::<0xB1>(cd)))
        }
    }
    #[inline(always)]
    fn each<const LANE: i32>(self) -> Ymm {
        // SAFETY: as above.
        unsafe {
            match LANE {
                0 => Ymm(_mm256_permute_ps::<0x00>(self.0), _mm256_permute_ps::<0x00>(self.1)),
                1 => Ymm(_mm256_permute_ps::<0x55>(self.0), _mm256_permute_ps::<0x55>(self.1)),
                2 => Ymm(_mm256_permute_ps::<0xAA>(self.0), _mm256_permute_ps::<0xAA>(self.1)),
                _ => Ymm(_mm256_permute_ps::<0xFF>(self.0), _mm256_permute_ps::<0xFF>(self.1)),
            }
        }
    }
    #[inline(always)]
    fn swapped(self) -> Ymm {
        // SAFETY: as above.
        unsafe { Ymm(_mm256_permute_ps::<0xB1>(self.0), _mm256_permute_ps::<0xB1>(self.1)) }
    }
    #[inline(always)]
    fn behind(self, first: Ymm) -> Ymm {
        // SAFETY: as above.
        unsafe { Ymm(_mm256_blend_ps::<0xCC>(first.0, self.0), _mm256_blend_ps::<0xCC>(first.1, self.1)) }
    }
    #[inline(always)]
    fn interleaved(a: Ymm, b: Ymm) -> (Ymm, Ymm) {
        // SAFETY: as above.
        unsafe {
            let low = Ymm(_mm256_unpacklo_ps(a.0, b.0), _mm256_unpacklo_ps(a.1, b.1));
            (low, Ymm(_mm256_unpackhi_ps(a.0, b.0), _mm256_unpackhi_ps(a.1, b.1)))
        }
    }
    #[inline(always)]
    fn parted(low: Ymm, high: Ymm) -> (Ymm, Ymm) {
        // SAFETY: as above.
        unsafe {
            let a = Ymm(_mm256_shuffle_ps::<0x88>(low.0, high.0), _mm256_shuffle_ps::<0x88>(low.1, high.1));
            (a, Ymm(_mm256_shuffle_ps::<0xDD>(low.0, high.0), _mm256_shuffle_ps::<0xDD>(low.1, high.1)))
        }
    }
    #[inline(always)]
    fn spilled(self, to: &mut Line<f32>) -> &Line<f32> {
        self.store(&mut to.0);
        hidden(to)
    }
    #[inline(always)]
    fn firsts(self) -> [f32; 4] {
        let mut numbers = [0.0; 4];
        // SAFETY: as above; writes the four numbers.
        unsafe {
            let low = _mm_unpacklo_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let high = _mm_unpacklo_ps(_mm256_castps256_ps128(self.1), _mm256_extractf128_ps::<1>(self.1));
            _mm_storeu_ps(numbers.as_mut_ptr(), _mm_movelh_ps(low, high));
        }
        numbers
    }
}
