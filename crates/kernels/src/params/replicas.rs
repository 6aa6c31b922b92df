//! A replica of all parameters beside the centre that it exchanges with.
use super::{Parameters, table::Table};
use crate::{
    exchange::{self, Copies, Parallel, Passing, TakeOver},
    simd::{InstructionSet, LANES, Line, dispatch},
};
use hogwild_base::{Result, memory};
use std::sync::atomic::Ordering::Relaxed;

/// Sections that replicas pass at the same time: enough for one that waits to find another section free.
pub(crate) const SECTIONS: usize = 8;

/// A replica's tables, each with the centre's and with what passes between them.
pub(crate) struct Side<'t> {
    set: InstructionSet,
    /// Whether a replica has the centre's weights after an exchange.
    joins: bool,
    tables: Vec<(Copies<'t>, Box<dyn Passing>)>,
    /// By table: its slots, and cells of one.
    slots: Vec<[usize; 2]>,
}

/// What is said of an exchange between replicas.
#[derive(Clone, Copy, Debug)]
pub struct Between {
    /// How changes pass.
    pub parallel: Parallel,
    /// Replicas that share the centre.
    pub replicas: usize,
    /// Whether the rule's state is averages, and not sums.
    pub averages: bool,
    /// Of elastic averaging: alpha, from 0 to 1.
    pub elasticity: f32,
}

impl Between {
    pub(super) fn passing(&self) -> Box<dyn Passing> {
        let &Between { parallel, replicas, averages, elasticity } = self;
        exchange::between(parallel, replicas, averages, elasticity)
    }

    /// Over how many shards the centre may be spread, at most.
    pub fn shards(&self) -> usize {
        if self.passing().has_sections() { SECTIONS } else { 1 }
    }

    /// Whether a replica has the centre's weights after an exchange.
    pub(crate) fn joins(&self) -> bool {
        self.parallel != Parallel::Elastic
    }
}

impl<'t> Side<'t> {
    /// Starts the replica from the centre's values.
    ///
    /// # Errors
    /// When there is too little memory for the values of the last exchange.
    ///
    /// # Panics
    /// When the two are of other shapes.
    pub fn new(set: InstructionSet, centre: &'t Parameters, replica: &'t Parameters, between: Between) -> Result<Side<'t>> {
        let tables = (0..centre.shape.tables.len()).map(|number| {
            let (shared, own) = (centre.table(number), replica.table(number));
            assert!(shared.layout == own.layout && shared.slots() == own.slots(), "a replica of other parameters");
            let vectors = (shared.slots() * shared.layout.stride).div_ceil(LANES);
            memory::ask((vectors * size_of::<Line<f32>>()) as u64, || "what replicas last exchanged".into(), "use fewer `replicas`")?;
            let cells = |table: &'t Table| table.cells().as_chunks().0;
            let mut copies =
                Copies { shared: cells(shared), own: cells(own), base: vec![Line([0.0; LANES]); vectors], is_state: shared.layout.kinds() };
            dispatch(set, TakeOver(&mut copies));
            Ok((copies, between.passing()))
        });
        let slots = centre.tables().map(|table| [table.slots(), table.layout.stride]).collect();
        Ok(Side { set, joins: between.joins(), tables: tables.collect::<Result<_>>()?, slots })
    }

    /// Takes over what the others have changed, when all changes have passed; not where replicas keep weights of their own.
    pub fn take_over(&mut self) {
        if self.joins {
            self.tables.iter_mut().for_each(|(copies, _)| dispatch(self.set, TakeOver(copies)));
        }
    }

    /// How many slots the replica has changed since its last exchange, and how many numbers they have.
    pub fn changed(&self) -> [u64; 2] {
        self.tables.iter().zip(&self.slots).fold([0; 2], |sum, ((copies, _), &[slots, stride])| {
            let (mut count, mut last) = (0, usize::MAX);
            for (vector, (own, base)) in copies.own.iter().zip(&copies.base).enumerate() {
                let own: [f32; LANES] = std::array::from_fn(|i| own[i].load(Relaxed));
                count += slots_of(lanes_changed(&own, &base.0), vector, (slots, stride), &mut last);
            }
            [sum[0] + count, sum[1] + count * stride as u64]
        })
    }

    /// Passes all changes.
    pub fn exchange(&mut self) {
        (0..self.sections()).for_each(|section| self.exchange_section(section));
    }

    /// In how many sections changes may pass, each while other replicas pass others.
    pub fn sections(&self) -> usize {
        if self.tables.iter().all(|(_, exchange)| exchange.has_sections()) { SECTIONS } else { 1 }
    }

    /// Passes the changes of a section.
    pub fn exchange_section(&mut self, section: usize) {
        let sections = self.sections();
        for (copies, exchange) in &mut self.tables {
            let start = |section| copies.base.len() * section / sections;
            exchange.pass_some(self.set, start(section)..start(section + 1), copies, &|_, _| false);
        }
    }
}

/// Which of sixteen numbers are no longer what they were.
pub(super) fn lanes_changed(own: &[f32; LANES], base: &[f32; LANES]) -> u32 {
    let mut changed = 0;
    for i in 0..LANES {
        changed |= ((own[i].to_bits() != base[i].to_bits()) as u32) << i;
    }
    changed
}

/// In how many slots these lanes of a vector lie, of a table of so many slots of so many cells; vectors are asked for in their order, and `last`
/// is the slot that was counted last.
pub(super) fn slots_of(mut lanes: u32, vector: usize, (slots, stride): (usize, usize), last: &mut usize) -> u64 {
    let mut count = 0;
    while lanes != 0 {
        let slot = (vector * LANES + lanes.trailing_zeros() as usize) / stride;
        count += (slot != *last && slot < slots) as u64;
        *last = slot;
        lanes &= lanes - 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        params::{Shape, TableShape},
        rules::{Adagrad, AdagradRowwise, Layout, Sgd},
    };

    #[test]
    fn weights_and_state_are_told_apart_in_every_layout() {
        let state = |layout: Layout, table: TableShape| {
            let ones = |line: &Line<f32>| line.0.iter().map(|&x| x as u8).collect::<Vec<_>>();
            let parameters = Parameters::new(&Shape::of(table), &layout).unwrap();
            parameters.table(0).layout.kinds().iter().flat_map(ones).collect::<Vec<_>>()
        };
        assert_eq!(state(Layout::of(&Sgd), TableShape::single(9)), [0; 16]);
        assert_eq!(state(Layout::of(&Adagrad::DEFAULT), TableShape::single(9))[..4], [0, 1, 0, 1]);
        let row = state(Layout::of(&Adagrad::DEFAULT), TableShape::rows(3, 20));
        assert_eq!((row.len(), &row[..32], &row[32..64], &row[64..66]), (80, &[0; 32][..], &[1; 32][..], &[0, 1][..]));
        let rowwise = state(Layout::of(&AdagradRowwise::DEFAULT), TableShape::rows(3, 20));
        assert_eq!((rowwise.len(), &rowwise[..33], rowwise[33]), (48, &[0; 33][..], 1));
    }

    #[test]
    fn nothing_is_lost_between_replicas() {
        let layout = Layout::of(&Adagrad::DEFAULT);
        let [centre, a, b] = [(); 3].map(|()| Parameters::new(&Shape::of(TableShape::single(100)), &layout).unwrap());
        let set = InstructionSet::Portable;
        let between = Between { parallel: Parallel::Mean, replicas: 2, averages: false, elasticity: 0.0 };
        let [mut of_a, mut of_b] = [&a, &b].map(|own| Side::new(set, &centre, own, between).unwrap());
        let all = |parameters: &Parameters| {
            parameters.table(0).cells()[..200].iter().map(|x| x.load(std::sync::atomic::Ordering::Relaxed)).collect::<Vec<_>>()
        };
        for (i, cell) in a.table(0).cells()[..200].iter().enumerate() {
            cell.store(cell.load(std::sync::atomic::Ordering::Relaxed) + i as f32, std::sync::atomic::Ordering::Relaxed);
        }
        let before = all(&centre);
        of_a.exchange();
        of_b.exchange();
        of_a.exchange();
        assert_eq!(of_a.changed(), [0, 0]);
        a.table(0).cells()[6].store(0.25, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(of_a.changed(), [1, 2]);
        a.table(0).cells()[6].store(b.table(0).cells()[6].load(std::sync::atomic::Ordering::Relaxed), std::sync::atomic::Ordering::Relaxed);
        let expected: Vec<f32> =
            before.iter().enumerate().map(|(i, x)| x + i as f32 * if i.is_multiple_of(2) { 0.5 } else { 1.0 }).collect();
        assert_eq!((all(&centre), all(&a), all(&b)), (expected.clone(), expected.clone(), expected));
    }
}
