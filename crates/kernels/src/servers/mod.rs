//! Parameter servers: Downpour SGD (Dean et al., "Large Scale Distributed Deep Networks", NIPS 2012, section 4.1).
//!
//! Replicas train on their parts of the data and keep sums of their gradients. Every so many examples a replica pushes these sums to the
//! servers, where the rule takes a step by them; every so many it fetches what has changed there. Neither waits for anybody else's examples.
//! Each slot belongs to one of the servers, so that pushes to different servers go on side by side.
//!
//! [`Client`] is the replica's end and [`Server`] the other one. A [`Carrier`] brings requests and answers: here threads of one process
//! ([`Local`]). They hold numbers and slots alone, so that another carrier may bring them to another machine.
mod client;
mod local;
mod server;

use crate::{params::Changes, rules::Erased};
pub(crate) use client::{Client, Periods};
pub(crate) use local::Local;
pub(crate) use server::{Clients, Server};

/// The rule that servers step by, whatever it is.
pub struct ServerRule<'r>(pub(crate) Erased<'r>);

/// What a replica asks of a server. Changes are by table.
#[derive(Debug)]
pub(crate) enum Request {
    /// Step by the sums of the gradients of so many examples, at this learning rate.
    Push { rate: f32, examples: u64, tables: Vec<Changes> },
    /// Send what changed after push number `since`.
    Fetch { since: u32 },
}

/// What a server answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// To a push.
    Done,
    /// To a fetch: the slots that changed up to push number `now`, as they are.
    Changed { now: u32, tables: Vec<Changes> },
}

/// What carries requests to servers, and their answers.
pub(crate) trait Carrier: Send {
    /// How many servers there are.
    fn servers(&self) -> usize;
    /// Sends a request to a server, and waits for the answer.
    fn ask(&mut self, server: usize, request: Request) -> Answer;
}
