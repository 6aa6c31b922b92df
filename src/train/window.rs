//! Data larger than memory: the file is visited window by window.
//!
//! Shuffled over the whole of such a file, a block would be some reads of a few kilobytes each, from all over the disk. So the file is cut
//! into chunks of consecutive rows, some of them, from all over the file, make a group, and what is shuffled is the units of a group. While
//! workers are in one group a thread reads the next ones, chunk by chunk, and gives the memory of those before back: four groups, the
//! window, are in memory at a time, so that neither waits because the other is late for once. A group is a sample of sixteen places of the
//! file or more, so that one sorted by label is shuffled too; chunks are megabytes where the window is 64 of them. An epoch reads the file
//! once, and takes as long as the slower of reading and training. Who comes to a group before it is read waits for it (see the gate):
//! reading on demand, page by page, would take longer. (By batches nobody reads ahead; the order alone keeps to the window.)
use crate::{Order, data::Rows, memory};
use hogwild_kernels::{
    engine::Reader,
    gate::{Gate, Open},
    order::Plan,
};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use std::{
    fmt::{Display, Formatter},
    ops::Range,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// How much of the training data is held in memory at a time, where they are sparse rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// All, if there is memory for it; otherwise a power of two, 3/8 to 3/4 of what there is. So the order of examples may depend on what
    /// else is in memory: give a number where it may not.
    Auto,
    /// All.
    Off,
    /// About so many bytes, at least [`Window::LEAST`].
    Bytes(u64),
}

impl Window {
    /// The least number of bytes.
    pub const LEAST: u64 = 4 << 20;

    /// Reads `auto`, `off` or a number of bytes, as in `512M` or `2g` (of powers of 1024).
    ///
    /// # Errors
    /// For anything else: what it must be.
    pub fn parse(text: &str) -> Result<Window, &'static str> {
        let text = text.to_ascii_lowercase();
        let digits = text.trim_end_matches(['k', 'm', 'g', 't']);
        let shift = match &text[digits.len()..] {
            "" => Some(0),
            "k" => Some(10),
            "m" => Some(20),
            "g" => Some(30),
            "t" => Some(40),
            _ => None,
        };
        let bytes = || digits.parse::<u64>().ok()?.checked_mul(1 << shift?);
        match (text.as_str(), bytes()) {
            ("auto", _) => Ok(Window::Auto),
            ("off", _) => Ok(Window::Off),
            (_, Some(bytes)) => Ok(Window::Bytes(bytes)),
            _ => Err("must be auto, off or a size such as 512M or 2G"),
        }
    }

    /// How many bytes of a data set to hold at a time, with so many bytes needed beside them; None: all.
    pub(crate) fn of(self, data: &Rows, beside: u64) -> Option<u64> {
        let bytes = match self {
            Window::Off => return None,
            _ if !data.is_mapped() => return None, // it is all in memory
            Window::Bytes(bytes) => bytes,
            Window::Auto => {
                let room = memory::available()?.saturating_sub(beside);
                if data.bytes() <= room / 4 * 3 {
                    return None;
                }
                (1 << (room / 4 * 3).max(1).ilog2()).max(Window::LEAST)
            }
        };
        (bytes < data.bytes()).then_some(bytes)
    }
}

/// Text that [`Window::parse`] reads.
impl Display for Window {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Window::Auto => write!(f, "auto"),
            Window::Off => write!(f, "off"),
            Window::Bytes(bytes) => match bytes.trailing_zeros() / 10 {
                _ if *bytes == 0 => write!(f, "0"),
                0 => write!(f, "{bytes}"),
                n @ 1..=3 => write!(f, "{}{}", bytes >> (10 * n), ["K", "M", "G"][n as usize - 1]),
                _ => write!(f, "{}T", bytes >> 40),
            },
        }
    }
}

/// What is told of data that are visited window by window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowReport {
    /// Bytes in memory at a time.
    pub bytes: u64,
    /// Bytes of the file.
    pub of: u64,
    /// How many groups of rows there are, each shuffled by itself.
    pub groups: usize,
    /// Whether memory is given back. By batches it is not: the order alone keeps to the window.
    pub gives_back: bool,
}

/// Groups in memory: one in use, [`AHEAD`] read or being read, one that is left.
const GROUPS: u64 = 2 + AHEAD as u64;
const AHEAD: usize = 2;
/// Chunks in a group, at least: a group is a sample of so many places of the file.
const MIXED: u64 = 16;
/// The most bytes of a chunk. (The least follows from [`Window::LEAST`]: 64 KiB, which Linux maps at once.)
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
    units: &'a [Range<u32>],
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
    /// `units`: all rows in the order of the file, as many to each but the last. `bytes`: as [`Window::of`] gives.
    pub fn new(data: &'a Rows, units: &'a [Range<u32>], bytes: u64) -> Windows<'a> {
        let chunk = chunk(bytes);
        let unit = units.first().map_or(1, |unit| unit.len().max(1));
        let mut start = 0;
        let chunks = data.cut(chunk).into_iter().map(|row| std::mem::replace(&mut start, row.div_ceil(unit))..row.div_ceil(unit));
        let chunks = chunks.filter(|chunk| !chunk.is_empty());
        Windows { data, units, chunks: chunks.collect(), together: (bytes / GROUPS / chunk).max(1) as usize, bytes }
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
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x5A3F);
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
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x817D ^ (epoch as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_shown() {
        for (text, window) in [
            ("auto", Window::Auto),
            ("off", Window::Off),
            ("1234567", Window::Bytes(1_234_567)),
            ("96K", Window::Bytes(96 << 10)),
            ("512M", Window::Bytes(512 << 20)),
            ("2G", Window::Bytes(2 << 30)),
            ("3T", Window::Bytes(3 << 40)),
        ] {
            assert_eq!((Window::parse(text).unwrap(), window.to_string().as_str()), (window, text));
        }
        assert_eq!((Window::parse("2g"), Window::parse("AUTO")), (Ok(Window::Bytes(2 << 30)), Ok(Window::Auto)));
        for text in ["", "M", "-1", "1.5G", "2GG", "99999999T", "none", "2µ"] {
            assert!(Window::parse(text).is_err(), "{text}");
        }
    }
}
