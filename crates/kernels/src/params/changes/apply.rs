//! The steps of a parameter server: by the sums of many gradients.
use super::{Owned, Record, Section};
use crate::{
    params::{
        Parameters,
        layout::{ROW_STATE, SlotLayout},
        replica::Reads,
        view::{Reading, load_state, row_state, store_state},
    },
    rules::{Erased, UpdateRule},
    simd::{Isa, Job, LANES, Line, MOST, Real, Vector, copy},
    wire,
};
use std::sync::atomic::Ordering::Relaxed;

/// Has the rule step a table's slots by what replicas have accrued.
pub(crate) struct Apply<'a, 'r> {
    pub rule: Erased<'r>,
    pub step: <Erased<'r> as UpdateRule>::Step,
    pub parameters: &'a Parameters,
    /// The number of a table.
    pub table: usize,
    pub section: &'a Section<'a>,
    /// What the square of a sum of gradients counts beside the sum of their squares.
    pub together: f32,
    /// The server's slots, and by number among them which push changed each last.
    pub owned: Owned,
    pub changed: &'a mut [u32],
    /// The number of this push.
    pub push: u32,
}

impl<'r> Job for Apply<'_, 'r> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Apply { rule, step, parameters, table, section, together, owned, changed, push } = self;
        let layout = parameters.table(table).layout;
        let read = Reading::new(isa, rule, step, parameters, Reads::shared(parameters));
        for record in section.records() {
            if Some(table) == parameters.row() {
                step_row(&read, &layout, record.number as u32, record.numbers, together);
                changed[owned.number(record.number)] = push;
            } else {
                step_sixteen(&read, &record, together);
                let sixteen = &mut changed.as_chunks_mut::<LANES>().0[owned.number(record.number * LANES) / LANES];
                for lane in 0..LANES {
                    sixteen[lane] = if record.lanes >> lane & 1 == 1 { push } else { sixteen[lane] };
                }
            }
        }
    }
}

/// Steps those of sixteen slots of one weight that were sent; the others' steps go where empty lanes' do.
#[inline(always)]
fn step_sixteen<'r, I: Isa>(read: &Reading<'_, Erased<'r>, I>, record: &Record<'_>, together: f32) {
    let stride = read.stride();
    let (first, empty) = ((record.number * LANES) as u32, read.place(read.reads.scratch_slot));
    let mut places = Line([empty; LANES]);
    for lane in 0..LANES {
        places.0[lane] = if record.lanes >> lane & 1 == 1 { read.place(first + lane as u32) } else { empty };
    }
    let mut cells = read.gather(&places); // which checks
    let mut sums = [I::V::of(0.0); MOST];
    for k in 0..stride {
        sums[k] = I::V::load(&record.line(k));
    }
    let (mut state, seen) = ([cells[1], cells[2], cells[3]], [cells[1], sums[2], sums[3]]);
    let (g, squares) = (sums[0], squares(sums[0], sums[1], I::V::of(together)));
    cells[0] = read.rule.step_summed(&read.step, cells[0], g, squares, &mut state, &seen);
    copy(&state, &mut cells[1..]);
    // SAFETY: the places were just checked.
    unsafe { read.isa.scatter(cells, read.cells, &places, stride) };
}

/// Steps a slot of many weights and the weight beside them.
#[inline(always)]
fn step_row<'r, I: Isa>(read: &Reading<'_, Erased<'r>, I>, layout: &SlotLayout, slot: u32, numbers: &[u8], together: f32) {
    let (isa, rule, step, n) = (read.isa, &read.rule, &read.step, layout.part / LANES);
    let (cells, tail) = read.row(slot * read.row_stride as u32, n);
    let sums_beside = wire::line(numbers, layout.stride - LANES);
    let (mut state, w) = (load_state(rule, &tail[1..]), tail[0].load(Relaxed));
    let seen = [state[0], sums_beside[2], sums_beside[3]];
    let (g, of_beside) = (sums_beside[0], squares(sums_beside[0], sums_beside[1], together));
    tail[0].store(rule.step_summed(step, w, g, of_beside, &mut state, &seen), Relaxed);
    store_state(rule, state, &tail[1..]);
    if rule.rowwise() {
        let mut square = I::V::of(0.0);
        for i in 0..n {
            square = vector::<I>(numbers, i).mul_add(vector::<I>(numbers, i), square);
        }
        let mut of_row = load_state(rule, &tail[ROW_STATE..]);
        rule.row_state(sums_beside[ROW_STATE] + together * square.sum() / layout.weights as f32, &mut of_row);
        store_state(rule, of_row, &tail[ROW_STATE..]);
        let scale = I::V::of(-rule.row_scale(step, &of_row));
        for i in 0..n {
            isa.store(scale.mul_add(vector::<I>(numbers, i), isa.load(&cells[i])), &cells[i]);
        }
        return;
    }
    for i in 0..n {
        let mut sums = [I::V::of(0.0); MOST];
        for k in 0..=layout.state {
            sums[k] = vector::<I>(numbers, n * k + i);
        }
        let mut state = row_state::<_, I>(isa, rule, cells, n, i);
        let seen = [state[0], sums[2], sums[3]];
        let (g, squares) = (sums[0], squares(sums[0], sums[1], I::V::of(together)));
        isa.store(rule.step_summed(step, isa.load(&cells[i]), g, squares, &mut state, &seen), &cells[i]);
        for k in 0..layout.state {
            isa.store(state[k], &cells[n * (1 + k) + i]);
        }
    }
}

#[inline(always)]
fn vector<I: Isa>(numbers: &[u8], i: usize) -> I::V {
    I::V::load(&wire::line(numbers, i * LANES))
}

/// What the state takes for a push.
#[inline(always)]
fn squares<V: Real>(sum: V, squares: V, together: V) -> V {
    (together * sum).mul_add(sum, squares)
}
