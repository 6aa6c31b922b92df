//! What all parameters were at some time: by which a simulated replica's changes are counted, and brought to it later.
use super::Parameters;
use std::sync::atomic::Ordering::Relaxed;

/// The numbers of all tables.
pub(crate) struct Snapshot(Vec<Vec<f32>>);

impl Snapshot {
    /// As they are now.
    pub fn of(parameters: &Parameters) -> Snapshot {
        let numbers = |table: usize| parameters.table(table).cells().iter().map(|cell| cell.load(Relaxed)).collect();
        Snapshot((0..parameters.shape.tables.len()).map(numbers).collect())
    }

    /// The same in the room that there is.
    pub fn take(&mut self, parameters: &Parameters) {
        for (number, numbers) in self.0.iter_mut().enumerate() {
            numbers.iter_mut().zip(parameters.table(number).cells()).for_each(|(number, cell)| *number = cell.load(Relaxed));
        }
    }

    /// How many slots are no longer as they were, and how many numbers they have.
    pub fn changed(&self, parameters: &Parameters) -> [u64; 2] {
        let mut sum = [0; 2];
        for (number, numbers) in self.0.iter().enumerate() {
            let table = parameters.table(number);
            let stride = table.layout.stride;
            let slots = numbers.chunks_exact(stride).zip(table.cells().chunks_exact(stride)).take(table.slots());
            let has_changed = slots.filter(|(were, are)| were.iter().zip(*are).any(|(was, is)| *was != is.load(Relaxed))).count();
            sum = [sum[0] + has_changed as u64, sum[1] + (has_changed * stride) as u64];
        }
        sum
    }

    /// Adds to some parameters what others are now beyond what they were.
    pub fn add_change(&self, of: &Parameters, to: &Parameters) {
        for (number, numbers) in self.0.iter().enumerate() {
            let (of, to) = (of.table(number).cells(), to.table(number).cells());
            for (was, (of, to)) in numbers.iter().zip(of.iter().zip(to)) {
                let is = of.load(Relaxed);
                if is != *was {
                    to.store(to.load(Relaxed) + (is - was), Relaxed);
                }
            }
        }
    }
}

/// Makes some parameters what others are.
pub(crate) fn copy(from: &Parameters, to: &Parameters) {
    for number in 0..from.shape.tables.len() {
        let (from, to) = (from.table(number).cells(), to.table(number).cells());
        from.iter().zip(to).for_each(|(from, to)| to.store(from.load(Relaxed), Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        params::{Shape, TableShape},
        rules::{Adagrad, Layout},
    };

    #[test]
    fn changes_are_counted_by_slot_and_added_elsewhere() {
        let layout = Layout::of(&Adagrad::DEFAULT);
        let [a, b] = [(); 2].map(|()| Parameters::new(&Shape::of(TableShape::single(40)), &layout).unwrap());
        let get = |parameters: &Parameters, cell: usize| parameters.table(0).cells()[cell].load(Relaxed);
        let mut before = Snapshot::of(&a);
        assert_eq!(before.changed(&a), [0, 0]);
        for (parameters, cell, x) in [(&a, 0, 2.0), (&a, 7, 5.0), (&a, 6, 3.0), (&b, 0, 0.5)] {
            parameters.table(0).cells()[cell].store(x, Relaxed);
        }
        assert_eq!(before.changed(&a), [2, 4]);
        before.add_change(&a, &b);
        // A sum of squares begins at 1.
        assert_eq!([0, 6, 7, 8].map(|cell| get(&b, cell)), [2.5, 3.0, 5.0, 0.0]);
        before.take(&a);
        assert_eq!(before.changed(&a), [0, 0]);
        copy(&a, &b);
        assert_eq!(before.changed(&b), [0, 0]);
    }
}
