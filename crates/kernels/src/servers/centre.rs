//! A part of the centre that replicas exchange with by messages: what `mean`, `overlap` and `elastic` do, where `downpour` has a server.
//!
//! | request | what follows | answer |
//! |---|---|---|
//! | exchange | what changed by exchange number `from` or later is to be told; by table, what the replica tells | `now` and, by table, what the replica is to have |
//! | join | `from` | `now` and, by table, what changed; by 0 all |
use super::carrier::Shard;
use crate::{
    params::{Between, CentreEnd, Parameters, Records, VectorRange},
    simd::InstructionSet,
    wire::{self, Reader},
};
use hogwild_base::{Error, Result};

const EXCHANGE: u32 = 5;
const JOIN: u32 = 6;
const PASSED: u32 = 7;

/// Vectors of the centre. They are the asker's alone while it exchanges, as messages are handled one at a time.
pub struct Centre<'r> {
    held: CentreEnd<'r>,
    /// How many exchanges there were.
    exchanges: u32,
}

impl<'r> Centre<'r> {
    /// Shard `number` of `of`, of the centre that these parameters are: a range of the cells of each table.
    ///
    /// # Errors
    /// When there is too little memory.
    ///
    /// # Panics
    /// When there are more shards than an exchange can be [spread](Between::shards) over.
    pub fn new(set: InstructionSet, parameters: &'r Parameters, between: Between, number: usize, of: usize) -> Result<Centre<'r>> {
        assert!(number < of && of <= between.shards(), "shards of another exchange");
        Ok(Centre { held: CentreEnd::new(set, parameters, between, VectorRange { number, of })?, exchanges: 0 })
    }
}

impl Shard for Centre<'_> {
    fn handle(&mut self, request: &[u8], answer: &mut Vec<u8>) -> Result<()> {
        let (kind, mut reader) = Reader::open(request)?;
        let from = match kind {
            EXCHANGE | JOIN => reader.number("the number of an exchange")?,
            other => return Err(reader.bad(format!("is of kind {other}, which a centre is not asked"))),
        };
        if kind == EXCHANGE {
            let told = self.held.read(&mut reader)?;
            reader.close()?;
            if self.exchanges == u32::MAX - 1 {
                return Err(Error::BadMessage {
                    bytes: request.len(),
                    problem: format!("is an exchange after {}, which are all", self.exchanges),
                });
            }
            self.exchanges += 1;
            self.held.pass(&told, self.exchanges);
        } else {
            reader.close()?;
        }
        wire::begin(answer, PASSED);
        wire::put(answer, self.exchanges);
        if kind == EXCHANGE {
            self.held.answer(from, answer)
        } else {
            self.held.changed(from, answer)
        }
        wire::end(answer);
        Ok(())
    }
}

/// Begins the request of an exchange; what a replica tells of its tables follows.
pub(super) fn exchange(message: &mut Vec<u8>, from: u32) {
    wire::begin(message, EXCHANGE);
    wire::put(message, from);
}

pub(super) fn join(message: &mut Vec<u8>, from: u32) {
    wire::begin(message, JOIN);
    wire::put(message, from);
    wire::end(message);
}

/// Reads an answer: how many exchanges there were, and by table what `read` reads.
///
/// # Errors
/// When it is damaged, or no answer.
pub(super) fn passed<'b>(
    message: &'b [u8],
    read: impl FnOnce(&mut Reader<'b>) -> Result<Vec<Records<'b>>>,
) -> Result<(u32, Vec<Records<'b>>)> {
    let (kind, mut reader) = Reader::open(message)?;
    if kind != PASSED {
        return Err(reader.bad(format!("is of kind {kind}, which is no answer of a centre")));
    }
    let now = reader.number("the number of an exchange")?;
    let told = read(&mut reader)?;
    reader.close()?;
    Ok((now, told))
}
