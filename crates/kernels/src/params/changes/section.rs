//! Some slots of a table as bytes.
//!
//! A section says how many numbers a slot has, how many records there are (four bytes each) and how many bytes they take (eight). Records of
//! slots of one weight are sixteens of them, ascending: the number of the sixteen, which of its slots are sent (one bit each; the highest bit
//! says that numbers of all sixteen follow), then the first number of each slot, the second of each, and so on. So where most slots of a
//! sixteen have changed a number is a vector, and no slot is named; where few have, only they travel. A record of a slot of many weights is
//! its number and its cells.
use crate::{
    params::Table,
    simd::LANES,
    wire::{self, Reader},
};
use hogwild_base::Result;

use super::{Owned, sent};

/// The bit that says that numbers of all sixteen slots follow.
const ALL: u32 = 1 << 31;
/// With as many slots of a sixteen as this, numbers of all are sent: moving whole vectors is faster than to pick them.
const DENSE: usize = 6;

/// Writes a section.
pub(super) struct Writer<'m> {
    message: &'m mut Vec<u8>,
    /// Where the section begins.
    start: usize,
    cells: usize,
    records: u32,
    slots: u64,
}

impl<'m> Writer<'m> {
    /// Of slots of so many numbers.
    pub fn new(message: &'m mut Vec<u8>, cells: usize) -> Writer<'m> {
        let start = message.len();
        wire::put(message, cells as u32);
        message.extend_from_slice(&[0; 12]);
        Writer { message, start, cells, records: 0, slots: 0 }
    }

    /// Adds those lanes of a sixteen; the numbers of all its slots by number.
    #[inline(always)]
    pub fn sixteen(&mut self, sixteen: usize, lanes: u32, numbers: &[[f32; LANES]]) {
        let count = lanes.count_ones() as usize;
        let all = count >= DENSE;
        let slots = if all { LANES } else { count };
        let bytes = wire::room(self.message, 8 + 4 * slots * numbers.len());
        wire::set(bytes, 0, sixteen as u32);
        wire::set(bytes, 1, if all { lanes | ALL } else { lanes });
        for (k, line) in numbers.iter().enumerate() {
            let first = 2 + k * slots;
            if all {
                wire::set_line(bytes, first, line);
                continue;
            }
            let (mut rest, mut i) = (lanes, first);
            while rest != 0 {
                wire::set(bytes, i, line[rest.trailing_zeros() as usize].to_bits());
                rest &= rest - 1;
                i += 1;
            }
        }
        self.records += 1;
        self.slots += count as u64;
    }

    /// Adds a slot of many weights; gives the bytes where its numbers are to be.
    #[inline(always)]
    pub fn row(&mut self, slot: usize) -> &mut [u8] {
        self.records += 1;
        self.slots += 1;
        let bytes = wire::room(self.message, 4 + 4 * self.cells);
        wire::set(bytes, 0, slot as u32);
        &mut bytes[4..]
    }

    /// Ends the section; gives how many slots it has, and how many numbers they have.
    pub fn end(self) -> [u64; 2] {
        let bytes = (self.message.len() - self.start - 16) as u64;
        self.message[self.start + 4..self.start + 8].copy_from_slice(&self.records.to_le_bytes());
        self.message[self.start + 8..self.start + 16].copy_from_slice(&bytes.to_le_bytes());
        [self.slots, self.slots * self.cells as u64]
    }
}

/// A section that has been checked: all its slots are the table's, and the server's.
#[derive(Clone, Copy)]
pub(crate) struct Section<'b> {
    records: u32,
    cells: usize,
    is_rows: bool,
    bytes: Reader<'b>,
}

/// One record of it.
#[derive(Clone, Copy)]
pub(crate) struct Record<'b> {
    /// The number of the sixteen, or of the slot.
    pub number: usize,
    /// Which slots of the sixteen are sent.
    pub lanes: u32,
    all: bool,
    pub numbers: &'b [u8],
}

impl<'b> Section<'b> {
    /// The next section of a message, of a table's slots that belong to a server.
    ///
    /// # Errors
    /// When it is cut short, or not of such slots. It is read to its end first: of a message that is refused nothing has been done.
    pub fn open(message: &mut Reader<'b>, table: &Table, owned: Owned) -> Result<Section<'b>> {
        let cells = message.number("the number of a slot's cells")? as usize;
        if cells != sent(&table.layout) {
            return Err(message.bad(format!("has slots of {cells} numbers, and those of this model have {}", sent(&table.layout))));
        }
        let records = message.number("the number of records")?;
        let bytes = message.long("the length of a section")?;
        let inner = message.part(bytes, "a section")?;
        let section = Section { records, cells, is_rows: table.layout.tail.is_some(), bytes: inner };
        let (mut rest, mut after) = (inner, 0);
        for _ in 0..records {
            let Record { number, lanes, .. } = section.record(&mut rest)?;
            let (first, last) = match section.is_rows {
                true => (number, number),
                false => (number * LANES, number * LANES + lanes.checked_ilog2().unwrap_or(0) as usize),
            };
            if last >= table.slots() || !owned.has(first) {
                let Owned { server, of } = owned;
                return Err(
                    rest.bad(format!("has slot {last}, and server {server} of {of} has none of that number among {}", table.slots()))
                );
            }
            if number < after || lanes == 0 {
                return Err(rest.bad(format!("has record {number} where at least {after} is due, of slots {lanes:016b}")));
            }
            after = number + 1;
        }
        rest.close()?;
        Ok(section)
    }

    /// Its records, ascending.
    pub fn records(&self) -> impl Iterator<Item = Record<'b>> {
        let (section, mut rest) = (*self, self.bytes);
        // All were read when the section was opened.
        (0..self.records).map_while(move |_| section.record(&mut rest).ok())
    }

    #[inline(always)]
    fn record(&self, from: &mut Reader<'b>) -> Result<Record<'b>> {
        let number = from.number("a record")? as usize;
        if self.is_rows {
            return Ok(Record { number, lanes: 1, all: true, numbers: from.take(4 * self.cells, "a slot")? });
        }
        let lanes = from.number("the slots of a record")?;
        let (lanes, all) = (lanes & !ALL, lanes & ALL != 0);
        if lanes >> LANES != 0 {
            return Err(from.bad(format!("has a record of slots {lanes:b}, and a sixteen has sixteen")));
        }
        let slots = if all { LANES } else { lanes.count_ones() as usize };
        Ok(Record { number, lanes, all, numbers: from.take(4 * slots * self.cells, "a record's numbers")? })
    }
}

impl Record<'_> {
    /// Number `k` of each slot of a sixteen; 0 for those that were not sent.
    #[inline(always)]
    pub fn line(&self, k: usize) -> [f32; LANES] {
        if self.all {
            return wire::line(self.numbers, k * LANES);
        }
        let (mut line, mut rest, mut i) = ([0.0; LANES], self.lanes, k * self.lanes.count_ones() as usize);
        while rest != 0 {
            line[rest.trailing_zeros() as usize] = wire::number(self.numbers, i);
            rest &= rest - 1;
            i += 1;
        }
        line
    }

    /// 1 for slots of a sixteen that were sent, 0 for others.
    #[inline(always)]
    pub fn sent(&self) -> [f32; LANES] {
        let mut sent = [0.0; LANES];
        for i in 0..LANES {
            sent[i] = (self.lanes >> i & 1) as f32;
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        params::{Parameters, Shape, TableShape},
        rules::{Adagrad, Layout},
    };
    use proptest::prelude::*;

    /// The second server has the second block of 1,024, which ends with ten slots of a sixteen.
    const SLOTS: usize = 1024 + 90;
    const OWNED: Owned = Owned { server: 1, of: 2 };

    fn table() -> Parameters {
        Parameters::new(&Shape::of(TableShape::single(SLOTS)), &Layout::of(&Adagrad::DEFAULT)).unwrap()
    }

    /// A message of one section with those records.
    fn message(records: &[(usize, u32, [[f32; LANES]; 2])]) -> Vec<u8> {
        let mut message = Vec::new();
        wire::begin(&mut message, 1);
        let mut writer = Writer::new(&mut message, 2);
        records.iter().for_each(|(sixteen, lanes, numbers)| writer.sixteen(*sixteen, *lanes, numbers));
        let slots: u64 = records.iter().map(|(_, lanes, _)| lanes.count_ones() as u64).sum();
        assert_eq!(writer.end(), [slots, 2 * slots]);
        wire::end(&mut message);
        message
    }

    fn open(message: &[u8]) -> Result<usize> {
        let parameters = table();
        let (_, mut reader) = Reader::open(message)?;
        let section = Section::open(&mut reader, parameters.table(0), OWNED)?;
        reader.close()?;
        Ok(section.records().count())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(lanes in prop::collection::vec(1u32..1 << 16, 1..3), numbers in prop::array::uniform16(-1e9f32..1e9)) {
            let written: Vec<_> = lanes.iter().enumerate().map(|(i, &lanes)| (65 + 2 * i, lanes, [numbers, numbers.map(|x| x + 1.0)])).collect();
            let (message, parameters) = (message(&written), table());
            let mut reader = Reader::open(&message).unwrap().1;
            let section = Section::open(&mut reader, parameters.table(0), OWNED).unwrap();
            let read: Vec<_> = section.records().collect();
            prop_assert_eq!(read.len(), written.len());
            for (record, (sixteen, lanes, numbers)) in read.iter().zip(&written) {
                prop_assert_eq!((record.number, record.lanes), (*sixteen, *lanes));
                for (k, numbers) in numbers.iter().enumerate() {
                    for lane in (0..LANES).filter(|lane| lanes >> lane & 1 == 1) {
                        prop_assert_eq!(record.line(k)[lane], numbers[lane]);
                    }
                }
            }
        }

        /// Whatever is done to a message, reading it gives an error or a section, and never a panic.
        #[test]
        fn bytes_that_others_changed_do_no_harm(at in 0usize..200, byte: u8, cut in 0usize..400) {
            let mut message = message(&[(65, 0b101, [[1.0; LANES]; 2]), (67, 0xffff, [[2.0; LANES]; 2])]);
            let at = at % message.len();
            message[at] = byte;
            message.truncate(cut.max(1));
            let _ = open(&message);
        }
    }

    #[test]
    fn slots_that_are_none_of_the_servers_are_refused() {
        let ones = [[1.0; LANES]; 2];
        assert_eq!(open(&message(&[(65, 5, ones), (67, 1, ones)])).unwrap(), 2);
        assert_eq!(open(&message(&[(69, 0x3ff, ones)])).unwrap(), 1);
        for (records, says) in [
            (vec![(2, 1, ones)], "has slot 32, and server 1 of 2 has none"),
            (vec![(71, 1, ones)], "has slot 1136"),
            (vec![(69, 0x400, ones)], "has slot 1114"),
            (vec![(67, 1, ones), (65, 1, ones)], "has record 65 where at least 68 is due"),
            (vec![(67, 1, ones), (67, 1, ones)], "has record 67 where at least 68 is due"),
            (vec![(65, 0, ones)], "of slots 0000000000000000"),
        ] {
            let error = open(&message(&records)).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let mut more = message(&[(65, 1, ones)]);
        // Behind frame, head of the section and number of the record.
        more[40..44].copy_from_slice(&(1u32 << 20).to_le_bytes());
        assert!(open(&more).unwrap_err().to_string().contains("a sixteen has sixteen"));
        let mut other = message(&[(65, 1, ones)]);
        other[20] = 4;
        assert!(open(&other).unwrap_err().to_string().contains("has slots of 4 numbers, and those of this model have 2"));
    }
}
