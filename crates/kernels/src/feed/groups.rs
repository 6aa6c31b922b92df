//! Eight examples at once, as `engine::groups` trains them: values of the most frequent features by slot, all others behind one another.
//!
//! Columns ascend by rank, so the frequent features of a row are its first ones, and no lane has to be looked for: values of slots below
//! the last dense one are spread over vectors, one of each example and sixteen slots, and what is left of all eight rows fills blocks of
//! sixteen lanes together. An example of criteo's has 18 such features: eight rows fill 9 to 10 blocks, and 16 apart.
use super::{Feed, RowCells, SparseFeed};
use crate::{
    models::Linear,
    params::Places,
    simd::{Integers, Isa, LANES, Line, Vector, copy},
};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Examples of a group.
pub(crate) const GROUP: usize = 8;
/// Whose lanes are empty.
const NOBODY: u32 = GROUP as u32;

/// Eight examples, or fewer at the end of a block.
pub(crate) struct Group {
    /// How many there are.
    pub size: usize,
    /// Their targets; 0 of those that are missing.
    pub labels: Line<f32>,
    /// How much they count, where they do not count alike; 0 of those that are missing.
    pub weights: Line<f32>,
    /// Stored features of all.
    pub nonzeros: u64,
    /// By vector of dense slots and example: the values. The bias is the first.
    pub dense: Vec<[Line<f32>; GROUP]>,
    /// The same where all values are 1: bits of the slots that an example has.
    pub masks: Vec<[u16; GROUP]>,
    /// How many blocks the other features fill.
    pub blocks: usize,
    /// Where each lane's slot lies, by block.
    pub places: Vec<Line<u32>>,
    /// By lane: the slot, the bits of the value, and whose it is.
    slots: Vec<u32>,
    values: Vec<u32>,
    owners: Vec<u32>,
    /// How many lanes are filled.
    filled: usize,
}

impl Group {
    /// Room for examples of so many features at most, of which those of `dense` vectors of slots are dense.
    pub fn with_room(dense: usize, longest: usize) -> Group {
        let lanes = GROUP * longest;
        let line = || vec![0; lanes + 4 * LANES];
        Group {
            size: 0,
            labels: Line([0.0; LANES]),
            weights: Line([0.0; LANES]),
            nonzeros: 0,
            dense: vec![[Line([0.0; LANES]); GROUP]; dense],
            masks: vec![[0; GROUP]; dense],
            blocks: 0,
            places: vec![Line([0; LANES]); lanes / LANES + 1],
            slots: line(),
            values: line(),
            owners: line(),
            filled: 0,
        }
    }

    /// The values of a block, and whose they are.
    #[inline(always)]
    pub fn block<U: Integers>(&self, block: usize) -> (Line<f32>, U) {
        let (mut values, mut owners) = (Line([0.0; LANES]), Line([0; LANES]));
        let (of_values, of_owners) = (&self.values[block * LANES..][..LANES], &self.owners[block * LANES..][..LANES]);
        for i in 0..LANES {
            values.0[i] = f32::from_bits(of_values[i]);
        }
        copy(of_owners, &mut owners.0);
        (values, U::load(&owners))
    }

    /// Begins a group.
    #[inline(always)]
    fn begin(&mut self) {
        (self.size, self.filled, self.nonzeros) = (0, 0, 0);
    }

    /// Ends it: lanes behind the last feature are empty, and places are found.
    #[inline(always)]
    fn end<I: Isa>(&mut self, places: &impl Places<I>) {
        for k in self.size..GROUP {
            (self.labels.0[k], self.weights.0[k]) = (0.0, 0.0);
            for d in 0..self.dense.len() {
                (self.dense[d][k], self.masks[d][k]) = (Line([0.0; LANES]), 0);
            }
        }
        let filled = self.filled;
        for i in 0..LANES {
            (self.slots[filled + i], self.values[filled + i], self.owners[filled + i]) = (u32::MAX, 0, NOBODY);
        }
        self.blocks = filled.div_ceil(LANES);
        for block in 0..self.blocks {
            let mut slots = Line([0; LANES]);
            copy(&self.slots[block * LANES..][..LANES], &mut slots.0);
            places.place(I::U::load(&slots), &mut self.places[block]);
        }
    }
}

/// Sixteen lanes from one on.
#[inline(always)]
fn put<U: Integers>(numbers: U, to: &mut [u32]) {
    let mut line = Line([0; LANES]);
    numbers.store(&mut line);
    copy(&line.0, &mut to[..LANES]);
}

/// Which of the most frequent slots each row has.
pub(crate) struct DenseMasks {
    /// How many vectors of sixteen slots they are.
    pub vectors: usize,
    /// By row: a mask for each vector, from the first, and how many columns have a bit, which are the first of the row. The bias has a bit and
    /// no column.
    masks: Vec<u16>,
}

impl DenseMasks {
    /// Goes through all rows, whose columns ascend.
    pub fn of(cells: &RowCells<'_>, vectors: usize) -> DenseMasks {
        let mut masks = vec![0; (vectors + 1) * cells.labels.len()];
        for (row, starts) in masks.chunks_exact_mut(vectors + 1).zip(cells.starts.windows(2)) {
            let [start, end] = [starts[0].load(Relaxed) as usize, starts[1].load(Relaxed) as usize];
            let (count, masks) = row.split_last_mut().expect("a row has a count");
            masks[0] = 1;
            let mut before = 0;
            for column in cells.columns.get(start..end).unwrap_or_default() {
                let slot = (column.load(Relaxed) as usize).saturating_add(1);
                if slot <= before || slot >= LANES * vectors {
                    break;
                }
                (masks[slot / LANES], before) = (masks[slot / LANES] | 1 << (slot % LANES), slot);
                *count += 1;
            }
        }
        DenseMasks { vectors, masks }
    }

    /// Those of a row.
    #[inline(always)]
    fn row(&self, position: u32) -> &[u16] {
        let each = self.vectors + 1;
        &self.masks[position as usize * each..][..each]
    }
}

impl SparseFeed<'_> {
    /// Reads a group, and meanwhile asks for others: for where examples lie that are `far`, for examples that are nearer.
    #[inline(always)]
    pub(crate) fn read_group<I: Isa>(
        &self,
        isa: I,
        masks: &DenseMasks,
        [near, middle, far]: [&[u32]; 3],
        group: &mut Group,
        places: &impl Places<I>,
    ) {
        group.begin();
        for k in 0..GROUP {
            Feed::<Linear>::prefetch_place(self, isa, far[k]);
            isa.prefetch(masks.row(far[k]).as_ptr());
            self.prefetch_dense(isa, masks, middle[k]);
            if let Some(&position) = near.get(k) {
                self.read_into(isa, masks, position, group);
            }
        }
        group.end(places);
    }

    /// Reads the next example of a group.
    #[inline(always)]
    fn read_into<I: Isa>(&self, isa: I, masks: &DenseMasks, position: u32, group: &mut Group) {
        let k = group.size;
        let (columns, values) = self.features(position);
        let (count, masks) = masks.row(position).split_last().unwrap_or((&0, &[]));
        // A file may have changed since its masks were made: such a row is read as one without features.
        let whole = *count as usize <= columns.len();
        let dense = if whole { *count as usize } else { columns.len() };
        let columns = &columns[dense..];
        match values {
            None => {
                for d in 0..masks.len() {
                    group.masks[d][k] = if whole { masks[d] } else { 0 };
                }
            }
            Some(values) => {
                let mut from = 0;
                for d in 0..masks.len() {
                    // The bias has no value there.
                    let mask = if d == 0 { masks[0] & !1 } else { masks[d] };
                    let mask = if whole { mask } else { 0 };
                    isa.expand(mask, &values[from..dense]).store(&mut group.dense[d][k].0);
                    from += mask.count_ones() as usize;
                }
                group.dense[0][k].0[0] = 1.0;
            }
        }
        let n = columns.len();
        let mut done = 0;
        // By two, as most rows have as many: an end that is guessed wrong costs more than a load. (Of no cells, it is to be a load from the row's
        // end: under an empty mask, one from an address that is not mapped takes hundreds of cycles.)
        while done < n.next_multiple_of(2 * LANES) {
            let at = group.filled + done;
            // What lies behind the last feature is overwritten by the next.
            put(isa.load_some(&columns[done.min(n)..]).plus(I::U::of(1)), &mut group.slots[at..]);
            let bits = values.map_or(I::U::of(1f32.to_bits()), |values| isa.load_some(&values[(dense + done).min(dense + n)..]));
            put(bits, &mut group.values[at..]);
            put(I::U::of(k as u32), &mut group.owners[at..]);
            done += LANES;
        }
        group.filled += n;
        group.nonzeros += (dense + n) as u64;
        group.labels.0[k] = self.label(position);
        group.weights.0[k] = self.weight_of(position, group.labels.0[k]);
        group.size += 1;
    }

    /// Asks for what of a row is read.
    #[inline(always)]
    fn prefetch_dense<I: Isa>(&self, isa: I, masks: &DenseMasks, position: u32) {
        let cells = self.cells();
        let starts = &cells.starts[position as usize..][..2];
        let [start, end] = [starts[0].load(Relaxed) as usize, starts[1].load(Relaxed) as usize];
        let cold = start + masks.row(position)[masks.vectors] as usize;
        if cold < end {
            ask(isa, cells.columns, cold, end);
        }
        if let Some(values) = cells.values {
            ask(isa, values, start, end);
        }
    }
}

/// Asks for some cells. Any numbers of cells will do.
#[inline(always)]
fn ask<I: Isa>(isa: I, cells: &[AtomicU32], start: usize, end: usize) {
    let first = cells.as_ptr().wrapping_add(start);
    isa.prefetch(first);
    isa.prefetch(cells.as_ptr().wrapping_add(end).wrapping_sub(1));
    // Rows are short.
    if start.wrapping_add(LANES) < end {
        isa.prefetch(first.wrapping_add(LANES));
    }
    if start.wrapping_add(2 * LANES) < end {
        isa.prefetch(first.wrapping_add(2 * LANES));
    }
}
