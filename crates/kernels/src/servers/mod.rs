//! Parameter servers: Downpour SGD (Dean et al., "Large Scale Distributed Deep Networks", NIPS 2012, section 4.1).
//!
//! Replicas train on their parts of the data and keep sums of their gradients. Every so many examples a replica pushes these sums to the
//! servers, where the rule takes a step by them; every so many it fetches what has changed there. Neither waits for anybody else's examples.
//! Each slot belongs to one of the servers, so that pushes to different servers go on side by side.
//!
//! [`Client`] is the replica's end and [`Server`] the other one. What passes between them is bytes (see `message`), by a [`Carrier`]: here
//! threads of one process ([`Local`]). Another carrier may bring the same bytes to another machine.
mod client;
mod local;
mod message;
mod server;

use crate::rules::Erased;
pub(crate) use client::{Client, Periods};
pub(crate) use local::Local;
pub(crate) use server::Server;

/// The rule that servers step by, whatever it is.
pub struct ServerRule<'r>(pub(crate) Erased<'r>);

/// What carries requests to servers, and their answers.
pub(crate) trait Carrier: Send {
    /// How many servers there are.
    fn servers(&self) -> usize;
    /// Sends a request to a server. Several may be under way; a server takes those of one replica in their order.
    fn ask(&mut self, server: usize, request: Vec<u8>);
    /// Waits for a server's next answer.
    fn answer(&mut self, server: usize) -> Vec<u8>;
}
