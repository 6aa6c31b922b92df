//! Rows that step against a sum: all at once they have the bits that they have one after the other.
use super::{Parameters, PlainLoop, Reads, Shape, Slot, Stepping, TableShape, Weights, view::against};
use crate::{
    rules::{AdagradRowwise, Clock, Layout},
    simd::{InstructionSet, Isa, Job, LANES, Line, Real, Vector, dispatch},
    transforms::{Adjuster, Transforms},
};

const ROWS: u32 = 40;
const ROUNDS: usize = 4;

/// Steps `n` rows of features, round by round: gives the bits of all numbers of the table.
struct Against {
    weights: usize,
    n: usize,
    together: bool,
}

impl Job for Against {
    type Output = Vec<u32>;

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> Vec<u32> {
        let (Against { weights, n, together }, rule) = (self, AdagradRowwise::DEFAULT);
        let (layout, vectors) = (Layout::of(&rule), weights.div_ceil(LANES));
        let tables = vec![TableShape::single(1), TableShape::feature_rows(ROWS as usize, weights, true)];
        let parameters = Parameters::new(&Shape { tables, workers: 1, ..Shape::default() }, &layout).unwrap();
        let mut count = 0;
        let mut number = || {
            count += 1;
            ((count * 7919 + 13) % 101) as f32 / 101.0 - 0.5
        };
        parameters.table(1).set_weights(&mut number);
        let adjuster = Adjuster::new(Transforms::default(), 0, 0);
        let mut view = Stepping::<_, _, PlainLoop>::new(isa, rule, (), adjuster, &parameters, Reads::of(&parameters, 0), 1);
        assert!(view.read.has_near_states());
        let stride = Parameters::feature_row_stride(&layout, weights, true);
        for round in 0..ROUNDS {
            // Rows of the round before among them, in another order; the other lanes are empty.
            let slot = |i: usize| if i < n { (i as u32 * 7 + 5 * round as u32) % ROWS } else { Slot::EMPTY };
            let (slots, mut places) = (Line(std::array::from_fn(slot)), Line([0; LANES]));
            view.row_places(&slots, (0, ROWS, stride), &mut places);
            let (mut values, mut besides) = ([0.0; LANES], [0.0; LANES]);
            for i in 0..n {
                (values[i], besides[i]) = (3.0 * number(), number());
            }
            view.begin(&Clock { rate: 0.3, ..Clock::default() });
            let [zero, by] = [I::V::of(0.0), I::V::of(0.7)];
            let (mut rows, mut room) = (vec![zero; LANES * vectors], vec![zero; vectors]);
            let mut sum = vec![zero; vectors];
            view.gather_rows((&places, n), (&mut rows, vectors), &mut Line([0.0; LANES]));
            for (i, &value) in values.iter().enumerate() {
                (0..vectors).for_each(|k| sum[k] = (by * I::V::of(value)).mul_add(rows[i * vectors + k], sum[k]));
            }
            let besides = I::V::load(&besides);
            if together {
                view.steps.step_against_together(&view.read, (&places, n), &values, (&sum, 0.7), &rows, besides);
            } else {
                against(&mut view.steps, &view.read, (&places, n), &values, (&sum, 0.7), (&rows, &mut room), besides);
            }
            view.end();
        }
        parameters.table(1).numbers().into_iter().map(f32::to_bits).collect()
    }
}

#[test]
fn rows_against_a_sum_step_at_once_as_one_by_one() {
    // Packed, a whole vector, and more than one.
    for weights in [5, 8, 16, 20] {
        for n in [1, 4, 5, 11, 16] {
            let of = |set, together| dispatch(set, Against { weights, n, together });
            let portable = of(InstructionSet::Portable, false);
            assert_ne!(portable, dispatch(InstructionSet::Portable, Against { weights, n: 0, together: false }));
            for set in InstructionSet::available() {
                assert_eq!(of(set, true), portable, "{weights} {n} {}", set.name());
                assert_eq!(of(set, false), portable, "{weights} {n} {} one by one", set.name());
            }
        }
    }
}
