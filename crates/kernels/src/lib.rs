//! All that hogwild does once an example: losses, update rules, models, shared parameters, and the workers that go through an epoch.
//!
//! Whatever is compiled for each rule and instruction set is in this crate, so that a change elsewhere compiles none of it again. Of
//! an example's way: a [`feed`] reads it, a [`models`] kernel scores it by the [`params`], a [`loss`] gives the slope, a [rule](rules) the
//! step. An [`engine`] sends the workers.
//!
//! An inner part of `hogwild`, whose `lib.rs` chooses what of it users see.
#![deny(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(dead_code, unused_imports))]

pub mod batch;
pub mod engine;
mod exchange;
pub use exchange::{Parallel, part_due};
pub mod feed;
pub mod gate;
pub mod loss;
pub mod models;
pub mod order;
pub mod params;
pub mod rules;
pub mod schedule;
pub mod seeds;
pub mod servers;
pub use servers::ServerRule;
pub mod simd;
mod strata;
pub use strata::Bands;
pub mod targets;
pub mod transforms;
mod wire;
