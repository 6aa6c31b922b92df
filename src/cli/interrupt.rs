//! Ctrl-C: work that looks at the flag ends in its own good time; anything else ends at once, with exit code 130.
use std::sync::{
    Once,
    atomic::{AtomicBool, Ordering::Relaxed},
};

static STOP: AtomicBool = AtomicBool::new(false);
/// Whether something is running that looks at `STOP`.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// Runs work that is to end soon after the flag it is given is set.
pub fn watched<T>(work: impl FnOnce(&'static AtomicBool) -> T) -> T {
    static HANDLER: Once = Once::new();
    // Where no handler can be set, Ctrl-C ends the program as the system does.
    HANDLER.call_once(|| {
        let _ = ctrlc::set_handler(|| {
            STOP.store(true, Relaxed);
            if !WATCHED.load(Relaxed) {
                std::process::exit(130);
            }
        });
    });
    WATCHED.store(true, Relaxed);
    let done = work(&STOP);
    WATCHED.store(false, Relaxed);
    done
}
