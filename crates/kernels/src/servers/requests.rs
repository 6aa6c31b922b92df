//! What replicas ask of servers, and what those answer: messages of [`wire`], with sections of tables.
use crate::{
    params::{Owned, Parameters, Section},
    wire::{self, Reader},
};
use hogwild_base::Result;

const PUSH: u32 = 1;
const FETCH: u32 = 2;
const DONE: u32 = 3;
const CHANGED: u32 = 4;

/// What a replica asks of a server. Sections are by table.
pub(super) enum Request<'b> {
    /// Step by the sums of the gradients of so many examples, at this learning rate.
    Push { rate: f32, examples: u64, sections: Vec<Section<'b>> },
    /// Send what push number `from` or a later one changed; 0: all.
    Fetch { from: u32 },
}

/// What a server answers.
pub(super) enum Answer<'b> {
    /// To a push.
    Done,
    /// To a fetch: the slots that changed up to push number `now`, as they are.
    Changed { now: u32, sections: Vec<Section<'b>> },
}

/// Begins a push; its sections follow.
pub(super) fn push(message: &mut Vec<u8>, rate: f32, examples: u64) {
    wire::begin(message, PUSH);
    wire::put(message, rate.to_bits());
    message.extend_from_slice(&examples.to_le_bytes());
}

pub(super) fn fetch(message: &mut Vec<u8>, from: u32) {
    wire::begin(message, FETCH);
    wire::put(message, from);
    wire::end(message);
}

pub(super) fn done(message: &mut Vec<u8>) {
    wire::begin(message, DONE);
    wire::end(message);
}

/// Begins the answer to a fetch; its sections follow.
pub(super) fn changed(message: &mut Vec<u8>, now: u32) {
    wire::begin(message, CHANGED);
    wire::put(message, now);
}

/// Reads a request for a server.
///
/// # Errors
/// When it is damaged, no request, or of other parameters.
pub(super) fn request<'b>(message: &'b [u8], parameters: &Parameters, owned: Owned) -> Result<Request<'b>> {
    let (kind, mut reader) = Reader::open(message)?;
    let request = match kind {
        PUSH => {
            let (rate, examples) = (reader.real("a learning rate")?, reader.long("the number of examples")?);
            if !(rate.is_finite() && rate >= 0.0) {
                return Err(reader.bad(format!("has {rate} for a learning rate")));
            }
            Request::Push { rate, examples, sections: sections(&mut reader, parameters, owned)? }
        }
        FETCH => Request::Fetch { from: reader.number("the number of a push")? },
        other => return Err(reader.bad(format!("is of kind {other}, which is no request"))),
    };
    reader.close()?;
    Ok(request)
}

/// Reads the answer of a server.
///
/// # Errors
/// When it is damaged, no answer, or of other parameters.
pub(super) fn answer<'b>(message: &'b [u8], parameters: &Parameters, owned: Owned) -> Result<Answer<'b>> {
    let (kind, mut reader) = Reader::open(message)?;
    let answer = match kind {
        DONE => Answer::Done,
        CHANGED => Answer::Changed { now: reader.number("the number of a push")?, sections: sections(&mut reader, parameters, owned)? },
        other => return Err(reader.bad(format!("is of kind {other}, which is no answer"))),
    };
    reader.close()?;
    Ok(answer)
}

fn sections<'b>(reader: &mut Reader<'b>, parameters: &Parameters, owned: Owned) -> Result<Vec<Section<'b>>> {
    parameters.tables().map(|table| Section::open(reader, table, owned)).collect()
}
