//! Moves of rows of many cells at a fixed distance from an address, and of four cells of each of four rows.
//!
//! Each `asm!` block means as many relaxed loads or stores, of neighbouring cells. The distance is part of the instruction: so a row takes
//! one register for its address, however many vectors it has.
//!
//! # Safety
//! All functions: the processor has the instruction set, and what lies `BYTES` behind each pointer are cells that are borrowed.
#![allow(unsafe_code)]
use atomic_float::AtomicF32;
use std::arch::{asm, x86_64::*};

/// Vectors of one register.
pub mod avx512 {
    use super::*;

    #[target_feature(enable = "avx512f")]
    #[inline]
    pub unsafe fn load_behind<const BYTES: usize>(p: *const AtomicF32) -> __m512 {
        let v: __m512;
        // SAFETY: the caller's.
        unsafe {
            asm!("vmovups {v}, [{p} + {o}]", v = out(zmm_reg) v, p = in(reg) p, o = const BYTES, options(readonly, nostack, preserves_flags))
        };
        v
    }
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub unsafe fn store_behind<const BYTES: usize>(p: *const AtomicF32, v: __m512) {
        // SAFETY: the caller's.
        unsafe { asm!("vmovups [{p} + {o}], {v}", v = in(zmm_reg) v, p = in(reg) p, o = const BYTES, options(nostack, preserves_flags)) };
    }
    // Four times four relaxed loads, or stores. The register is named, as its lower parts have other names.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub unsafe fn load_quarters<const BYTES: usize>([a, b, c, d]: [*const AtomicF32; 4]) -> __m512 {
        let v: __m512;
        // SAFETY: the caller's.
        unsafe {
            asm!("vmovups xmm0, [{a} + {o}]", "vinsertf128 ymm0, ymm0, [{b} + {o}], 1", "vinsertf32x4 zmm0, zmm0, [{c} + {o}], 2",
                "vinsertf32x4 zmm0, zmm0, [{d} + {o}], 3", a = in(reg) a, b = in(reg) b, c = in(reg) c, d = in(reg) d, o = const BYTES,
                out("zmm0") v, options(readonly, nostack, preserves_flags));
        }
        v
    }
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub unsafe fn load_blocks(p: *const AtomicF32, at: &[u32; 4]) -> __m512 {
        let v: __m512;
        // SAFETY: the caller's.
        unsafe {
            asm!("mov {i:e}, dword ptr [{at}]", "vmovups xmm0, [{p} + {i} * 8]", "mov {i:e}, dword ptr [{at} + 4]",
                "vinsertf128 ymm0, ymm0, [{p} + {i} * 8], 1", "mov {i:e}, dword ptr [{at} + 8]",
                "vinsertf32x4 zmm0, zmm0, [{p} + {i} * 8], 2", "mov {i:e}, dword ptr [{at} + 12]",
                "vinsertf32x4 zmm0, zmm0, [{p} + {i} * 8], 3", p = in(reg) p, at = in(reg) at, i = out(reg) _,
                out("zmm0") v, options(readonly, nostack, preserves_flags));
        }
        v
    }
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub unsafe fn store_quarters<const BYTES: usize>(v: __m512, [a, b, c, d]: [*const AtomicF32; 4]) {
        // SAFETY: the caller's.
        unsafe {
            asm!("vmovups [{a} + {o}], xmm0", "vextractf128 [{b} + {o}], ymm0, 1", "vextractf32x4 [{c} + {o}], zmm0, 2",
                "vextractf32x4 [{d} + {o}], zmm0, 3", a = in(reg) a, b = in(reg) b, c = in(reg) c, d = in(reg) d, o = const BYTES,
                in("zmm0") v, options(nostack, preserves_flags));
        }
    }
}

/// Vectors of two registers.
pub mod avx2 {
    use super::*;

    #[target_feature(enable = "avx2")]
    #[inline]
    pub unsafe fn load_behind<const BYTES: usize>(p: *const AtomicF32) -> (__m256, __m256) {
        let (a, b): (__m256, __m256);
        // SAFETY: the caller's.
        unsafe {
            asm!("vmovups {a}, [{p} + {o}]", "vmovups {b}, [{p} + {o} + 32]", a = out(ymm_reg) a, b = out(ymm_reg) b, p = in(reg) p,
                o = const BYTES, options(readonly, nostack, preserves_flags));
        }
        (a, b)
    }
    #[target_feature(enable = "avx2")]
    #[inline]
    pub unsafe fn store_behind<const BYTES: usize>(p: *const AtomicF32, a: __m256, b: __m256) {
        // SAFETY: the caller's.
        unsafe {
            asm!("vmovups [{p} + {o}], {a}", "vmovups [{p} + {o} + 32], {b}", a = in(ymm_reg) a, b = in(ymm_reg) b, p = in(reg) p,
                o = const BYTES, options(nostack, preserves_flags));
        }
    }
    // Twice four relaxed loads, or stores. The register is named, as its lower half has another name.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub unsafe fn load_two<const BYTES: usize>(a: *const AtomicF32, b: *const AtomicF32) -> __m256 {
        let v: __m256;
        // SAFETY: the caller's.
        unsafe {
            asm!("vmovups xmm0, [{a} + {o}]", "vinsertf128 ymm0, ymm0, [{b} + {o}], 1", a = in(reg) a, b = in(reg) b, o = const BYTES,
                out("ymm0") v, options(readonly, nostack, preserves_flags));
        }
        v
    }
    #[target_feature(enable = "avx2")]
    #[inline]
    pub unsafe fn load_blocks(p: *const AtomicF32, at: *const u32) -> __m256 {
        let v: __m256;
        // SAFETY: the caller's.
        unsafe {
            asm!("mov {i:e}, dword ptr [{at}]", "vmovups xmm0, [{p} + {i} * 8]", "mov {i:e}, dword ptr [{at} + 4]",
                "vinsertf128 ymm0, ymm0, [{p} + {i} * 8], 1", p = in(reg) p, at = in(reg) at, i = out(reg) _, out("ymm0") v,
                options(readonly, nostack, preserves_flags));
        }
        v
    }
    #[target_feature(enable = "avx2")]
    #[inline]
    pub unsafe fn store_two<const BYTES: usize>(v: __m256, a: *const AtomicF32, b: *const AtomicF32) {
        // SAFETY: the caller's.
        unsafe {
            asm!("vmovups [{a} + {o}], xmm0", "vextractf128 [{b} + {o}], ymm0, 1", a = in(reg) a, b = in(reg) b, o = const BYTES,
                in("ymm0") v, options(nostack, preserves_flags));
        }
    }
}
