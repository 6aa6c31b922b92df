//! Vectors of keys, and what a network does with them. A value of such a type proves that the processor has its instructions.
use std::arch::x86_64::*;

/// An instruction set, and a vector of its keys.
pub(super) trait Set: Copy {
    /// Sixteen or eight keys.
    type V: Copy;
    /// How many.
    const LANES: usize;
    /// The keys at the beginning of a slice.
    fn load(self, from: &[u32]) -> Self::V;
    /// The first `count` of them; the largest of all keys in other lanes.
    fn load_some(self, from: &[u32], count: usize) -> Self::V;
    /// Puts keys at the beginning of a slice.
    fn store(self, keys: Self::V, to: &mut [u32]);
    /// The lesser and the greater of each lane.
    fn order(self, a: Self::V, b: Self::V) -> (Self::V, Self::V);
    /// Lanes from the last to the first.
    fn reverse(self, keys: Self::V) -> Self::V;
    /// Orders each lane and that whose number differs by the bits of `MASK`: 1, 2, 3, 4, 7, 8 or 15.
    fn cross<const MASK: usize>(self, keys: Self::V) -> Self::V;
    /// Sorts each lane of [`LANES`](Self::LANES) vectors, and makes each lane a vector. `keys` has these vectors, whose first `count` lanes
    /// are used, one behind the other; the `count` vectors take their place.
    fn sort_lanes(self, keys: &mut [u32], count: usize);
}

/// Orders pairs of vectors, one pair after the other.
macro_rules! order {
    ($set:ident $rows:ident: $(($a:literal $b:literal))*) => {
        $(($rows[$a], $rows[$b]) = $set.order($rows[$a], $rows[$b]);)*
    };
}

/// Proves AVX-512.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    /// # Safety
    /// The processor has AVX-512 F, DQ and VL.
    #[inline(always)]
    pub unsafe fn new() -> Avx512 {
        Avx512(())
    }
}

impl Set for Avx512 {
    type V = __m512i;
    const LANES: usize = 16;

    #[inline(always)]
    fn load(self, from: &[u32]) -> __m512i {
        let from: &[u32; 16] = from.first_chunk().expect("as many keys as lanes");
        // SAFETY: there are sixteen; and the value proves the instructions.
        unsafe { _mm512_loadu_epi32(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn load_some(self, from: &[u32], count: usize) -> __m512i {
        let from = &from[..count];
        // SAFETY: lanes whose bit is 0 are not read; the value proves the instructions.
        unsafe { _mm512_mask_loadu_epi32(_mm512_set1_epi32(-1), ((1u32 << count) - 1) as u16, from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, keys: __m512i, to: &mut [u32]) {
        let to: &mut [u32; 16] = to.first_chunk_mut().expect("as many keys as lanes");
        // SAFETY: there is room for sixteen; the value proves the instructions.
        unsafe { _mm512_storeu_epi32(to.as_mut_ptr().cast(), keys) }
    }

    #[inline(always)]
    fn order(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        // SAFETY: the value proves the instructions.
        unsafe { (_mm512_min_epu32(a, b), _mm512_max_epu32(a, b)) }
    }

    #[inline(always)]
    fn reverse(self, keys: __m512i) -> __m512i {
        // SAFETY: the value proves the instructions.
        unsafe { _mm512_permutexvar_epi32(_mm512_setr_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), keys) }
    }

    #[inline(always)]
    fn cross<const MASK: usize>(self, keys: __m512i) -> __m512i {
        // SAFETY: the value proves the instructions.
        unsafe {
            let (others, upper) = match MASK {
                1 => (_mm512_shuffle_epi32::<0b10_11_00_01>(keys), 0xaaaa),
                2 => (_mm512_shuffle_epi32::<0b01_00_11_10>(keys), 0xcccc),
                3 => (_mm512_shuffle_epi32::<0b00_01_10_11>(keys), 0xcccc),
                4 => (_mm512_shuffle_i32x4::<0b10_11_00_01>(keys, keys), 0xf0f0),
                7 => {
                    let order = _mm512_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);
                    (_mm512_permutexvar_epi32(order, keys), 0xf0f0)
                }
                8 => (_mm512_shuffle_i32x4::<0b01_00_11_10>(keys, keys), 0xff00),
                _ => (self.reverse(keys), 0xff00),
            };
            _mm512_mask_max_epu32(_mm512_min_epu32(keys, others), upper, keys, others)
        }
    }

    #[inline(always)]
    fn sort_lanes(self, keys: &mut [u32], count: usize) {
        let mut rows = [self.load_some(keys, count); 16];
        for i in 1..16 {
            rows[i] = self.load_some(&keys[i * count..], count);
        }
        // Green's network, the least that is known.
        order!(self rows: (0 1) (2 3) (4 5) (6 7) (8 9) (10 11) (12 13) (14 15) (0 2) (1 3) (4 6) (5 7) (8 10) (9 11) (12 14) (13 15)
            (0 4) (1 5) (2 6) (3 7) (8 12) (9 13) (10 14) (11 15) (0 8) (1 9) (2 10) (3 11) (4 12) (5 13) (6 14) (7 15)
            (5 10) (6 9) (3 12) (13 14) (4 8) (7 11) (1 2) (1 4) (7 13) (2 8) (11 14) (2 4) (5 6) (9 10) (11 13) (3 8) (7 12)
            (6 8) (10 12) (3 5) (7 9) (3 4) (5 6) (7 8) (9 10) (11 12) (6 7) (8 9));
        // SAFETY: the value proves the instructions.
        let lanes = unsafe {
            // Fours of lanes: first of two vectors, then of four, then of all.
            let mut twos = rows;
            for i in 0..8 {
                (twos[2 * i], twos[2 * i + 1]) =
                    (_mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]), _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]));
            }
            let mut fours = rows;
            for i in 0..4 {
                let [a, b, c, d] = [twos[4 * i], twos[4 * i + 1], twos[4 * i + 2], twos[4 * i + 3]];
                fours[4 * i] = _mm512_unpacklo_epi64(a, c);
                fours[4 * i + 1] = _mm512_unpackhi_epi64(a, c);
                fours[4 * i + 2] = _mm512_unpacklo_epi64(b, d);
                fours[4 * i + 3] = _mm512_unpackhi_epi64(b, d);
            }
            let mut lanes = rows;
            for i in 0..4 {
                let [a, b, c, d] = [fours[i], fours[4 + i], fours[8 + i], fours[12 + i]];
                let (ab, cd) = (_mm512_shuffle_i32x4::<0b10_00_10_00>(a, b), _mm512_shuffle_i32x4::<0b10_00_10_00>(c, d));
                lanes[i] = _mm512_shuffle_i32x4::<0b10_00_10_00>(ab, cd);
                lanes[8 + i] = _mm512_shuffle_i32x4::<0b11_01_11_01>(ab, cd);
                let (ab, cd) = (_mm512_shuffle_i32x4::<0b11_01_11_01>(a, b), _mm512_shuffle_i32x4::<0b11_01_11_01>(c, d));
                lanes[4 + i] = _mm512_shuffle_i32x4::<0b10_00_10_00>(ab, cd);
                lanes[12 + i] = _mm512_shuffle_i32x4::<0b11_01_11_01>(ab, cd);
            }
            lanes
        };
        for i in 0..16 {
            if i < count {
                self.store(lanes[i], &mut keys[16 * i..]);
            }
        }
    }
}

/// Proves AVX2.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// # Safety
    /// The processor has AVX2.
    #[inline(always)]
    pub unsafe fn new() -> Avx2 {
        Avx2(())
    }
}

impl Set for Avx2 {
    type V = __m256i;
    const LANES: usize = 8;

    #[inline(always)]
    fn load(self, from: &[u32]) -> __m256i {
        let from: &[u32; 8] = from.first_chunk().expect("as many keys as lanes");
        // SAFETY: there are eight; and the value proves the instructions.
        unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn load_some(self, from: &[u32], count: usize) -> __m256i {
        let from = &from[..count];
        // SAFETY: lanes that are not below the count are not read; the value proves the instructions.
        unsafe {
            let used = _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
            let keys = _mm256_maskload_epi32(from.as_ptr().cast(), used);
            _mm256_or_si256(keys, _mm256_xor_si256(used, _mm256_set1_epi32(-1)))
        }
    }

    #[inline(always)]
    fn store(self, keys: __m256i, to: &mut [u32]) {
        let to: &mut [u32; 8] = to.first_chunk_mut().expect("as many keys as lanes");
        // SAFETY: there is room for eight; the value proves the instructions.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), keys) }
    }

    #[inline(always)]
    fn order(self, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
        // SAFETY: the value proves the instructions.
        unsafe { (_mm256_min_epu32(a, b), _mm256_max_epu32(a, b)) }
    }

    #[inline(always)]
    fn reverse(self, keys: __m256i) -> __m256i {
        // SAFETY: the value proves the instructions.
        unsafe { _mm256_permutevar8x32_epi32(keys, _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0)) }
    }

    #[inline(always)]
    fn cross<const MASK: usize>(self, keys: __m256i) -> __m256i {
        // SAFETY: the value proves the instructions.
        unsafe {
            let others = match MASK {
                1 => _mm256_shuffle_epi32::<0b10_11_00_01>(keys),
                2 => _mm256_shuffle_epi32::<0b01_00_11_10>(keys),
                3 => _mm256_shuffle_epi32::<0b00_01_10_11>(keys),
                4 => _mm256_permute2x128_si256::<1>(keys, keys),
                _ => self.reverse(keys),
            };
            let (low, high) = self.order(keys, others);
            match MASK {
                1 => _mm256_blend_epi32::<0xaa>(low, high),
                2 | 3 => _mm256_blend_epi32::<0xcc>(low, high),
                _ => _mm256_blend_epi32::<0xf0>(low, high),
            }
        }
    }

    #[inline(always)]
    fn sort_lanes(self, keys: &mut [u32], count: usize) {
        let mut rows = [self.load_some(keys, count); 8];
        for i in 1..8 {
            rows[i] = self.load_some(&keys[i * count..], count);
        }
        order!(self rows: (0 2) (1 3) (4 6) (5 7) (0 4) (1 5) (2 6) (3 7) (0 1) (2 3) (4 5) (6 7) (2 4) (3 5) (1 4) (3 6) (1 2) (3 4) (5 6));
        // SAFETY: the value proves the instructions.
        let lanes = unsafe {
            let mut twos = rows;
            for i in 0..4 {
                (twos[2 * i], twos[2 * i + 1]) =
                    (_mm256_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]), _mm256_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]));
            }
            let mut fours = rows;
            for i in 0..2 {
                let [a, b, c, d] = [twos[4 * i], twos[4 * i + 1], twos[4 * i + 2], twos[4 * i + 3]];
                fours[4 * i] = _mm256_unpacklo_epi64(a, c);
                fours[4 * i + 1] = _mm256_unpackhi_epi64(a, c);
                fours[4 * i + 2] = _mm256_unpacklo_epi64(b, d);
                fours[4 * i + 3] = _mm256_unpackhi_epi64(b, d);
            }
            let mut lanes = rows;
            for i in 0..4 {
                lanes[i] = _mm256_permute2x128_si256::<0x20>(fours[i], fours[4 + i]);
                lanes[4 + i] = _mm256_permute2x128_si256::<0x31>(fours[i], fours[4 + i]);
            }
            lanes
        };
        for i in 0..8 {
            if i < count {
                self.store(lanes[i], &mut keys[8 * i..]);
            }
        }
    }
}
