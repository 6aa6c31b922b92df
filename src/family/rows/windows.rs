//! Data larger than memory: the file is visited window by window.
//!
//! Shuffled over the whole of such a file, a block would be some reads of a few kilobytes each, from all over the disk. So the file is cut
//! into chunks of consecutive rows, some of them, from all over the file, make a group, and what is shuffled is the units of a group. While
//! workers are in one group a thread reads the next ones, chunk by chunk, and gives the memory of those before back: four groups, the
//! window, are in memory at a time, so that neither waits because the other is late for once. A group is a sample of sixteen places of the
//! file or more, so that one sorted by label is shuffled too; chunks are megabytes where the window is 64 of them. An epoch reads the file
//! once, and takes as long as the slower of reading and training. Who comes to a group before it is read waits for it (see the gate):
//! reading on demand, page by page, would take longer. (By batches nobody reads ahead; the order alone keeps to the window.)
use crate::family::prepared::WindowReport;
use hogwild_data::Rows;
use hogwild_kernels::{
    engine::Reader,
    gate::{Gate, Open},
    order::{Order, Plan},
    seeds::Stream,
};
use rand::{RngExt, seq::SliceRandom};
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// Groups in memory: one in use, [`AHEAD`] read or being read, one that is left.
const GROUPS: u64 = 2 + AHEAD as u64;
const AHEAD: usize = 2;
/// Chunks in a group, at least: a group is a sample of so many places of the file.
const MIXED: u64 = 16;
/// The most bytes of a chunk. (The least follows from `Window::LEAST`: 64 KiB, which Linux maps at once.)
const CHUNK: u64 = 32 << 20;
/// Places of the file that a sample is of.
const PLACES: usize = 1024;

/// About how many bytes a chunk has in such a window.
fn chunk(bytes: u64) -> u64 {
    (bytes / GROUPS / MIXED).clamp(1, CHUNK)
}

/// How many rows a unit may have, so that chunks are not longer for it.
pub(super) fn rows_of_chunk(data: &Rows, bytes: u64) -> u32 {
    (chunk(bytes) as u128 * data.rows() as u128 / data.bytes().max(1) as u128).clamp(1, u32::MAX as u128) as u32
}

/// A data set in chunks.
pub(super) struct Windows<'a> {
    data: &'a Rows,
    units: Arc<[Range<u32>]>,
    /// Each of consecutive units.
    chunks: Vec<Range<usize>>,
    /// How many chunks make a group.
    together: usize,
    bytes: u64,
}

impl Reader for Windows<'_> {
    /// Reads the groups one after the other, while those before are in use, until all are or the workers are done.
    fn read(&self, gate: &Gate, stop: &AtomicBool) {
        let over = || stop.load(Relaxed) || gate.over.load(Relaxed);
        let open = Open(gate);
        let mut held = vec![false; self.chunks.len()];
        'groups: for (number, group) in gate.groups.iter().enumerate() {
            gate.wait(|| over() || gate.entered.load(Relaxed) + AHEAD >= number);
            for (i, &chunk) in group.iter().enumerate() {
                if over() {
                    break 'groups;
                }
                // One more is on its way while this one is waited for.
                for &chunk in group[i..group.len().min(i + 2)].iter().skip((i > 0) as usize) {
                    held[chunk] = true;
                    self.data.will_need(self.rows(chunk));
                }
                self.data.fetch(self.rows(chunk));
                // All workers have left the group before the one that they are in, but for the blocks that were taken from it last.
                if let (0, Some(left)) = (i, number.checked_sub(AHEAD + 1)) {
                    self.release_group(&gate.groups[left], &mut held);
                }
            }
            gate.set(&gate.ready, number + 1);
        }
        drop(open);
        gate.wait(|| gate.over.load(Relaxed));
        // All: of those behind, what late blocks have asked for once more.
        self.release();
    }
}

impl<'a> Windows<'a> {
    /// `units`: all rows in the order of the file, as many to each but the last. `bytes`: as `Window::of` gives.
    pub fn new(data: &'a Rows, units: &Arc<[Range<u32>]>, bytes: u64) -> Windows<'a> {
        let chunk = chunk(bytes);
        let unit = units.first().map_or(1, |unit| unit.len().max(1));
        let mut start = 0;
        let chunks = data.cut(chunk).into_iter().map(|row| std::mem::replace(&mut start, row.div_ceil(unit))..row.div_ceil(unit));
        let chunks = chunks.filter(|chunk| !chunk.is_empty());
        Windows { data, units: units.clone(), chunks: chunks.collect(), together: (bytes / GROUPS / chunk).max(1) as usize, bytes }
    }

    /// `gives_back`: whether there will be a reader.
    pub fn report(&self, gives_back: bool) -> WindowReport {
        let groups = self.chunks.len().div_ceil(self.together);
        WindowReport { bytes: self.bytes, of: self.data.bytes(), groups, gives_back }
    }

    /// Units for a look at the data: of a group's size, and about so many examples at most, a few here and there from one end of the file
    /// to the other. The system is asked to read them.
    pub fn sample(&self, examples: u64, seed: u64) -> Vec<Range<u32>> {
        let (all, unit) = (self.units.len(), self.units.first().map_or(1, |unit| unit.len().max(1)));
        let wanted = (all * self.together / self.chunks.len().max(1)).min((examples as usize).div_ceil(unit)).clamp(1, all.max(1));
        let places = PLACES.min(wanted);
        let mut random = Stream::SampledPlaces.random(seed);
        let part = |i: usize| i * all / places;
        let runs = (0..places).map(|i| {
            let (start, end, run) = (part(i), part(i + 1), wanted / places);
            let start = start + random.random_range(0..=(end - start).saturating_sub(run));
            &self.units[start..end.min(start + run)]
        });
        let runs: Vec<_> = runs.filter(|run| !run.is_empty()).collect();
        runs.iter().for_each(|run| self.data.will_need(run[0].start as usize..run[run.len() - 1].end as usize));
        runs.concat()
    }

    /// Gives all back.
    pub fn release(&self) {
        self.data.release(0..self.data.rows());
    }

    /// The plan of an epoch: see [`Plan::new`].
    pub fn plan(&self, admitted: Vec<bool>, order: Order, block: u32, seed: u64, epoch: usize) -> Plan {
        let groups = self.groups(order != Order::Sequential, seed, epoch);
        let (mut units, mut ends) = (Vec::with_capacity(self.units.len()), Vec::with_capacity(groups.len()));
        for group in &groups {
            group.iter().for_each(|&chunk| units.extend_from_slice(&self.units[self.chunks[chunk].clone()]));
            ends.push(units.len());
        }
        Plan::of_groups(units, &ends, admitted, order, block, seed, epoch).with_gate(Gate::new(groups, ends))
    }

    /// Gives the memory of a group back. A page that two chunks share stays in memory unless both are given back at once, and with a page
    /// some of its neighbours are mapped: so chunks on either side that are not held are given back too.
    fn release_group(&self, group: &[usize], held: &mut [bool]) {
        group.iter().for_each(|&chunk| held[chunk] = false);
        for &chunk in group {
            let free = |beside: usize| held.get(beside) == Some(&false);
            let first = chunk.checked_sub(1).filter(|&before| free(before)).unwrap_or(chunk);
            let last = if free(chunk + 1) { chunk + 1 } else { chunk };
            self.data.release(self.rows(first).start..self.rows(last).end);
        }
    }

    /// Chunks by groups; shuffled, each group has one of each part of the file (so that every group of a file sorted by label has the same
    /// share of each), in the order of the file.
    fn groups(&self, shuffle: bool, seed: u64, epoch: usize) -> Vec<Vec<usize>> {
        let chunks: Vec<usize> = (0..self.chunks.len()).collect();
        if !shuffle {
            return chunks.chunks(self.together).map(<[usize]>::to_vec).collect();
        }
        let mut random = Stream::Groups { epoch }.random(seed);
        let mut groups = vec![Vec::with_capacity(self.together); chunks.len().div_ceil(self.together)];
        let mut turns: Vec<usize> = (0..groups.len()).collect();
        for part in chunks.chunks(groups.len().max(1)) {
            turns.shuffle(&mut random);
            part.iter().zip(&turns).for_each(|(&chunk, &turn)| groups[turn].push(chunk));
        }
        groups
    }

    /// The rows of a chunk.
    fn rows(&self, chunk: usize) -> Range<usize> {
        let units = &self.units[self.chunks[chunk].clone()];
        match (units.first(), units.last()) {
            (Some(first), Some(last)) => first.start as usize..last.end as usize,
            _ => 0..0,
        }
    }
}
