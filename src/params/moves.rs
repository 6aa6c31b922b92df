//! The moves: neighbouring shared cells to private values and back, one vector instruction each.
//!
//! Each `asm!` block means so many relaxed loads or stores of one 32-bit cell, in no particular order; it is the only way to say
//! that on stable Rust without giving up vector moves. A value leaves a block in a register: copying from memory to memory inside
//! the block cost three times as much on factor rows. [`Portable`] says the same in plain Rust, and is the oracle of the others.
#![allow(unsafe_code)]
use super::Isa;
use atomic_float::AtomicF32;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Isa for Portable {
    #[inline(always)]
    fn load<const S: usize>(self, from: &[AtomicF32; S]) -> [f32; S] {
        std::array::from_fn(|i| from[i].load(Relaxed))
    }
    #[inline(always)]
    fn store<const S: usize>(self, values: [f32; S], to: &[AtomicF32; S]) {
        for (cell, value) in to.iter().zip(values) {
            cell.store(value, Relaxed);
        }
    }
    #[inline(always)]
    fn load16(self, from: &[AtomicF32; 16]) -> [f32; 16] {
        self.load(from)
    }
    #[inline(always)]
    fn store16(self, values: [f32; 16], to: &[AtomicF32; 16]) {
        self.store(values, to)
    }
    #[inline(always)]
    fn load16u(self, from: &[AtomicU32; 16]) -> [u32; 16] {
        std::array::from_fn(|i| from[i].load(Relaxed))
    }
    #[inline(always)]
    fn prefetch<T>(self, _cell: &T) {}
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::*;
    use std::arch::asm;
    use std::arch::x86_64::{__m128, __m256, __m512};

    /// Copies between arrays whose lengths are equal, though the type system cannot see it: `S` was matched against `N`.
    #[inline(always)]
    fn resize<const N: usize, const S: usize>(from: [f32; N]) -> [f32; S] {
        std::array::from_fn(|i| from[i])
    }

    #[inline(always)]
    fn load_small<const S: usize>(from: &[AtomicF32; S]) -> [f32; S] {
        let p = from.as_ptr();
        match S {
            2 => {
                let both: u64;
                // SAFETY: reads the 8 bytes of the two borrowed cells.
                unsafe { asm!("mov {v}, [{p}]", v = out(reg) both, p = in(reg) p, options(readonly, nostack, preserves_flags)) };
                resize([f32::from_bits(both as u32), f32::from_bits((both >> 32) as u32)])
            }
            4 => {
                let v: __m128;
                // SAFETY: reads the 16 bytes of the four borrowed cells; f32x4 and [f32; 4] are both plain bytes of equal size.
                resize::<4, S>(unsafe {
                    asm!("movups {v}, [{p}]", v = out(xmm_reg) v, p = in(reg) p, options(readonly, nostack, preserves_flags));
                    std::mem::transmute::<__m128, [f32; 4]>(v)
                })
            }
            _ => Portable.load(from),
        }
    }

    #[inline(always)]
    fn store_small<const S: usize>(values: [f32; S], to: &[AtomicF32; S]) {
        let p = to.as_ptr();
        match S {
            2 => {
                let both = values[0].to_bits() as u64 | (values[1].to_bits() as u64) << 32;
                // SAFETY: writes the 8 bytes of the two borrowed cells, which allow writing through a shared reference.
                unsafe { asm!("mov [{p}], {v}", v = in(reg) both, p = in(reg) p, options(nostack, preserves_flags)) };
            }
            4 => {
                // SAFETY: writes the 16 bytes of the four borrowed cells; the transmute is between plain bytes of equal size.
                unsafe {
                    let v = std::mem::transmute::<[f32; 4], __m128>(resize(values));
                    asm!("movups [{p}], {v}", v = in(xmm_reg) v, p = in(reg) p, options(nostack, preserves_flags));
                }
            }
            _ => Portable.store(values, to),
        }
    }

    #[inline(always)]
    fn prefetch_line<T>(cell: &T) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint; it may name any address, and this one is borrowed.
        unsafe { _mm_prefetch::<_MM_HINT_T0>((cell as *const T).cast()) }
    }

    /// # Safety
    /// `p` points to 64 readable bytes of cells.
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn zmm_load<T>(p: *const T) -> __m512 {
        let v: __m512;
        // SAFETY: the caller's.
        unsafe { asm!("vmovups {v}, [{p}]", v = out(zmm_reg) v, p = in(reg) p, options(readonly, nostack, preserves_flags)) };
        v
    }

    /// # Safety
    /// `p` points to 64 bytes of cells.
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn zmm_store<T>(p: *const T, v: __m512) {
        // SAFETY: the caller's.
        unsafe { asm!("vmovups [{p}], {v}", v = in(zmm_reg) v, p = in(reg) p, options(nostack, preserves_flags)) };
    }

    /// # Safety
    /// `p` points to 64 readable bytes of cells.
    #[target_feature(enable = "avx")]
    #[inline]
    unsafe fn ymm_load<T>(p: *const T) -> [__m256; 2] {
        let (a, b): (__m256, __m256);
        // SAFETY: the caller's.
        unsafe {
            asm!("vmovups {v}, [{p}]", v = out(ymm_reg) a, p = in(reg) p, options(readonly, nostack, preserves_flags));
            asm!("vmovups {v}, [{p} + 32]", v = out(ymm_reg) b, p = in(reg) p, options(readonly, nostack, preserves_flags));
        }
        [a, b]
    }

    /// # Safety
    /// `p` points to 64 bytes of cells.
    #[target_feature(enable = "avx")]
    #[inline]
    unsafe fn ymm_store<T>(p: *const T, [a, b]: [__m256; 2]) {
        // SAFETY: the caller's.
        unsafe {
            asm!("vmovups [{p}], {v}", v = in(ymm_reg) a, p = in(reg) p, options(nostack, preserves_flags));
            asm!("vmovups [{p} + 32], {v}", v = in(ymm_reg) b, p = in(reg) p, options(nostack, preserves_flags));
        }
    }

    /// Made by `dispatch` alone, on processors that have it.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(pub(in crate::params) ());
    /// Made by `dispatch` alone, on processors that have it.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(pub(in crate::params) ());

    macro_rules! isa {
        ($name:ty, $load:ident, $store:ident) => {
            impl Isa for $name {
                #[inline(always)]
                fn load<const S: usize>(self, from: &[AtomicF32; S]) -> [f32; S] {
                    load_small(from)
                }
                #[inline(always)]
                fn store<const S: usize>(self, values: [f32; S], to: &[AtomicF32; S]) {
                    store_small(values, to)
                }
                #[inline(always)]
                fn load16(self, from: &[AtomicF32; 16]) -> [f32; 16] {
                    // SAFETY: the cells are borrowed, `self` proves the feature, the transmute is between 64 plain bytes.
                    unsafe { std::mem::transmute($load(from.as_ptr())) }
                }
                #[inline(always)]
                fn store16(self, values: [f32; 16], to: &[AtomicF32; 16]) {
                    // SAFETY: as above; cells may be written through a shared reference.
                    unsafe { $store(to.as_ptr(), std::mem::transmute(values)) }
                }
                #[inline(always)]
                fn load16u(self, from: &[AtomicU32; 16]) -> [u32; 16] {
                    // SAFETY: as above.
                    unsafe { std::mem::transmute($load(from.as_ptr())) }
                }
                #[inline(always)]
                fn prefetch<T>(self, cell: &T) {
                    prefetch_line(cell)
                }
            }
        };
    }
    isa!(Avx512, zmm_load, zmm_store);
    isa!(Avx2, ymm_load, ymm_store);
}
#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::*;
    use std::arch::{aarch64::float32x4_t, asm};

    /// Every aarch64 processor has it.
    #[derive(Clone, Copy)]
    pub(crate) struct Neon(pub(in crate::params) ());

    /// # Safety
    /// `p` points to 64 readable bytes of cells.
    #[inline(always)]
    unsafe fn load<T>(p: *const T) -> [float32x4_t; 4] {
        let (a, b, c, d);
        // SAFETY: the caller's.
        unsafe {
            asm!("ldp {a:q}, {b:q}, [{p}]", "ldp {c:q}, {d:q}, [{p}, #32]", p = in(reg) p,
                a = out(vreg) a, b = out(vreg) b, c = out(vreg) c, d = out(vreg) d, options(readonly, nostack, preserves_flags));
        }
        [a, b, c, d]
    }

    impl Isa for Neon {
        #[inline(always)]
        fn load<const S: usize>(self, from: &[AtomicF32; S]) -> [f32; S] {
            Portable.load(from)
        }
        #[inline(always)]
        fn store<const S: usize>(self, values: [f32; S], to: &[AtomicF32; S]) {
            Portable.store(values, to)
        }
        #[inline(always)]
        fn load16(self, from: &[AtomicF32; 16]) -> [f32; 16] {
            // SAFETY: the cells are borrowed; the transmute is between 64 plain bytes.
            unsafe { std::mem::transmute(load(from.as_ptr())) }
        }
        #[inline(always)]
        fn store16(self, values: [f32; 16], to: &[AtomicF32; 16]) {
            // SAFETY: writes the 64 bytes of the borrowed cells, which allow writing through a shared reference.
            unsafe {
                let [a, b, c, d] = std::mem::transmute::<[f32; 16], [float32x4_t; 4]>(values);
                asm!("stp {a:q}, {b:q}, [{p}]", "stp {c:q}, {d:q}, [{p}, #32]", p = in(reg) to.as_ptr(),
                    a = in(vreg) a, b = in(vreg) b, c = in(vreg) c, d = in(vreg) d, options(nostack, preserves_flags));
            }
        }
        #[inline(always)]
        fn load16u(self, from: &[AtomicU32; 16]) -> [u32; 16] {
            // SAFETY: as for `load16`.
            unsafe { std::mem::transmute(load(from.as_ptr())) }
        }
        #[inline(always)]
        fn prefetch<T>(self, cell: &T) {
            // SAFETY: a hint; it touches nothing.
            unsafe { asm!("prfm pldl1keep, [{p}]", p = in(reg) cell, options(readonly, nostack, preserves_flags)) }
        }
    }
}
#[cfg(target_arch = "aarch64")]
pub(super) use arm::Neon;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::{InstructionSet, Job, dispatch};
    use proptest::prelude::*;

    /// Every move there and back: bits of what was read, and of the cells afterwards.
    struct Moves([u32; 16]);

    impl Job for Moves {
        type Output = Vec<u32>;

        #[inline(always)]
        fn run<I: Isa>(self, isa: I) -> Vec<u32> {
            let cells = || self.0.map(|bits| AtomicF32::new(f32::from_bits(bits)));
            let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            let mut seen = Vec::new();
            let (from, to) = (cells(), [(); 16].map(|()| AtomicF32::new(0.0)));
            seen.extend(bits(&isa.load16(&from)));
            isa.store16(isa.load16(&from), &to);
            let (halves, quarters) = (from.as_chunks::<2>().0, from.as_chunks::<4>().0);
            seen.extend(halves.iter().flat_map(|cells| bits(&isa.load(cells))));
            seen.extend(quarters.iter().flat_map(|cells| bits(&isa.load(cells))));
            seen.extend(bits(&to.each_ref().map(|cell| cell.load(Relaxed))));
            isa.store(isa.load(&quarters[1]), &to.as_chunks::<4>().0[2]);
            isa.store(isa.load(&halves[3]), &to.as_chunks::<2>().0[0]);
            seen.extend(bits(&to.each_ref().map(|cell| cell.load(Relaxed))));
            seen.extend(isa.load16u(&self.0.map(AtomicU32::new)));
            seen
        }
    }

    proptest! {
        #[test]
        fn vector_moves_equal_portable_ones(bits in prop::array::uniform16(any::<u32>())) {
            // Whether a NaN keeps its payload is not promised for floats in registers.
            let bits = bits.map(|b| if f32::from_bits(b).is_nan() { b & 0xFF } else { b });
            for set in InstructionSet::available() {
                prop_assert_eq!(dispatch(set, Moves(bits)), dispatch(InstructionSet::Portable, Moves(bits)), "{}", set.name());
            }
        }
    }
}
