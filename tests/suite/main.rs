//! All integration tests as one binary, so that the library is linked once and its generic code is compiled for them once.
//!
//! A module is a subject; `cargo test --release --test suite agree::` runs the tests of one. `support` has what several of them need,
//! `oracle` the batch by the letter that synchronous training is held against.
mod oracle;
mod support;

mod agree;
mod batches;
mod bench;
mod cache;
mod classes;
mod cli;
mod columns;
mod compressed;
mod crosses;
mod damaged;
mod dash;
mod defaults;
mod downpour;
mod every;
mod examples;
mod export;
mod faults;
mod fm;
mod follow;
mod foreign;
mod foretold;
mod formats;
mod golden;
mod losses;
mod memory;
mod normalize;
mod numbers;
mod optimum;
mod order;
mod outputs;
mod pack;
mod partitioned;
mod predict;
mod quads;
mod rate_search;
mod record;
mod replicas;
mod rows;
mod simulate;
mod snapshots;
mod softmax;
mod stopping;
mod synth;
mod tables;
mod threads;
mod told;
mod trainer;
mod transforms;
mod weights;
mod window;
mod words;
