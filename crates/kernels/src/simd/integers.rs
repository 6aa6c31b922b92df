//! Sixteen integers at a time, of both vector instruction sets of x86-64: places of slots, and whose a lane is.
//!
//! As with floats, a value exists only where its instruction set does: so each operation is sound.
#![allow(unsafe_code)]
use super::{Integers, Line};
use std::arch::x86_64::*;

pub mod avx512 {
    use super::*;

    /// Sixteen integers in one register.
    #[derive(Clone, Copy)]
    pub struct Whole(pub __m512i);

    impl Integers for Whole {
        #[inline(always)]
        fn of(x: u32) -> Whole {
            // SAFETY: only code that was handed an `Avx512` has a `Whole`.
            Whole(unsafe { _mm512_set1_epi32(x as i32) })
        }
        #[inline(always)]
        fn load(from: &Line<u32>) -> Whole {
            // SAFETY: reads the 64 borrowed bytes.
            Whole(unsafe { _mm512_load_si512(from.0.as_ptr().cast()) })
        }
        #[inline(always)]
        fn store(self, to: &mut Line<u32>) {
            // SAFETY: writes the 64 borrowed bytes.
            unsafe { _mm512_store_si512(to.0.as_mut_ptr().cast(), self.0) }
        }
        #[inline(always)]
        fn plus(self, other: Whole) -> Whole {
            // SAFETY: only code that was handed an `Avx512` has a `Whole`.
            Whole(unsafe { _mm512_add_epi32(self.0, other.0) })
        }
        #[inline(always)]
        fn times(self, other: Whole) -> Whole {
            // SAFETY: only code that was handed an `Avx512` has a `Whole`.
            Whole(unsafe { _mm512_mullo_epi32(self.0, other.0) })
        }
        #[inline(always)]
        fn and(self, other: Whole) -> Whole {
            // SAFETY: only code that was handed an `Avx512` has a `Whole`.
            Whole(unsafe { _mm512_and_si512(self.0, other.0) })
        }
        #[inline(always)]
        fn or(self, other: Whole) -> Whole {
            // SAFETY: only code that was handed an `Avx512` has a `Whole`.
            Whole(unsafe { _mm512_or_si512(self.0, other.0) })
        }
        #[inline(always)]
        fn less(self, other: Whole, yes: Whole, no: Whole) -> Whole {
            // SAFETY: only code that was handed an `Avx512` has a `Whole`.
            Whole(unsafe { _mm512_mask_blend_epi32(_mm512_cmplt_epu32_mask(self.0, other.0), no.0, yes.0) })
        }
        #[inline(always)]
        fn none_below(self, other: Whole) -> bool {
            // SAFETY: only code that was handed an `Avx512` has a `Whole`.
            unsafe { _mm512_cmplt_epu32_mask(self.0, other.0) == 0 }
        }
    }
}

pub mod avx2 {
    use super::*;

    /// Sixteen integers in two registers.
    #[derive(Clone, Copy)]
    pub struct Whole(pub __m256i, pub __m256i);

    #[inline(always)]
    unsafe fn at_least(a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the caller has an `Avx2`.
        unsafe { _mm256_cmpeq_epi32(_mm256_max_epu32(a, b), a) }
    }

    impl Integers for Whole {
        #[inline(always)]
        fn of(x: u32) -> Whole {
            // SAFETY: only code that was handed an `Avx2` has a `Whole`.
            unsafe { Whole(_mm256_set1_epi32(x as i32), _mm256_set1_epi32(x as i32)) }
        }
        #[inline(always)]
        fn load(from: &Line<u32>) -> Whole {
            let p = from.0.as_ptr();
            // SAFETY: reads the 64 borrowed bytes.
            unsafe { Whole(_mm256_load_si256(p.cast()), _mm256_load_si256(p.add(8).cast())) }
        }
        #[inline(always)]
        fn store(self, to: &mut Line<u32>) {
            let p = to.0.as_mut_ptr();
            // SAFETY: writes the 64 borrowed bytes.
            unsafe {
                _mm256_store_si256(p.cast(), self.0);
                _mm256_store_si256(p.add(8).cast(), self.1);
            }
        }
        #[inline(always)]
        fn plus(self, other: Whole) -> Whole {
            // SAFETY: only code that was handed an `Avx2` has a `Whole`.
            unsafe { Whole(_mm256_add_epi32(self.0, other.0), _mm256_add_epi32(self.1, other.1)) }
        }
        #[inline(always)]
        fn times(self, other: Whole) -> Whole {
            // SAFETY: only code that was handed an `Avx2` has a `Whole`.
            unsafe { Whole(_mm256_mullo_epi32(self.0, other.0), _mm256_mullo_epi32(self.1, other.1)) }
        }
        #[inline(always)]
        fn and(self, other: Whole) -> Whole {
            // SAFETY: only code that was handed an `Avx2` has a `Whole`.
            unsafe { Whole(_mm256_and_si256(self.0, other.0), _mm256_and_si256(self.1, other.1)) }
        }
        #[inline(always)]
        fn or(self, other: Whole) -> Whole {
            // SAFETY: only code that was handed an `Avx2` has a `Whole`.
            unsafe { Whole(_mm256_or_si256(self.0, other.0), _mm256_or_si256(self.1, other.1)) }
        }
        #[inline(always)]
        fn less(self, other: Whole, yes: Whole, no: Whole) -> Whole {
            // SAFETY: only code that was handed an `Avx2` has a `Whole`.
            unsafe {
                let low = _mm256_blendv_epi8(yes.0, no.0, at_least(self.0, other.0));
                Whole(low, _mm256_blendv_epi8(yes.1, no.1, at_least(self.1, other.1)))
            }
        }
        #[inline(always)]
        fn none_below(self, other: Whole) -> bool {
            // SAFETY: only code that was handed an `Avx2` has a `Whole`.
            unsafe { _mm256_movemask_epi8(_mm256_and_si256(at_least(self.0, other.0), at_least(self.1, other.1))) == -1 }
        }
    }
}
