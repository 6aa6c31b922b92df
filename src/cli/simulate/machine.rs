//! What the speed-up is foretold by: how long a cache line takes from core to core, how many lines a core waits for at once, and how fast all
//! cores read from memory. All are measured on this machine as `bench` does, but for what the user tells of another one.
use crate::cli::bench::{
    array::{Array, READING, best, cores, handover, read, together},
    machine::Caches,
};
use serde_json::{Value, json};
use std::sync::atomic::AtomicBool;

/// Bytes that are read to measure the bandwidth: more than caches hold.
const BYTES: usize = 256 << 20;
/// Bytes of an array of random lines, at most; it is to be in the last cache.
const RANDOM: usize = 16 << 20;

/// How often a hand-over is measured: beside others that use the machine two threads seldom run at once.
const LOOKS: usize = 4;

pub struct Machine {
    /// Seconds that a line takes; None where there is one core, and nobody has told.
    pub hand_over: Option<f64>,
    /// Lines that a core waits for at once: how many times as fast it reads random lines whose places it knows ahead.
    pub at_once: f64,
    /// Bytes a second.
    pub bandwidth: f64,
    cores: usize,
    told: [bool; 2],
}

impl Machine {
    /// `hand_over` in nanoseconds and `bandwidth` in gigabytes a second are taken as told.
    pub fn measure(hand_over: Option<f64>, bandwidth: Option<f64>, stop: &AtomicBool) -> anyhow::Result<Machine> {
        let (cores, told) = (cores(), [hand_over.is_some(), bandwidth.is_some()]);
        let hand_over = match hand_over {
            Some(nanoseconds) => Some(1e-9 * nanoseconds),
            None if cores > 1 => Some((0..LOOKS).try_fold(f64::INFINITY, |least, _| anyhow::Ok(handover(2, stop)?.min(least)))?),
            None => None,
        };
        let bandwidth = match bandwidth {
            Some(gigabytes) => 1e9 * gigabytes,
            None => {
                let numbers = vec![1u64; BYTES / size_of::<u64>()];
                best(READING, stop, |take| together(cores, take, |worker, until| read(&numbers, worker, cores, until)))?
            }
        };
        let random = Array::new(RANDOM.min(Caches::here().last / 2), stop)?.random(1, stop)?;
        let at_once = (random.independent / random.dependent).max(1.0);
        Ok(Machine { hand_over, at_once, bandwidth, cores, told })
    }

    pub fn json(&self) -> Value {
        let [hand_over_told, bandwidth_told] = self.told;
        json!({
            "cores": self.cores, "hand_over_ns": self.hand_over.map(|seconds| 1e9 * seconds), "hand_over_told": hand_over_told,
            "lines_at_once": self.at_once,
            "bandwidth_bytes_per_second": self.bandwidth, "bandwidth_told": bandwidth_told,
        })
    }

    pub fn text(&self) -> String {
        let how = |told: bool| if told { "as told" } else { "measured here" };
        let hand_over = self.hand_over.map_or("unknown; give --hand-over".into(), |seconds| format!("{:.0} ns", 1e9 * seconds));
        let [of_lines, of_reading] = self.told.map(how);
        let (at_once, gigabytes) = (self.at_once, self.bandwidth / 1e9);
        format!("hand-over of a line {hand_over} ({of_lines}), {at_once:.1} at once, {gigabytes:.1} GB/s ({of_reading})")
    }
}
