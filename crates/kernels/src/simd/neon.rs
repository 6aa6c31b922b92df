//! NEON: neighbouring cells move by four registers of four; single rows go by relaxed loads, and the arithmetic is plain Rust, which
//! the compiler turns into NEON's.
#![allow(unsafe_code)]
use super::{F32x16, Isa, LANES, Line, MOST, portable::Portable};
use atomic_float::AtomicF32;
use std::{
    arch::{aarch64::float32x4_t, asm},
    sync::atomic::AtomicU32,
};

/// Every aarch64 processor has it.
#[derive(Clone, Copy)]
pub struct Neon(pub ());

impl Isa for Neon {
    type V = F32x16;
    type U = Line<u32>;

    #[inline(always)]
    fn load(self, from: &[AtomicF32; LANES]) -> F32x16 {
        let (a, b, c, d): (float32x4_t, float32x4_t, float32x4_t, float32x4_t);
        // SAFETY: reads the 64 bytes of the borrowed cells; the transmute is between 64 plain bytes.
        unsafe {
            asm!("ldp {a:q}, {b:q}, [{p}]", "ldp {c:q}, {d:q}, [{p}, #32]", p = in(reg) from.as_ptr(),
                a = out(vreg) a, b = out(vreg) b, c = out(vreg) c, d = out(vreg) d, options(readonly, nostack, preserves_flags));
            F32x16(std::mem::transmute([a, b, c, d]))
        }
    }
    #[inline(always)]
    fn store(self, values: F32x16, to: &[AtomicF32; LANES]) {
        // SAFETY: writes the 64 bytes of the borrowed cells, which allow writing through a shared reference.
        unsafe {
            let [a, b, c, d] = std::mem::transmute::<[f32; 16], [float32x4_t; 4]>(values.0);
            asm!("stp {a:q}, {b:q}, [{p}]", "stp {c:q}, {d:q}, [{p}, #32]", p = in(reg) to.as_ptr(),
                a = in(vreg) a, b = in(vreg) b, c = in(vreg) c, d = in(vreg) d, options(nostack, preserves_flags));
        }
    }
    #[inline(always)]
    unsafe fn load_behind<const BYTES: usize>(self, first: *const AtomicF32) -> F32x16 {
        // SAFETY: the caller's.
        self.load(unsafe { &*first.byte_add(BYTES).cast() })
    }
    #[inline(always)]
    unsafe fn store_behind<const BYTES: usize>(self, values: F32x16, first: *const AtomicF32) {
        // SAFETY: the caller's.
        self.store(values, unsafe { &*first.byte_add(BYTES).cast() });
    }
    #[inline(always)]
    unsafe fn load_quarters<const BYTES: usize>(self, first: [*const AtomicF32; 4]) -> F32x16 {
        // SAFETY: the caller's.
        unsafe { Portable.load_quarters::<BYTES>(first) }
    }
    #[inline(always)]
    unsafe fn store_quarters<const BYTES: usize>(self, values: F32x16, first: [*const AtomicF32; 4]) {
        // SAFETY: the caller's.
        unsafe { Portable.store_quarters::<BYTES>(values, first) }
    }
    #[inline(always)]
    unsafe fn load_blocks(self, first: *const AtomicF32, at: &[u32; 4]) -> F32x16 {
        // SAFETY: the caller's.
        unsafe { Portable.load_blocks(first, at) }
    }
    #[inline(always)]
    fn load_some(self, from: &[AtomicU32]) -> Line<u32> {
        Portable.load_some(from)
    }
    #[inline(always)]
    unsafe fn gather(self, cells: &[AtomicF32], at: &Line<u32>, stride: usize) -> [F32x16; MOST] {
        // SAFETY: the caller's.
        unsafe { Portable.gather(cells, at, stride) }
    }
    #[inline(always)]
    unsafe fn scatter(self, rows: [F32x16; MOST], cells: &[AtomicF32], at: &Line<u32>, stride: usize) {
        // SAFETY: the caller's.
        unsafe { Portable.scatter(rows, cells, at, stride) }
    }
    #[inline(always)]
    fn add_where(self, sum: F32x16, owners: Line<u32>, k: u32, term: F32x16) -> F32x16 {
        Portable.add_where(sum, owners, k, term)
    }
    #[inline(always)]
    fn pick(self, numbers: &[f32; 8], owners: Line<u32>) -> F32x16 {
        Portable.pick(numbers, owners)
    }
    #[inline(always)]
    fn prefetch<T>(self, cell: *const T) {
        // SAFETY: a hint; it touches nothing.
        unsafe { asm!("prfm pldl1keep, [{p}]", p = in(reg) cell, options(readonly, nostack, preserves_flags)) }
    }
    #[inline(always)]
    fn prefetch_rows(self, _cells: &[AtomicF32], _at: &Line<u32>, _stride: usize) {}
}
