//! Some vectors of a table as bytes.
//!
//! First how many records there are (four bytes) and how many bytes they take (eight). A record is the number of a vector, which of its
//! lanes follow (one bit each; the highest bit says that two numbers of each do), then the first number of these lanes, and the second.
use crate::{
    simd::LANES,
    wire::{self, Reader},
};
use hogwild_base::Result;
use std::ops::Range;

/// The bit that says that there are two numbers of each lane.
const TWO: u32 = 1 << 31;

pub(super) struct Writer<'m> {
    message: &'m mut Vec<u8>,
    start: usize,
    records: u32,
}

impl<'m> Writer<'m> {
    pub fn new(message: &'m mut Vec<u8>) -> Writer<'m> {
        let start = message.len();
        message.extend_from_slice(&[0; 12]);
        Writer { message, start, records: 0 }
    }

    /// Adds one or two numbers of some lanes of a vector.
    pub fn add(&mut self, vector: usize, lanes: u32, numbers: &[[f32; LANES]]) {
        wire::put(self.message, vector as u32);
        wire::put(self.message, if numbers.len() == 2 { lanes | TWO } else { lanes });
        for line in numbers {
            if lanes == Records::ALL {
                wire::set_line(wire::room(self.message, 4 * LANES), 0, line);
                continue;
            }
            for i in (0..LANES).filter(|i| lanes >> i & 1 == 1) {
                wire::put(self.message, line[i].to_bits());
            }
        }
        self.records += 1;
    }

    pub fn end(self) {
        let bytes = (self.message.len() - self.start - 12) as u64;
        self.message[self.start..self.start + 4].copy_from_slice(&self.records.to_le_bytes());
        self.message[self.start + 4..self.start + 12].copy_from_slice(&bytes.to_le_bytes());
    }
}

/// Vectors that have been checked: all are of the table, and of the shard.
#[derive(Clone, Copy)]
pub(crate) struct Records<'b> {
    records: u32,
    bytes: Reader<'b>,
}

/// One of them.
#[derive(Clone, Copy)]
pub(super) struct Record<'b> {
    pub vector: usize,
    pub lanes: u32,
    /// Whether there are two numbers of each lane.
    pub two: bool,
    numbers: &'b [u8],
}

impl<'b> Records<'b> {
    /// All lanes of a vector.
    pub(super) const ALL: u32 = (1 << LANES) - 1;

    /// The next vectors of a message, which are to be within a range.
    ///
    /// # Errors
    /// When they are not, or are cut short. All is read: of a message that is refused nothing has been done.
    pub fn open(message: &mut Reader<'b>, vectors: Range<usize>) -> Result<Records<'b>> {
        let (records, bytes) = (message.number("the number of records")?, message.long("the length of the records")?);
        let (mut rest, mut after) = (message.part(bytes, "the records")?, vectors.start);
        let told = Records { records, bytes: rest };
        for _ in 0..records {
            let Record { vector, lanes, .. } = record(&mut rest)?;
            if vector < after || vector >= vectors.end || lanes == 0 || lanes > Self::ALL {
                let due = format!("one of {after} to {} is due", vectors.end);
                return Err(rest.bad(format!("has lanes {lanes:016b} of sixteen {vector} where {due}")));
            }
            after = vector + 1;
        }
        rest.close()?;
        Ok(told)
    }

    /// The vectors, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = Record<'b>> + use<'b> {
        let mut rest = self.bytes;
        // All were read when this was opened.
        (0..self.records).map_while(move |_| record(&mut rest).ok())
    }
}

fn record<'b>(from: &mut Reader<'b>) -> Result<Record<'b>> {
    let vector = from.number("a record")? as usize;
    let lanes = from.number("the lanes of a record")?;
    let (two, lanes) = (lanes & TWO != 0, lanes & !TWO);
    let numbers = from.take(4 * lanes.count_ones() as usize * (1 + two as usize), "a record's numbers")?;
    Ok(Record { vector, lanes, two, numbers })
}

impl Record<'_> {
    /// Number `k` of each lane; 0 of those that were not told.
    pub fn line(&self, k: usize) -> [f32; LANES] {
        if self.lanes == Records::ALL {
            return wire::line(self.numbers, k * LANES);
        }
        let (mut line, mut i) = ([0.0; LANES], k * self.lanes.count_ones() as usize);
        for lane in (0..LANES).filter(|lane| self.lanes >> lane & 1 == 1) {
            line[lane] = wire::number(self.numbers, i);
            i += 1;
        }
        line
    }
}
