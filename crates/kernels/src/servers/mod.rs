//! Parameter servers: Downpour SGD (Dean et al., "Large Scale Distributed Deep Networks", NIPS 2012, section 4.1).
//!
//! Replicas train on their parts of the data and keep sums of their gradients. Every so many examples a replica pushes these sums to the
//! servers, where the rule takes a step by them; every so many it fetches what has changed there. Neither waits for anybody else's examples.
//! Each slot belongs to one of the servers, so that pushes to different servers go on side by side.
//!
//! Replicas that exchange with a centre may do so by messages, too: [`Centre`] is such a server, and `Member` the replica's end of it.
//!
//! Of Downpour, `Client` is the replica's end and `Server` the other one, a [`Shard`]. What passes between them are bytes (`requests`), which a
//! [`Carrier`] brings: here from thread to thread ([`Threads`]). A client writes them straight from its table and a server steps by them
//! where they lie.
mod carrier;
mod centre;
#[cfg(test)]
mod centre_tests;
mod client;
mod member;
mod requests;
mod server;
#[cfg(test)]
mod tests;
mod threads;

use crate::rules::Erased;
pub use carrier::{Carrier, Shard, Ticket};
pub use centre::Centre;
pub(crate) use client::{Client, Periods};
pub(crate) use member::Member;
pub(crate) use server::{Clients, Server};
use std::time::Duration;
pub use threads::Threads;

/// How long a server is waited for. In one process it is free as soon as whoever has it is done: more than a minute is a fault.
const WAIT: Duration = Duration::from_secs(60);

/// The rule that servers step by, whatever it is.
pub struct ServerRule<'r>(pub(crate) Erased<'r>);
