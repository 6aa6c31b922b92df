//! What several files of tests need: the command as a process, data made of text, runs and what is asked of them.
pub mod command;
pub mod data;
pub mod either_kind;
pub mod isa;
pub mod training;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until no other test that asks for this runs, and keeps them waiting for as long as the guard lives.
///
/// For tests that hold the loss of several workers against that of one, or against a known optimum. A worker that the system suspends
/// between load and store puts back an old value when it goes on. The more workers share a core, the more a run loses by it, and two
/// such tests at once double them.
pub fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed leaves nothing behind that the next one could see.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The middle one of three.
pub fn median(mut numbers: [f64; 3]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[1]
}
