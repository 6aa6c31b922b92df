//! The state of rows as they were read, for rules that revise their steps by what came in since.
//!
//! Of slots of one weight all numbers are gathered for the score; of a row only the weights are. So under a rule that revises the state of
//! an example's rows is kept until their step. Rows are stepped in the order in which they were read, so that the next one is found at once.
//! Under other rules nothing is made, filled or dropped. `n` vectors of a row are `n + 1` here: of each vector its state, then that of the
//! weight beside, with the row's place.
use super::{
    layout::state_len,
    view::{Reading, load_state, row_state, state_of},
};
use crate::{
    rules::UpdateRule,
    simd::{Isa, LANES, Line, MOST, Real, Vector, copy},
};
use std::cell::Cell;

/// Rows that are read before the first of them steps, in a model without slots of one weight: a user's and an item's.
pub(super) const PAIR: usize = 2;

/// What is kept of the rows of an example.
pub(super) struct Kept<V> {
    /// Rows one after the other; empty until the first is kept.
    numbers: Vec<[V; MOST]>,
    /// How many there is room for.
    rows: usize,
    /// Where the next one is kept, and where the next one is looked for.
    next: usize,
    sought: Cell<usize>,
}

impl<V: Vector> Kept<V> {
    /// Of examples of at most so many rows.
    pub fn new(rows: usize) -> Kept<V> {
        Kept { numbers: Vec::new(), rows, next: 0, sought: Cell::new(0) }
    }

    /// Makes room, once a view.
    #[cold]
    #[inline(never)]
    fn make(&mut self, n: usize) {
        self.numbers.resize(self.rows * (n + 1), [V::of(0.0); MOST]);
    }

    /// What is kept of a row. Nothing in a batch, whose steps have no delay.
    #[inline(always)]
    pub fn row(&self, place: u32, n: usize) -> Option<&[[V; MOST]]> {
        let mut found = None;
        if self.numbers.is_empty() {
            return found;
        }
        for _ in 0..self.rows {
            let sought = self.sought.get();
            let row = &self.numbers[sought * (n + 1)..(sought + 1) * (n + 1)];
            self.sought.set(if sought + 1 < self.rows { sought + 1 } else { 0 });
            if first(row[n][0]).to_bits() == name(place).to_bits() {
                found = Some(row);
                break;
            }
        }
        found
    }
}

/// Keeps the state of a row.
#[inline(always)]
pub(super) fn keep<R: UpdateRule, I: Isa>(read: &Reading<'_, R, I>, place: u32, n: usize, kept: &mut Kept<I::V>) {
    if kept.numbers.is_empty() {
        kept.make(n);
    }
    let (rule, state_len) = (&read.rule, state_len(&read.rule));
    let (cells, tail) = read.row(place, n);
    let row = &mut kept.numbers[kept.next * (n + 1)..(kept.next + 1) * (n + 1)];
    kept.next = if kept.next + 1 < kept.rows { kept.next + 1 } else { 0 };
    for i in 0..n {
        copy(&row_state::<R, I>(read.isa, rule, cells, n, i).as_ref()[..state_len], &mut row[i][1..]);
    }
    row[n][0] = I::V::of(name(place));
    let beside = load_state(rule, &tail[1..]);
    for k in 0..state_len {
        row[n][1 + k] = I::V::of(beside.as_ref()[k]);
    }
}

/// The kept state of a row's vector `i`.
#[inline(always)]
pub(super) fn vector<R: UpdateRule, V: Real>(row: Option<&[[V; MOST]]>, i: usize) -> Option<R::State<V>> {
    match row {
        Some(row) => Some(state_of::<R, V>(&row[i][1..])),
        None => None,
    }
}

/// The kept state of the weight beside a row of `n` vectors.
#[inline(always)]
pub(super) fn beside<R: UpdateRule, V: Real>(row: Option<&[[V; MOST]]>, n: usize) -> Option<R::State<f32>> {
    match row {
        Some(row) => {
            let [_, a, b, c] = row[n];
            Some(state_of::<R, f32>(&[first(a), first(b), first(c)]))
        }
        None => None,
    }
}

/// A place as the bits of a number, which is only stored and compared; those of 0 are no place, as room begins.
#[inline(always)]
fn name(place: u32) -> f32 {
    f32::from_bits(place.wrapping_add(1))
}

#[inline(always)]
fn first<V: Real>(x: V) -> f32 {
    let mut line = Line([0.0; LANES]);
    x.spill(&mut line);
    line.0[0]
}

#[cfg(test)]
mod tests {
    use crate::{
        params::{FullLoop, Parameters, Places, Reads, Shape, Stepping, TableShape, Weights},
        rules::{AdaptiveRevision, Any, Clock, Erased, Layout, UpdateRule},
        simd::{InstructionSet, Integers, Isa, Job, LANES, Line, Real, Vector, dispatch},
        transforms::{Adjuster, Transforms},
    };

    const CLOCK: Clock = Clock { rate: 0.3, step: 1, steps: 1 };
    /// The gradients of both workers, round by round.
    const GRADIENTS: [[f32; 2]; 3] = [[0.8, 0.5], [-0.3, 0.9], [1.5, -0.7]];

    /// Two workers read, then both step. Gives the weights of a block, of two rows and beside those; the last round's rows are not read.
    struct Interleaved<R>(R);

    impl<R: UpdateRule> Job for Interleaved<R> {
        type Output = [Vec<f32>; 2];

        #[inline(always)]
        fn run<I: Isa>(self, isa: I) -> [Vec<f32>; 2] {
            let tables = vec![TableShape::single(40), TableShape::rows(3, 2 * LANES)];
            let (shape, layout) = (Shape { tables, workers: 2, ..Shape::default() }, Layout::of(&self.0));
            let parameters = Parameters::new(&shape, &layout).unwrap();
            let view = |worker| {
                let adjuster = Adjuster::new(Transforms::default(), 0, 0);
                Stepping::<_, _, FullLoop>::new(isa, self.0, R::Memory::default(), adjuster, &parameters, Reads::of(&parameters, worker), 1)
            };
            let (mut views, mut places) = ([view(0), view(1)], Line([0; LANES]));
            let rows = [1, 2].map(|slot| slot * Parameters::row_stride(&layout, 2 * LANES));
            let slots = Line(std::array::from_fn(|lane| 2 * lane as u32));
            views[0].place(I::U::load(&slots), &mut places);
            let mut row = [I::V::of(0.0); 2];
            for (round, gradients) in GRADIENTS.into_iter().enumerate() {
                if round == 2 {
                    views = [view(0), view(1)]; // which have kept nothing
                }
                for view in &mut views {
                    view.begin(&CLOCK);
                    view.gather(0, &places);
                    if round < 2 {
                        rows.iter().for_each(|&place| _ = view.gather_row(place, &mut row));
                    }
                }
                for (view, g) in views.iter_mut().zip(gradients) {
                    view.step(0, &places, I::V::of(g), None);
                    rows.iter().for_each(|&place| view.step_row(place, &[I::V::of(g); 2], 0.0, g));
                    view.end();
                }
            }
            let mut numbers = [0.0; LANES];
            views[0].gather(0, &places).store(&mut numbers);
            let [mut of_slots, mut of_rows] = [numbers.to_vec(), Vec::new()];
            for place in rows {
                of_rows.push(views[0].gather_row(place, &mut row));
                for vector in row {
                    vector.store(&mut numbers);
                    of_rows.extend(numbers);
                }
            }
            of_slots.dedup();
            of_rows.dedup();
            [of_slots, of_rows]
        }
    }

    #[test]
    fn workers_that_read_before_either_steps_revise_and_rows_that_were_not_read_do_not() {
        let rule = AdaptiveRevision::DEFAULT;
        let [slots, rows] = [3, 2].map(|delayed_rounds| {
            let (mut w, mut state) = (0.0f32, rule.initial());
            for (round, gradients) in GRADIENTS.into_iter().enumerate() {
                let read = state;
                for g in gradients {
                    let read = if round < delayed_rounds { read } else { state };
                    w = rule.step_since(&CLOCK.rate, w, g, &mut state, &read);
                }
            }
            vec![w]
        });
        assert_ne!(slots, rows);
        for set in InstructionSet::available() {
            let all = [
                dispatch(set, Interleaved(rule)),
                dispatch(set, Interleaved(Any::<3>::new(rule.into()))),
                dispatch(set, Interleaved(Erased::new(&rule))),
            ];
            for of_rule in all {
                assert_eq!(of_rule, [slots.clone(), rows.clone()], "{}", set.name());
            }
        }
    }
}
