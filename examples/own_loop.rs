//! # A loop of one's own
//!
//! Shows how to put a model and an update rule together by hand, on one thread: score, slope, backward.
//! `cargo run --release --example own_loop`
//!
//! # The task
//! Quantile regression over rows in memory. The quantiles learned are printed beside the true ones.
//!
//! # When no loop is needed
//! A loss of one's own trains on all threads without one: see `own_loss`. So does an update rule: see `own_rule`.
#![allow(clippy::print_stdout)] // simpler here than what the command does where nobody reads
use hogwild::{
    Plain,
    models::{Linear, Model, Row},
    rules::{Adagrad, Clock},
};

/// The pinball loss's slope: the minimiser is the conditional quantile (Koenker & Bassett 1978).
fn slope(quantile: f32, z: f32, y: f32) -> f32 {
    if z < y { -quantile } else { 1.0 - quantile }
}

fn main() {
    // y is uniform from 0 to 10 where feature 0 occurs, from 0 to 20 where feature 1 does.
    let examples: Vec<(Row, f32)> = (0..2000u32)
        .map(|i| {
            let feature = i % 2;
            let noise = (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32;
            (Row::new(&[(feature, 1.0)]), 10.0 * noise * (feature + 1) as f32)
        })
        .collect();
    for quantile in [0.1, 0.5, 0.9] {
        let model = Linear::new();
        let (mut weights, mut scratch) = (Plain::new(Adagrad::DEFAULT, 3, 0, 0), model.scratch(1));
        weights.set_clock(&Clock { rate: 0.5, ..Clock::default() });
        for _ in 0..20 {
            for (row, y) in &examples {
                let z = model.score(row, &mut weights, &mut scratch);
                model.backward(row, slope(quantile, z, *y), &mut weights, &mut scratch);
            }
        }
        let mut at = |feature| model.score(&Row::new(&[(feature, 1.0)]), &mut weights, &mut scratch);
        println!("quantile {quantile}: {:.2} (is {:.0}), {:.2} (is {:.0})", at(0), 10.0 * quantile, at(1), 20.0 * quantile);
    }
}
