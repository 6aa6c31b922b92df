//! What AVX-512 and AVX2 share: moves of one to four slots of one weight between shared cells and a 128-bit register.
//!
//! Each `asm!` block means so many relaxed loads or stores of one 32-bit cell, in no particular order; it is the only way to say
//! that on stable Rust without giving up vector moves. Values pass in registers: copying from memory to memory inside a block cost
//! three times as much on factor rows. The places are read inside the blocks too: otherwise the compiler, which still has them in a
//! vector register, takes them out of it lane by lane.
//!
//! # Safety
//! All functions: `at` points to sixteen places, of which as many as the name says are taken, from number `FROM` on; each is
//! of a row within the cells from `cells` on, counted in
//! units of eight bytes (`ones`: of four).
#![allow(unsafe_code)]
use super::Line;
use std::arch::{
    asm,
    x86_64::{__m128, _MM_HINT_T0, _mm_prefetch},
};

/// Two rows of two cells.
#[inline(always)]
pub unsafe fn load_twos<const FROM: usize>(cells: *const u8, at: *const u32) -> __m128 {
    let v: __m128;
    // SAFETY: the caller's.
    unsafe {
        asm!(
            "mov {i:e}, dword ptr [{at} + {o}]",
            "vmovsd {v}, qword ptr [{p} + {i} * 8]",
            "mov {i:e}, dword ptr [{at} + {o} + 4]",
            "vmovhps {v}, {v}, qword ptr [{p} + {i} * 8]",
            p = in(reg) cells, at = in(reg) at, o = const 4 * FROM, i = out(reg) _, v = out(xmm_reg) v, options(readonly, nostack, preserves_flags)
        )
    }
    v
}

#[inline(always)]
pub unsafe fn store_twos<const FROM: usize>(v: __m128, cells: *const u8, at: *const u32) {
    // SAFETY: the caller's.
    unsafe {
        asm!(
            "mov {i:e}, dword ptr [{at} + {o}]",
            "vmovlps qword ptr [{p} + {i} * 8], {v}",
            "mov {i:e}, dword ptr [{at} + {o} + 4]",
            "vmovhps qword ptr [{p} + {i} * 8], {v}",
            p = in(reg) cells, at = in(reg) at, o = const 4 * FROM, i = out(reg) _, v = in(xmm_reg) v, options(nostack, preserves_flags)
        )
    }
}

/// Four rows of one cell.
#[inline(always)]
pub unsafe fn load_ones<const FROM: usize>(cells: *const u8, at: *const u32) -> __m128 {
    let v: __m128;
    // SAFETY: the caller's.
    unsafe {
        asm!(
            "mov {i:e}, dword ptr [{at} + {o}]",
            "vmovss {v}, dword ptr [{p} + {i} * 4]",
            "mov {i:e}, dword ptr [{at} + {o} + 4]",
            "vinsertps {v}, {v}, dword ptr [{p} + {i} * 4], 0x10",
            "mov {i:e}, dword ptr [{at} + {o} + 8]",
            "vinsertps {v}, {v}, dword ptr [{p} + {i} * 4], 0x20",
            "mov {i:e}, dword ptr [{at} + {o} + 12]",
            "vinsertps {v}, {v}, dword ptr [{p} + {i} * 4], 0x30",
            p = in(reg) cells, at = in(reg) at, o = const 4 * FROM, i = out(reg) _, v = out(xmm_reg) v, options(readonly, nostack, preserves_flags)
        )
    }
    v
}

#[inline(always)]
pub unsafe fn store_ones<const FROM: usize>(v: __m128, cells: *const u8, at: *const u32) {
    // SAFETY: the caller's.
    unsafe {
        asm!(
            "mov {i:e}, dword ptr [{at} + {o}]",
            "vmovss dword ptr [{p} + {i} * 4], {v}",
            "mov {i:e}, dword ptr [{at} + {o} + 4]",
            "vextractps dword ptr [{p} + {i} * 4], {v}, 1",
            "mov {i:e}, dword ptr [{at} + {o} + 8]",
            "vextractps dword ptr [{p} + {i} * 4], {v}, 2",
            "mov {i:e}, dword ptr [{at} + {o} + 12]",
            "vextractps dword ptr [{p} + {i} * 4], {v}, 3",
            p = in(reg) cells, at = in(reg) at, o = const 4 * FROM, i = out(reg) _, v = in(xmm_reg) v, options(nostack, preserves_flags)
        )
    }
}

/// One row of four cells.
#[inline(always)]
pub unsafe fn load_four<const FROM: usize>(cells: *const u8, at: *const u32) -> __m128 {
    let v: __m128;
    // SAFETY: the caller's.
    unsafe {
        asm!(
            "mov {i:e}, dword ptr [{at} + {o}]",
            "vmovups {v}, xmmword ptr [{p} + {i} * 8]",
            p = in(reg) cells, at = in(reg) at, o = const 4 * FROM, i = out(reg) _, v = out(xmm_reg) v, options(readonly, nostack, preserves_flags)
        )
    }
    v
}

#[inline(always)]
pub unsafe fn store_four<const FROM: usize>(v: __m128, cells: *const u8, at: *const u32) {
    // SAFETY: the caller's.
    unsafe {
        asm!(
            "mov {i:e}, dword ptr [{at} + {o}]",
            "vmovups xmmword ptr [{p} + {i} * 8], {v}",
            p = in(reg) cells, at = in(reg) at, o = const 4 * FROM, i = out(reg) _, v = in(xmm_reg) v, options(nostack, preserves_flags)
        )
    }
}

#[inline(always)]
pub fn prefetch_line<T>(cell: *const T) {
    // SAFETY: a hint; it may name any address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(cell.cast()) }
}

/// Asks for rows by place, counted in units of so many bytes.
#[inline(always)]
pub fn prefetch_rows(cells: *const u8, at: &Line<u32>, unit: usize) {
    for &place in &at.0 {
        // SAFETY: a hint; it may name any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(cells.wrapping_add(place as usize * unit).cast()) }
    }
}
