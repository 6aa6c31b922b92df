//! The moves in plain Rust: relaxed loads and stores one by one. What other targets get, and the oracle of the fast ones.
//! They are calls, as is the arithmetic of [`F32x16`], but on aarch64, where NEON goes by them.
#![allow(unsafe_code)]
use super::{F32x16, Isa, LANES, Line, MOST, Real};
use atomic_float::AtomicF32;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[derive(Clone, Copy)]
pub struct Portable;

impl Isa for Portable {
    type V = F32x16;
    type U = Line<u32>;

    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    fn load(self, from: &[AtomicF32; LANES]) -> F32x16 {
        F32x16(std::array::from_fn(|i| from[i].load(Relaxed)))
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    fn store(self, values: F32x16, to: &[AtomicF32; LANES]) {
        for (cell, value) in to.iter().zip(values.0) {
            cell.store(value, Relaxed);
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
        F32x16(std::array::from_fn(|i| unsafe { &*first[i / 4].byte_add(BYTES).add(i % 4) }.load(Relaxed)))
    }
    #[inline(always)]
    unsafe fn store_quarters<const BYTES: usize>(self, values: F32x16, first: [*const AtomicF32; 4]) {
        for i in 0..LANES {
            // SAFETY: the caller's.
            unsafe { &*first[i / 4].byte_add(BYTES).add(i % 4) }.store(values.0[i], Relaxed);
        }
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    unsafe fn load_blocks(self, first: *const AtomicF32, at: &[u32; 4]) -> F32x16 {
        // SAFETY: the caller's.
        F32x16(std::array::from_fn(|i| unsafe { &*first.add(2 * at[i / 4] as usize + i % 4) }.load(Relaxed)))
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    fn load_some(self, from: &[AtomicU32]) -> Line<u32> {
        Line(std::array::from_fn(|i| from.get(i).map_or(0, |cell| cell.load(Relaxed))))
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    unsafe fn gather(self, cells: &[AtomicF32], at: &Line<u32>, stride: usize) -> [F32x16; MOST] {
        let mut rows = [F32x16::of(0.0); MOST];
        for i in 0..LANES {
            for k in 0..stride.min(MOST) {
                rows[k].0[i] = cells[at.0[i] as usize * stride.min(2) + k].load(Relaxed);
            }
        }
        rows
    }
    #[cfg_attr(not(target_arch = "aarch64"), inline(never))]
    #[cfg_attr(target_arch = "aarch64", inline(always))]
    unsafe fn scatter(self, rows: [F32x16; MOST], cells: &[AtomicF32], at: &Line<u32>, stride: usize) {
        for i in 0..LANES {
            for k in 0..stride.min(MOST) {
                cells[at.0[i] as usize * stride.min(2) + k].store(rows[k].0[i], Relaxed);
            }
        }
    }
    #[inline(always)]
    fn add_where(self, mut sum: F32x16, owners: Line<u32>, k: u32, term: F32x16) -> F32x16 {
        for i in 0..LANES {
            if owners.0[i] == k {
                sum.0[i] += term.0[i];
            }
        }
        sum
    }
    #[inline(always)]
    fn pick(self, numbers: &[f32; 8], owners: Line<u32>) -> F32x16 {
        F32x16(std::array::from_fn(|i| numbers[owners.0[i] as usize % 8]))
    }
    #[inline(always)]
    fn prefetch<T>(self, _cell: *const T) {}
    #[inline(always)]
    fn prefetch_rows(self, _cells: &[AtomicF32], _at: &Line<u32>, _stride: usize) {}
}
