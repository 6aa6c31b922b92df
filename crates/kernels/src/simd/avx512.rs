//! AVX-512: a vector is one register.
//!
//! Rows of two cells are loaded as `[w0 s0 w1 s1 | w4 s4 w5 s5 | ...]` and `[w2 s2 w3 s3 | w6 s6 ...]`: then one shuffle within
//! 128-bit lanes parts weights from state in natural order, and one unpacking brings them together again.
#![allow(unsafe_code)]
use super::{
    InstructionSet, Isa, LANES, Line, MOST, Quarters, Real, Vector,
    integers::avx512::Whole,
    real::through_memory,
    rows::avx512::{load_behind, load_blocks, load_quarters, store_behind, store_quarters},
    x86::{load_four, load_ones, load_twos, prefetch_line, prefetch_rows, store_four, store_ones, store_twos},
};
use atomic_float::AtomicF32;
use std::{
    arch::{asm, x86_64::*},
    ops::{Add, Div, Mul, Neg, Sub},
    sync::atomic::AtomicU32,
};

/// Made by `dispatch` alone, on processors that have it.
#[derive(Clone, Copy)]
pub struct Avx512(pub ());

/// Named through [`Avx512`] alone, which is what makes its operations sound.
#[derive(Clone, Copy)]
pub struct Zmm(pub(super) __m512);

macro_rules! operator {
    ($trait:ident, $name:ident, $f:ident) => {
        impl $trait for Zmm {
            type Output = Zmm;
            #[inline(always)]
            fn $name(self, other: Zmm) -> Zmm {
                // SAFETY: only code that was handed an `Avx512` has a `Zmm`.
                Zmm(unsafe { $f(self.0, other.0) })
            }
        }
    };
}
operator!(Add, add, _mm512_add_ps);
operator!(Sub, sub, _mm512_sub_ps);
operator!(Mul, mul, _mm512_mul_ps);
operator!(Div, div, _mm512_div_ps);

impl Neg for Zmm {
    type Output = Zmm;
    #[inline(always)]
    fn neg(self) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_xor_ps(self.0, _mm512_set1_ps(-0.0)) })
    }
}

impl Real for Zmm {
    through_memory!(InstructionSet::Avx512);
    #[inline(always)]
    fn of(x: f32) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_set1_ps(x) })
    }
    #[inline(always)]
    fn mul_add(self, factor: Zmm, term: Zmm) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_fmadd_ps(self.0, factor.0, term.0) })
    }
    #[inline(always)]
    fn sqrt(self) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_sqrt_ps(self.0) })
    }
    #[inline(always)]
    fn abs(self) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_andnot_ps(_mm512_set1_ps(-0.0), self.0) })
    }
    #[inline(always)]
    fn max(self, other: Zmm) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_max_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn min(self, other: Zmm) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_min_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn less(self, other: Zmm, yes: Zmm, no: Zmm) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0), no.0, yes.0) })
    }
    #[inline(always)]
    fn pow2(self) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe {
            let exponent = _mm512_add_epi32(_mm512_cvttps_epi32(self.0), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        })
    }
}

impl Vector for Zmm {
    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Zmm {
        // SAFETY: reads the 64 borrowed bytes.
        Zmm(unsafe { _mm512_loadu_ps(from.as_ptr()) })
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        // SAFETY: writes the 64 borrowed bytes.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn sums_of_four(all: [Zmm; 4]) -> [f32; 4] {
        <Self as Quarters>::quarter_sums(all).firsts()
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: as above.
        unsafe {
            let eight = _mm256_add_ps(_mm512_castps512_ps256(self.0), _mm512_extractf32x8_ps::<1>(self.0));
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
    #[inline(always)]
    fn sums([a, b, c]: [Zmm; 3]) -> [f32; 3] {
        // SAFETY: as above.
        unsafe {
            let (ab, c) = (_mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(a.0, b.0), _mm512_shuffle_f32x4::<0xEE>(a.0, b.0)), c.0);
            let c = _mm512_castps256_ps512(_mm256_add_ps(_mm512_castps512_ps256(c), _mm512_extractf32x8_ps::<1>(c)));
            let four = _mm512_add_ps(_mm512_shuffle_f32x4::<0x08>(ab, c), _mm512_shuffle_f32x4::<0x5D>(ab, c));
            let two = _mm512_add_ps(four, _mm512_permute_ps::<0x4E>(four));
            let one = _mm512_add_ps(two, _mm512_movehdup_ps(two));
            let number = |x| _mm_cvtss_f32(x);
            [number(_mm512_castps512_ps128(one)), number(_mm512_extractf32x4_ps::<1>(one)), number(_mm512_extractf32x4_ps::<2>(one))]
        }
    }
}

#[inline(always)]
unsafe fn join(a: __m128, b: __m128, c: __m128, d: __m128) -> __m512 {
    // SAFETY: the caller has an `Avx512`.
    unsafe {
        let (ab, cd) = (_mm256_insertf128_ps::<1>(_mm256_castps128_ps256(a), b), _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(c), d));
        _mm512_insertf32x8::<1>(_mm512_castps256_ps512(ab), cd)
    }
}

#[inline(always)]
unsafe fn part(v: __m512) -> [__m128; 4] {
    // SAFETY: the caller has an `Avx512`.
    unsafe {
        let (low, high) = (_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v));
        [_mm256_castps256_ps128(low), _mm256_extractf128_ps::<1>(low), _mm256_castps256_ps128(high), _mm256_extractf128_ps::<1>(high)]
    }
}

#[inline(always)]
unsafe fn pairs<const HIGH: bool>(a: __m512, b: __m512) -> __m512 {
    // SAFETY: the caller has an `Avx512`.
    unsafe {
        let (a, b) = (_mm512_castps_pd(a), _mm512_castps_pd(b));
        _mm512_castpd_ps(if HIGH { _mm512_unpackhi_pd(a, b) } else { _mm512_unpacklo_pd(a, b) })
    }
}

// The moves of whole vectors. SAFETY: the caller has an `Avx512`, and `p` points to the cells that are moved.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn load(p: *const AtomicF32) -> __m512 {
    let v: __m512;
    // SAFETY: the caller's.
    unsafe { asm!("vmovups {v}, [{p}]", v = out(zmm_reg) v, p = in(reg) p, options(readonly, nostack, preserves_flags)) };
    v
}
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn store(p: *const AtomicF32, v: __m512) {
    // SAFETY: the caller's.
    unsafe { asm!("vmovups [{p}], {v}", v = in(zmm_reg) v, p = in(reg) p, options(nostack, preserves_flags)) };
}
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn load_masked(p: *const AtomicU32, mask: u16) -> __m512i {
    let v: __m512i;
    // SAFETY: the caller's.
    unsafe {
        asm!("vmovdqu32 {v}{{{k}}}{{z}}, [{p}]", v = out(zmm_reg) v, k = in(kreg) mask, p = in(reg) p,
            options(readonly, nostack, preserves_flags));
    }
    v
}

/// As many of the cells that lie from here on as the mask has bits, in their lanes; 0 in others.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn expand(p: *const AtomicF32, mask: u16) -> __m512 {
    let v: __m512;
    // SAFETY: the caller's; an instruction under a mask touches no other cells.
    unsafe {
        asm!("vexpandps {v}{{{k}}}{{z}}, [{p}]", v = out(zmm_reg) v, k = in(kreg) mask, p = in(reg) p,
            options(readonly, nostack, preserves_flags));
    }
    v
}

impl Isa for Avx512 {
    type V = Zmm;
    type U = Whole;

    #[inline(always)]
    fn load(self, from: &[AtomicF32; LANES]) -> Zmm {
        // SAFETY: reads the 64 bytes of the borrowed cells.
        Zmm(unsafe { load(from.as_ptr()) })
    }
    #[inline(always)]
    fn store(self, values: Zmm, to: &[AtomicF32; LANES]) {
        // SAFETY: writes the 64 bytes of the borrowed cells, which allow writing through a shared reference.
        unsafe { store(to.as_ptr(), values.0) }
    }
    #[inline(always)]
    unsafe fn load_behind<const BYTES: usize>(self, first: *const AtomicF32) -> Zmm {
        // SAFETY: the caller's.
        Zmm(unsafe { load_behind::<BYTES>(first) })
    }
    #[inline(always)]
    unsafe fn store_behind<const BYTES: usize>(self, values: Zmm, first: *const AtomicF32) {
        // SAFETY: the caller's.
        unsafe { store_behind::<BYTES>(first, values.0) }
    }
    #[inline(always)]
    unsafe fn load_quarters<const BYTES: usize>(self, first: [*const AtomicF32; 4]) -> Zmm {
        // SAFETY: the caller's.
        Zmm(unsafe { load_quarters::<BYTES>(first) })
    }
    #[inline(always)]
    unsafe fn store_quarters<const BYTES: usize>(self, values: Zmm, first: [*const AtomicF32; 4]) {
        // SAFETY: the caller's.
        unsafe { store_quarters::<BYTES>(values.0, first) }
    }
    #[inline(always)]
    unsafe fn load_blocks(self, first: *const AtomicF32, at: &[u32; 4]) -> Zmm {
        // SAFETY: the caller's.
        Zmm(unsafe { load_blocks(first, at) })
    }
    #[inline(always)]
    fn load_line(self, from: &[AtomicU32; LANES]) -> Whole {
        // SAFETY: reads the 64 bytes of the borrowed cells, which are plain numbers of the same size.
        Whole(unsafe { _mm512_castps_si512(load(from.as_ptr().cast())) })
    }
    #[inline(always)]
    fn load_some(self, from: &[AtomicU32]) -> Whole {
        // SAFETY: reads the borrowed cells that the mask names.
        Whole(unsafe { load_masked(from.as_ptr(), ((1u32 << from.len().min(LANES)) - 1) as u16) })
    }
    #[inline(always)]
    unsafe fn gather(self, cells: &[AtomicF32], at: &Line<u32>, stride: usize) -> [Zmm; MOST] {
        let (p, at) = (cells.as_ptr() as *const u8, at.0.as_ptr());
        // SAFETY: the caller's; the offsets stay within the sixteen places.
        unsafe {
            let zero = _mm512_setzero_ps();
            match stride {
                1 => {
                    let w = join(load_ones::<0>(p, at), load_ones::<4>(p, at), load_ones::<8>(p, at), load_ones::<12>(p, at));
                    [Zmm(w), Zmm(zero), Zmm(zero), Zmm(zero)]
                }
                2 => {
                    let a = join(load_twos::<0>(p, at), load_twos::<4>(p, at), load_twos::<8>(p, at), load_twos::<12>(p, at));
                    let b = join(load_twos::<2>(p, at), load_twos::<6>(p, at), load_twos::<10>(p, at), load_twos::<14>(p, at));
                    [Zmm(_mm512_shuffle_ps::<0x88>(a, b)), Zmm(_mm512_shuffle_ps::<0xDD>(a, b)), Zmm(zero), Zmm(zero)]
                }
                _ => {
                    let r0 = join(load_four::<0>(p, at), load_four::<4>(p, at), load_four::<8>(p, at), load_four::<12>(p, at));
                    let r1 = join(load_four::<1>(p, at), load_four::<5>(p, at), load_four::<9>(p, at), load_four::<13>(p, at));
                    let r2 = join(load_four::<2>(p, at), load_four::<6>(p, at), load_four::<10>(p, at), load_four::<14>(p, at));
                    let r3 = join(load_four::<3>(p, at), load_four::<7>(p, at), load_four::<11>(p, at), load_four::<15>(p, at));
                    let (t0, t1) = (_mm512_unpacklo_ps(r0, r1), _mm512_unpackhi_ps(r0, r1));
                    let (t2, t3) = (_mm512_unpacklo_ps(r2, r3), _mm512_unpackhi_ps(r2, r3));
                    [Zmm(pairs::<false>(t0, t2)), Zmm(pairs::<true>(t0, t2)), Zmm(pairs::<false>(t1, t3)), Zmm(pairs::<true>(t1, t3))]
                }
            }
        }
    }
    #[inline(always)]
    unsafe fn scatter(self, [w, s, t, u]: [Zmm; MOST], cells: &[AtomicF32], at: &Line<u32>, stride: usize) {
        let (p, at) = (cells.as_ptr() as *const u8, at.0.as_ptr());
        // SAFETY: the caller's; the offsets stay within the sixteen places, and cells may be written through a shared reference.
        unsafe {
            match stride {
                1 => {
                    let [a, b, c, d] = part(w.0);
                    store_ones::<0>(a, p, at);
                    store_ones::<4>(b, p, at);
                    store_ones::<8>(c, p, at);
                    store_ones::<12>(d, p, at);
                }
                2 => {
                    let (low, high) = (part(_mm512_unpacklo_ps(w.0, s.0)), part(_mm512_unpackhi_ps(w.0, s.0)));
                    store_twos::<0>(low[0], p, at);
                    store_twos::<2>(high[0], p, at);
                    store_twos::<4>(low[1], p, at);
                    store_twos::<6>(high[1], p, at);
                    store_twos::<8>(low[2], p, at);
                    store_twos::<10>(high[2], p, at);
                    store_twos::<12>(low[3], p, at);
                    store_twos::<14>(high[3], p, at);
                }
                _ => {
                    let (t0, t1) = (_mm512_unpacklo_ps(w.0, s.0), _mm512_unpacklo_ps(t.0, u.0));
                    let (t2, t3) = (_mm512_unpackhi_ps(w.0, s.0), _mm512_unpackhi_ps(t.0, u.0));
                    let (r0, r1) = (part(pairs::<false>(t0, t1)), part(pairs::<true>(t0, t1)));
                    let (r2, r3) = (part(pairs::<false>(t2, t3)), part(pairs::<true>(t2, t3)));
                    store_four::<0>(r0[0], p, at);
                    store_four::<1>(r1[0], p, at);
                    store_four::<2>(r2[0], p, at);
                    store_four::<3>(r3[0], p, at);
                    store_four::<4>(r0[1], p, at);
                    store_four::<5>(r1[1], p, at);
                    store_four::<6>(r2[1], p, at);
                    store_four::<7>(r3[1], p, at);
                    store_four::<8>(r0[2], p, at);
                    store_four::<9>(r1[2], p, at);
                    store_four::<10>(r2[2], p, at);
                    store_four::<11>(r3[2], p, at);
                    store_four::<12>(r0[3], p, at);
                    store_four::<13>(r1[3], p, at);
                    store_four::<14>(r2[3], p, at);
                    store_four::<15>(r3[3], p, at);
                }
            }
        }
    }
    #[inline(always)]
    fn ones(self, mask: u16) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_maskz_mov_ps(mask, _mm512_set1_ps(1.0)) })
    }
    #[inline(always)]
    fn expand(self, mask: u16, cells: &[AtomicU32]) -> Zmm {
        assert!(mask.count_ones() as usize <= cells.len(), "a cell a bit");
        // SAFETY: reads as many of the borrowed cells as the mask has bits, which are no more than there are.
        Zmm(unsafe { expand(cells.as_ptr().cast(), mask) })
    }
    #[inline(always)]
    fn add_some(self, sum: Zmm, mask: u16, term: Zmm) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_mask_add_ps(sum.0, mask, sum.0, term.0) })
    }
    #[inline(always)]
    fn add_square_some(self, sum: Zmm, mask: u16, term: Zmm) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_mask3_fmadd_ps(term.0, term.0, sum.0, mask) })
    }
    #[inline(always)]
    fn add_where(self, sum: Zmm, owners: Whole, k: u32, term: Zmm) -> Zmm {
        // SAFETY: as above.
        Zmm(unsafe { _mm512_mask_add_ps(sum.0, _mm512_cmpeq_epi32_mask(owners.0, _mm512_set1_epi32(k as i32)), sum.0, term.0) })
    }
    #[inline(always)]
    fn pick(self, numbers: &[f32; 8], owners: Whole) -> Zmm {
        // SAFETY: as above; reads the eight numbers.
        Zmm(unsafe {
            let both = _mm512_broadcast_f32x8(_mm256_loadu_ps(numbers.as_ptr()));
            _mm512_permutexvar_ps(owners.0, both)
        })
    }
    #[inline(always)]
    fn prefetch<T>(self, cell: *const T) {
        prefetch_line(cell)
    }
    #[inline(always)]
    fn prefetch_rows(self, cells: &[AtomicF32], at: &Line<u32>, stride: usize) {
        prefetch_rows(cells.as_ptr() as *const u8, at, 4 * stride.min(2));
    }
}
