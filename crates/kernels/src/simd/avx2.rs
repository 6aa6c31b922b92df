//! AVX2: a vector is two registers of eight. The order of rows in a register is that of `avx512`.
#![allow(unsafe_code)]
use super::{
    InstructionSet, Isa, LANES, Line, MOST, Quarters, Real, Vector,
    integers::avx2::Whole,
    real::through_memory,
    rows::avx2::{load_behind, load_blocks, load_two, store_behind, store_two},
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
pub struct Avx2(pub ());

/// Named through [`Avx2`] alone, which is what makes its operations sound.
#[derive(Clone, Copy)]
pub struct Ymm(pub(super) __m256, pub(super) __m256);

macro_rules! operator {
    ($trait:ident, $name:ident, $f:ident) => {
        impl $trait for Ymm {
            type Output = Ymm;
            #[inline(always)]
            fn $name(self, other: Ymm) -> Ymm {
                // SAFETY: only code that was handed an `Avx2` has a `Ymm`.
                unsafe { Ymm($f(self.0, other.0), $f(self.1, other.1)) }
            }
        }
    };
}
operator!(Add, add, _mm256_add_ps);
operator!(Sub, sub, _mm256_sub_ps);
operator!(Mul, mul, _mm256_mul_ps);
operator!(Div, div, _mm256_div_ps);

impl Neg for Ymm {
    type Output = Ymm;
    #[inline(always)]
    fn neg(self) -> Ymm {
        // SAFETY: as above.
        unsafe {
            let sign = _mm256_set1_ps(-0.0);
            Ymm(_mm256_xor_ps(self.0, sign), _mm256_xor_ps(self.1, sign))
        }
    }
}

#[inline(always)]
unsafe fn pow2(x: __m256) -> __m256 {
    // SAFETY: the caller has an `Avx2`.
    unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(_mm256_cvttps_epi32(x), _mm256_set1_epi32(127)))) }
}

impl Real for Ymm {
    through_memory!(InstructionSet::Avx2);
    #[inline(always)]
    fn of(x: f32) -> Ymm {
        // SAFETY: as above.
        unsafe { Ymm(_mm256_set1_ps(x), _mm256_set1_ps(x)) }
    }
    #[inline(always)]
    fn mul_add(self, factor: Ymm, term: Ymm) -> Ymm {
        // SAFETY: as above.
        unsafe { Ymm(_mm256_fmadd_ps(self.0, factor.0, term.0), _mm256_fmadd_ps(self.1, factor.1, term.1)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Ymm {
        // SAFETY: as above.
        unsafe { Ymm(_mm256_sqrt_ps(self.0), _mm256_sqrt_ps(self.1)) }
    }
    #[inline(always)]
    fn abs(self) -> Ymm {
        // SAFETY: as above.
        unsafe {
            let sign = _mm256_set1_ps(-0.0);
            Ymm(_mm256_andnot_ps(sign, self.0), _mm256_andnot_ps(sign, self.1))
        }
    }
    #[inline(always)]
    fn max(self, other: Ymm) -> Ymm {
        // SAFETY: as above.
        unsafe { Ymm(_mm256_max_ps(self.0, other.0), _mm256_max_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn min(self, other: Ymm) -> Ymm {
        // SAFETY: as above.
        unsafe { Ymm(_mm256_min_ps(self.0, other.0), _mm256_min_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn less(self, other: Ymm, yes: Ymm, no: Ymm) -> Ymm {
        // SAFETY: as above.
        unsafe {
            let (low, high) = (_mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0), _mm256_cmp_ps::<_CMP_LT_OQ>(self.1, other.1));
            Ymm(_mm256_blendv_ps(no.0, yes.0, low), _mm256_blendv_ps(no.1, yes.1, high))
        }
    }
    #[inline(always)]
    fn pow2(self) -> Ymm {
        // SAFETY: as above.
        unsafe { Ymm(pow2(self.0), pow2(self.1)) }
    }
}

impl Vector for Ymm {
    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Ymm {
        // SAFETY: reads the 64 borrowed bytes.
        unsafe { Ymm(_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))) }
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        // SAFETY: writes the 64 borrowed bytes.
        unsafe {
            _mm256_storeu_ps(to.as_mut_ptr(), self.0);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), self.1);
        }
    }
    #[inline(always)]
    fn sums_of_four(all: [Ymm; 4]) -> [f32; 4] {
        <Self as Quarters>::quarter_sums(all).firsts()
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: as above.
        unsafe {
            let eight = _mm256_add_ps(self.0, self.1);
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
}

#[inline(always)]
unsafe fn join(a: __m128, b: __m128) -> __m256 {
    // SAFETY: the caller has an `Avx2`.
    unsafe { _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(a), b) }
}

#[inline(always)]
unsafe fn part(v: __m256) -> [__m128; 2] {
    // SAFETY: the caller has an `Avx2`.
    unsafe { [_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v)] }
}

#[inline(always)]
unsafe fn pairs<const HIGH: bool>(a: __m256, b: __m256) -> __m256 {
    // SAFETY: the caller has an `Avx2`.
    unsafe {
        let (a, b) = (_mm256_castps_pd(a), _mm256_castps_pd(b));
        _mm256_castpd_ps(if HIGH { _mm256_unpackhi_pd(a, b) } else { _mm256_unpacklo_pd(a, b) })
    }
}

/// Eight of the sixteen rows.
///
/// # Safety
/// As for `Isa::gather`, with eight places.
#[inline(always)]
unsafe fn gather_half(p: *const u8, at: *const u32, stride: usize) -> [__m256; MOST] {
    // SAFETY: the caller's; the offsets stay within the eight places.
    unsafe {
        let zero = _mm256_setzero_ps();
        match stride {
            1 => [join(load_ones::<0>(p, at), load_ones::<4>(p, at)), zero, zero, zero],
            2 => {
                let a = join(load_twos::<0>(p, at), load_twos::<4>(p, at));
                let b = join(load_twos::<2>(p, at), load_twos::<6>(p, at));
                [_mm256_shuffle_ps::<0x88>(a, b), _mm256_shuffle_ps::<0xDD>(a, b), zero, zero]
            }
            _ => {
                let (r0, r1) = (join(load_four::<0>(p, at), load_four::<4>(p, at)), join(load_four::<1>(p, at), load_four::<5>(p, at)));
                let r2 = join(load_four::<2>(p, at), load_four::<6>(p, at));
                let r3 = join(load_four::<3>(p, at), load_four::<7>(p, at));
                let (t0, t1) = (_mm256_unpacklo_ps(r0, r1), _mm256_unpackhi_ps(r0, r1));
                let (t2, t3) = (_mm256_unpacklo_ps(r2, r3), _mm256_unpackhi_ps(r2, r3));
                [pairs::<false>(t0, t2), pairs::<true>(t0, t2), pairs::<false>(t1, t3), pairs::<true>(t1, t3)]
            }
        }
    }
}

/// # Safety
/// As for `Isa::scatter`, with eight places.
#[inline(always)]
unsafe fn scatter_half([w, s, t, u]: [__m256; MOST], p: *const u8, at: *const u32, stride: usize) {
    // SAFETY: the caller's; the offsets stay within the eight places.
    unsafe {
        match stride {
            1 => {
                let [a, b] = part(w);
                store_ones::<0>(a, p, at);
                store_ones::<4>(b, p, at);
            }
            2 => {
                let (low, high) = (part(_mm256_unpacklo_ps(w, s)), part(_mm256_unpackhi_ps(w, s)));
                store_twos::<0>(low[0], p, at);
                store_twos::<2>(high[0], p, at);
                store_twos::<4>(low[1], p, at);
                store_twos::<6>(high[1], p, at);
            }
            _ => {
                let (t0, t1) = (_mm256_unpacklo_ps(w, s), _mm256_unpacklo_ps(t, u));
                let (t2, t3) = (_mm256_unpackhi_ps(w, s), _mm256_unpackhi_ps(t, u));
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
            }
        }
    }
}

// The moves of whole vectors. SAFETY: the caller has an `Avx2`, and `p` points to the cells that are moved.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn load(p: *const AtomicF32) -> Ymm {
    let (a, b): (__m256, __m256);
    // SAFETY: the caller's.
    unsafe {
        asm!("vmovups {a}, [{p}]", "vmovups {b}, [{p} + 32]", a = out(ymm_reg) a, b = out(ymm_reg) b, p = in(reg) p,
            options(readonly, nostack, preserves_flags));
    }
    Ymm(a, b)
}
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn store(p: *const AtomicF32, Ymm(a, b): Ymm) {
    // SAFETY: the caller's.
    unsafe {
        asm!("vmovups [{p}], {a}", "vmovups [{p} + 32], {b}", a = in(ymm_reg) a, b = in(ymm_reg) b, p = in(reg) p,
            options(nostack, preserves_flags));
    }
}
/// The first `n` of eight cells, zeros behind them.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn load_masked(p: *const AtomicU32, n: usize) -> __m256i {
    let v: __m256i;
    let mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(n.min(8) as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    // SAFETY: the caller's.
    unsafe {
        asm!("vpmaskmovd {v}, {m}, [{p}]", v = out(ymm_reg) v, m = in(ymm_reg) mask, p = in(reg) p,
            options(readonly, nostack, preserves_flags));
    }
    v
}

/// As many of the cells from here on as the mask has bits, in their lanes; 0 in others.
#[target_feature(enable = "avx2,bmi2,popcnt")]
#[inline]
unsafe fn expand(mask: u8, first: *const AtomicU32) -> __m256 {
    // SAFETY: the caller's.
    unsafe {
        let cells = load_masked(first, mask.count_ones() as usize);
        // A byte for each lane: all bits where the mask has one, then the number of the cell.
        let bytes = _pdep_u64(mask as u64, 0x0101_0101_0101_0101) * 0xFF;
        let numbers = _pdep_u64(0x0706_0504_0302_0100, bytes);
        let lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(numbers as i64));
        let kept = _mm256_cvtepi8_epi32(_mm_cvtsi64_si128(bytes as i64));
        _mm256_and_ps(_mm256_permutevar8x32_ps(_mm256_castsi256_ps(cells), lanes), _mm256_castsi256_ps(kept))
    }
}

impl Isa for Avx2 {
    type V = Ymm;
    type U = Whole;

    #[inline(always)]
    fn load(self, from: &[AtomicF32; LANES]) -> Ymm {
        // SAFETY: reads the 64 bytes of the borrowed cells.
        unsafe { load(from.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, values: Ymm, to: &[AtomicF32; LANES]) {
        // SAFETY: writes the 64 bytes of the borrowed cells, which allow writing through a shared reference.
        unsafe { store(to.as_ptr(), values) }
    }
    #[inline(always)]
    unsafe fn load_behind<const BYTES: usize>(self, first: *const AtomicF32) -> Ymm {
        // SAFETY: the caller's.
        let (low, high) = unsafe { load_behind::<BYTES>(first) };
        Ymm(low, high)
    }
    #[inline(always)]
    unsafe fn store_behind<const BYTES: usize>(self, values: Ymm, first: *const AtomicF32) {
        // SAFETY: the caller's.
        unsafe { store_behind::<BYTES>(first, values.0, values.1) }
    }
    #[inline(always)]
    unsafe fn load_blocks(self, first: *const AtomicF32, at: &[u32; 4]) -> Ymm {
        // SAFETY: the caller's; two places each.
        unsafe { Ymm(load_blocks(first, at.as_ptr()), load_blocks(first, at.as_ptr().add(2))) }
    }
    #[inline(always)]
    unsafe fn load_quarters<const BYTES: usize>(self, [a, b, c, d]: [*const AtomicF32; 4]) -> Ymm {
        // SAFETY: the caller's.
        unsafe { Ymm(load_two::<BYTES>(a, b), load_two::<BYTES>(c, d)) }
    }
    #[inline(always)]
    unsafe fn store_quarters<const BYTES: usize>(self, Ymm(low, high): Ymm, [a, b, c, d]: [*const AtomicF32; 4]) {
        // SAFETY: the caller's.
        unsafe {
            store_two::<BYTES>(low, a, b);
            store_two::<BYTES>(high, c, d);
        }
    }
    #[inline(always)]
    fn load_some(self, from: &[AtomicU32]) -> Whole {
        let (p, n) = (from.as_ptr(), from.len());
        // SAFETY: reads the borrowed cells only: eight of them, at most, from the first, and as many from the ninth as there are
        // beyond eight.
        unsafe { Whole(load_masked(p, n), load_masked(p.wrapping_add(8), n.saturating_sub(8))) }
    }
    #[inline(always)]
    unsafe fn gather(self, cells: &[AtomicF32], at: &Line<u32>, stride: usize) -> [Ymm; MOST] {
        let (p, at) = (cells.as_ptr() as *const u8, at.0.as_ptr());
        // SAFETY: the caller's.
        let (low, high) = unsafe { (gather_half(p, at, stride), gather_half(p, at.add(8), stride)) };
        [Ymm(low[0], high[0]), Ymm(low[1], high[1]), Ymm(low[2], high[2]), Ymm(low[3], high[3])]
    }
    #[inline(always)]
    unsafe fn scatter(self, [w, s, t, u]: [Ymm; MOST], cells: &[AtomicF32], at: &Line<u32>, stride: usize) {
        let (p, at) = (cells.as_ptr() as *const u8, at.0.as_ptr());
        // SAFETY: the caller's.
        unsafe {
            scatter_half([w.0, s.0, t.0, u.0], p, at, stride);
            scatter_half([w.1, s.1, t.1, u.1], p, at.add(8), stride);
        }
    }
    #[inline(always)]
    fn ones(self, mask: u16) -> Ymm {
        // SAFETY: as above.
        unsafe {
            let (mask, low, high) = (
                _mm256_set1_epi32(mask as i32),
                _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128),
                _mm256_setr_epi32(256, 512, 1024, 2048, 4096, 8192, 16384, 32768),
            );
            let one = _mm256_castps_si256(_mm256_set1_ps(1.0));
            let low = _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_and_si256(mask, low), low), one);
            let high = _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_and_si256(mask, high), high), one);
            Ymm(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high))
        }
    }
    #[inline(always)]
    fn expand(self, mask: u16, cells: &[AtomicU32]) -> Ymm {
        assert!(mask.count_ones() as usize <= cells.len(), "a cell a bit");
        let (first, of_low) = (cells.as_ptr(), (mask as u8).count_ones() as usize);
        // SAFETY: reads as many of the borrowed cells as the mask has bits, which are no more than there are.
        unsafe { Ymm(expand(mask as u8, first), expand((mask >> 8) as u8, first.wrapping_add(of_low))) }
    }
    #[inline(always)]
    fn add_where(self, sum: Ymm, owners: Whole, k: u32, term: Ymm) -> Ymm {
        // SAFETY: as above.
        unsafe {
            let k = _mm256_set1_epi32(k as i32);
            let (low, high) = (_mm256_cmpeq_epi32(owners.0, k), _mm256_cmpeq_epi32(owners.1, k));
            let more = sum + term;
            Ymm(_mm256_blendv_ps(sum.0, more.0, _mm256_castsi256_ps(low)), _mm256_blendv_ps(sum.1, more.1, _mm256_castsi256_ps(high)))
        }
    }
    #[inline(always)]
    fn pick(self, numbers: &[f32; 8], owners: Whole) -> Ymm {
        // SAFETY: as above; reads the eight numbers.
        unsafe {
            let numbers = _mm256_loadu_ps(numbers.as_ptr());
            Ymm(_mm256_permutevar8x32_ps(numbers, owners.0), _mm256_permutevar8x32_ps(numbers, owners.1))
        }
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
