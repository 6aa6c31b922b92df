//! Ctrl-C, and a terminal that is closed: work that looks at the flag ends in its own good time; anything else ends at once, with exit
//! code 130. So does everything at a second Ctrl-C.
use std::sync::{
    Once,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Work has ended because of the flag: `main` says so, and ends with exit code 130. With what is to be said behind the word.
#[derive(Debug, thiserror::Error)]
#[error("interrupted{0}")]
pub struct Interrupted(pub &'static str);

static STOP: AtomicBool = AtomicBool::new(false);
/// Whether something is running that looks at `STOP`.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// Runs work that is to end soon after the flag it is given is set.
pub fn watched<T>(work: impl FnOnce(&'static AtomicBool) -> T) -> T {
    static HANDLER: Once = Once::new();
    HANDLER.call_once(handle);
    WATCHED.store(true, Relaxed);
    let done = work(&STOP);
    WATCHED.store(false, Relaxed);
    done
}

/// Called for each signal. Some come twice from one cause: a terminal that closes tells the shell, which tells its jobs again.
fn stop(comes_twice: bool) {
    let again = STOP.swap(true, Relaxed);
    if !WATCHED.load(Relaxed) || again && !comes_twice {
        std::process::exit(130);
    }
}

/// Begins to listen. Where no thread is to be had for that, Ctrl-C ends the program as the system does.
#[cfg(unix)]
fn handle() {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };
    let (ready, begun) = std::sync::mpsc::channel();
    let listen = move || {
        // Registered by the thread that hears them: without it they would be swallowed.
        let signals = Signals::new([SIGHUP, SIGINT, SIGTERM]);
        let _ = ready.send(()); // the other end waits for it
        if let Ok(mut signals) = signals {
            signals.forever().for_each(|signal| stop(signal == SIGHUP));
        }
    };
    if std::thread::Builder::new().name("signals".into()).spawn(listen).is_ok() {
        let _ = begun.recv();
    }
}

#[cfg(not(unix))]
fn handle() {
    let _ = ctrlc::set_handler(|| stop(false));
}
