//! Each vector type and each move against the portable one, on every instruction set of this machine.
#![allow(unsafe_code)]
use super::{InstructionSet, Integers, Isa, Job, LANES, Line, MOST, Real, Vector, dispatch};
use atomic_float::AtomicF32;
use proptest::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Every move there and back: bits of what was read, and of the cells afterwards.
struct Moves {
    bits: Vec<u32>,
    rows: [u32; LANES],
    some: usize,
}

impl Job for Moves {
    type Output = Vec<u32>;

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> Vec<u32> {
        let cells: Vec<AtomicF32> = self.bits.iter().map(|&bits| AtomicF32::new(f32::from_bits(bits))).collect();
        let words: Vec<AtomicU32> = self.bits.iter().map(|&bits| AtomicU32::new(bits)).collect();
        let blocks = cells.as_chunks::<LANES>().0;
        let mut out = [0.0; LANES];
        isa.load(&blocks[0]).store(&mut out);
        isa.store(isa.load(&blocks[1]), &blocks[2]);
        let (mut some, mut line) = (Line([1; LANES]), Line([1; LANES]));
        isa.load_line(&words.as_chunks().0[1]).store(&mut line);
        isa.load_some(&words[..self.some]).store(&mut some);
        let mut seen: Vec<u32> = out.iter().map(|x| x.to_bits()).chain(some.0).chain(line.0).collect();
        for stride in [1, 2, 4] {
            let at = Line(self.rows.map(|row| row * (stride as u32).div_ceil(2)));
            // SAFETY: 16 rows of at most 4 cells are within 64 cells.
            let rows: [I::V; MOST] = unsafe { isa.gather(&cells, &at, stride) };
            for v in rows {
                v.store(&mut out);
                seen.extend(out.map(f32::to_bits));
            }
            let turned = Line(self.rows.map(|row| (LANES as u32 - 1 - row) * (stride as u32).div_ceil(2)));
            // SAFETY: as above.
            unsafe { isa.scatter(rows, &cells, &turned, stride) };
            seen.extend(cells.iter().map(|cell| cell.load(Relaxed).to_bits()));
        }
        seen
    }
}

proptest! {
    #[test]
    fn vector_moves_equal_portable_ones(
        bits in prop::collection::vec(any::<u32>(), 4 * LANES),
        rows in Just((0..LANES as u32).collect::<Vec<_>>()).prop_shuffle(),
        some in 0..=LANES,
    ) {
        // Whether a NaN keeps its payload is not promised for floats in registers.
        let bits: Vec<u32> = bits.iter().map(|&b| if f32::from_bits(b).is_nan() { b & 0xFF } else { b }).collect();
        let moves = || Moves { bits: bits.clone(), rows: rows.clone().try_into().unwrap(), some };
        for set in InstructionSet::available() {
            prop_assert_eq!(dispatch(set, moves()), dispatch(InstructionSet::Portable, moves()), "{}", set.name());
        }
    }
}

/// Every operation of [`Real`] and [`Vector`].
struct Operations([[f32; LANES]; 4]);

impl Job for Operations {
    type Output = Vec<u32>;

    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) -> Vec<u32> {
        let [a, b, c, d] = self.0.map(|x| I::V::load(&x));
        let whole = (a.abs().min(I::V::of(100.0)) + I::V::of(12_582_912.0)) - I::V::of(12_582_912.0);
        let results = [
            a + b,
            a - b,
            a * b,
            a / b,
            a.mul_add(b, c),
            -a,
            a.abs(),
            a.abs().sqrt(),
            a.max(b),
            a.min(b),
            a.less(b, c, d),
            I::V::of(0.3),
            whole.pow2(),
            super::math::exp(a),
            super::math::ln_1p(a.abs().min(I::V::of(1.0))),
        ];
        let mut out = [0.0; LANES];
        let mut seen: Vec<u32> = I::V::sums([a, b, c]).into_iter().chain([a.sum()]).map(canonical).collect();
        for v in results {
            v.store(&mut out);
            seen.extend(out.map(canonical));
        }
        seen
    }
}

fn canonical(x: f32) -> u32 {
    if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }
}

proptest! {
    #[test]
    fn vector_operations_equal_those_on_single_numbers(numbers in prop::collection::vec(any::<f32>(), 4 * LANES), small in any::<bool>()) {
        let mut rows = [[0.0; LANES]; 4];
        rows.as_flattened_mut().copy_from_slice(&numbers);
        if small {
            rows = rows.map(|row| row.map(|x| x % 100.0));
        }
        let portable = dispatch(InstructionSet::Portable, Operations(rows));
        for set in InstructionSet::available() {
            prop_assert_eq!(&dispatch(set, Operations(rows)), &portable, "{}", set.name());
        }
        for i in 0..LANES {
            let (a, b, c, d) = (rows[0][i], rows[1][i], rows[2][i], rows[3][i]);
            let whole = (Real::min(a.abs(), 100.0) + 12_582_912.0) - 12_582_912.0;
            let one = [
                a + b, a - b, a * b, a / b, a.mul_add(b, c), -a, a.abs(), a.abs().sqrt(), Real::max(a, b), Real::min(a, b), a.less(b, c, d), 0.3,
                whole.pow2(), super::math::exp(a), super::math::ln_1p(Real::min(a.abs(), 1.0)),
            ];
            for (k, x) in one.into_iter().enumerate() {
                prop_assert_eq!(canonical(x), portable[4 + k * LANES + i], "operation {} lane {}", k, i);
            }
        }
    }
}
