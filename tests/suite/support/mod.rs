//! What several files of tests need: the command as a process, data made of text, runs and what is asked of them.
pub mod command;
pub mod data;
pub mod either_kind;
pub mod isa;
pub mod training;

use std::{
    cell::Cell,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

static TURN: RwLock<()> = RwLock::new(());
thread_local! {
    /// Whether this thread has a turn already: none is asked for within another.
    static HAS_TURN: Cell<bool> = const { Cell::new(false) };
}

/// A turn, until it is dropped.
pub struct Turn(#[allow(dead_code)] Held);

#[allow(dead_code)]
enum Held {
    Alone(RwLockWriteGuard<'static, ()>),
    Shared(RwLockReadGuard<'static, ()>),
    Already,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !matches!(self.0, Held::Already) {
            HAS_TURN.set(false);
        }
    }
}

/// Waits until no other test trains or runs the command, and keeps them waiting for as long as the turn lives.
///
/// For tests that hold the loss of several workers against that of one, or against a known optimum. A worker that the system suspends
/// between load and store puts back an old value when it goes on. The more workers share a core, the more a run loses by it.
pub fn alone() -> Turn {
    // A test that failed leaves nothing behind that the next one could see.
    let turn = TURN.write().unwrap_or_else(PoisonError::into_inner);
    HAS_TURN.set(true);
    Turn(Held::Alone(turn))
}

/// Waits until no test is [`alone`]: what trains, or runs the command, does so.
pub fn shared() -> Turn {
    if HAS_TURN.get() {
        return Turn(Held::Already);
    }
    let turn = TURN.read().unwrap_or_else(PoisonError::into_inner);
    HAS_TURN.set(true);
    Turn(Held::Shared(turn))
}
