//! The threads that serve.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// A runtime for the server: half as many threads as there are processors for this process, at least one. A review takes them tens of
/// microseconds, so that one thread answers thousands a second; what takes longer (large reviews, policies seen for the first time)
/// is judged on threads of its own, for which the other half is there.
///
/// # Errors
/// When the system gives no threads.
pub fn runtime() -> io::Result<Runtime> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread().worker_threads(processors.div_ceil(2)).enable_all().build()
}
