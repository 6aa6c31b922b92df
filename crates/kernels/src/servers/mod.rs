//! Parameter servers: Downpour SGD (Dean et al., "Large Scale Distributed Deep Networks", NIPS 2012, section 4.1).
//!
//! Replicas train on their parts of the data and keep sums of their gradients. Every so many examples a replica pushes these sums to the
//! servers, where the rule takes a step by them; every so many it fetches what has changed there. Neither waits for anybody else's examples.
//! Each slot belongs to one of the servers, so that pushes to different servers go on side by side.
//!
//! `Client` is the replica's end and `Server` the other one, a [`Shard`]. What passes between them are bytes (`requests`), which a
//! [`Carrier`] brings: here from thread to thread ([`Threads`]). A client writes them straight from its table and a server steps by them
//! where they lie.
mod carrier;
mod client;
mod requests;
mod server;
#[cfg(test)]
mod tests;
mod threads;

use crate::rules::Erased;
pub use carrier::{Carrier, Shard, Ticket};
pub(crate) use client::{Client, Periods};
pub(crate) use server::{Clients, Server};
pub use threads::Threads;

/// The rule that servers step by, whatever it is.
pub struct ServerRule<'r>(pub(crate) Erased<'r>);
