//! A stack of its own for the engine: it recurses over rules and values, and no depth of theirs may end the process.

use std::thread::Builder;

/// Room for the deepest chain of rules that a policy of the longest permitted text can have. Only what is used takes memory.
const BYTES: usize = 256 * 1024 * 1024;

/// Runs `work` on a thread with that much stack and waits for it; `None` if it panicked or there is no thread to be had.
pub(super) fn of_its_own<R: Send>(work: impl FnOnce() -> R + Send) -> Option<R> {
    std::thread::scope(|scope| {
        let thread = Builder::new().name("policy".to_owned()).stack_size(BYTES).spawn_scoped(scope, work).ok()?;
        thread.join().ok()
    })
}
