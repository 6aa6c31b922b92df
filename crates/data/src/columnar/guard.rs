//! The crates that decode columns panic on some damaged files. Here that is an error as any other, and nothing is printed.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread's panics are caught here.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Does work on what a file says. What it held is not to be used any more where it fails.
///
/// The process' hook for panics is asked as before; but for those that are caught here.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                before(panic);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    outcome.unwrap_or_else(|panic| {
        let told = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        let first = told.and_then(|told| told.lines().next()).unwrap_or("no reason is given");
        Err(format!("it cannot be decoded ({first})"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_become_errors() {
        let numbers: Vec<u32> = Vec::new();
        let told = guarded(|| Ok(numbers[3])).unwrap_err();
        assert!(told.contains("index out of bounds") && !GUARDED.get(), "{told}");
        assert_eq!(guarded(|| guarded(|| Ok(1)).and_then(|one| if GUARDED.get() { Ok(one) } else { Err("".into()) })), Ok(1));
    }
}
