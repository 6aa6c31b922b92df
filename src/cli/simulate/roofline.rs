//! The speed-up to expect, by a model: how long a nonzero takes at least, for all that it needs.
//!
//! - Each worker computes as fast as one worker alone, and waits for the lines that it gets from other cores, for several at once; or, of
//!   replicas, exchanges, which takes as long as it took here. All workers do so side by side.
//! - A line is in one place at a time, so the one that passes most passes one hand-over after the other. Replicas exchange one at a time.
//! - The packed data are read from memory, at the bandwidth of all cores.
//!
//! The longest of these is what a nonzero takes. What waits in queues, and what caches lose by many copies, is not in it.
use super::machine::Machine;
use crate::cli::bench::limit::Work;
use hogwild::Shared;
use serde_json::{Value, json};

/// Nanoseconds a nonzero, with all workers together.
pub struct Roofline {
    /// Of one worker alone.
    alone: f64,
    /// All workers' own work, side by side.
    pub compute: f64,
    /// What they wait for lines, side by side, or for exchanges of replicas.
    pub waiting: f64,
    /// The hottest line, or the centre, one after the other.
    pub in_turn: f64,
    /// Reading the data.
    pub reading: f64,
    replicas: bool,
}

impl Roofline {
    /// `alone`: nanoseconds a nonzero of one worker; `speeds`: how many times its speed all have together; `exchanged`: nanoseconds
    /// that all replicas exchange for each nonzero.
    pub fn new(
        machine: &Machine,
        work: &Work,
        alone: f64,
        workers: usize,
        speeds: f64,
        shared: Option<&Shared>,
        exchanged: Option<f64>,
    ) -> Option<Roofline> {
        let hand_over = 1e9 * machine.hand_over?;
        let (mut waiting, mut in_turn) = (0.0, 0.0);
        if let Some(shared) = shared {
            waiting = (shared.lines + shared.exchange_lines) * hand_over / machine.at_once / workers as f64;
            in_turn = shared.hottest_line * hand_over;
        }
        if let Some(exchanged) = exchanged {
            in_turn = exchanged;
            waiting = in_turn / workers as f64;
        }
        let reading = 1e9 * work.bytes as f64 / work.nonzeros.max(1) as f64 / machine.bandwidth;
        Some(Roofline { alone, compute: alone / speeds, waiting, in_turn, reading, replicas: exchanged.is_some() })
    }

    /// What a nonzero takes.
    pub fn nanoseconds(&self) -> f64 {
        (self.compute + self.waiting).max(self.in_turn).max(self.reading)
    }

    pub fn speedup(&self) -> f64 {
        self.alone / self.nanoseconds()
    }

    /// What binds it.
    pub fn binds(&self) -> &'static str {
        let together = self.compute + self.waiting;
        if self.reading >= together.max(self.in_turn) {
            return "bandwidth";
        }
        match (self.in_turn > together, self.waiting > self.compute, self.replicas) {
            (false, false, _) => "compute",
            (true, _, false) => "hottest line",
            (false, true, false) => "hand-over",
            (_, _, true) => "exchange",
        }
    }

    pub fn json(&self) -> Value {
        json!({
            "speedup": self.speedup(), "binds": self.binds(), "compute_ns": self.compute, "waiting_ns": self.waiting,
            "in_turn_ns": self.in_turn, "reading_ns": self.reading,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roofline(compute: f64, waiting: f64, in_turn: f64, reading: f64, replicas: bool) -> (f64, &'static str) {
        let roofline = Roofline { alone: 8.0, compute, waiting, in_turn, reading, replicas };
        (roofline.speedup(), roofline.binds())
    }

    #[test]
    fn the_longest_binds() {
        assert_eq!(roofline(1.0, 1.0, 0.5, 0.5, false), (4.0, "compute"));
        assert_eq!(roofline(1.0, 3.0, 0.5, 0.5, false), (2.0, "hand-over"));
        assert_eq!(roofline(1.0, 1.0, 16.0, 0.5, false), (0.5, "hottest line"));
        assert_eq!(roofline(1.0, 1.0, 0.5, 4.0, false), (2.0, "bandwidth"));
        assert_eq!(roofline(1.0, 3.0, 0.5, 0.5, true), (2.0, "exchange"));
        assert_eq!(roofline(1.0, 1.0, 4.0, 0.5, true), (2.0, "exchange"));
    }
}
