//! What the evaluation of one policy may take, imposed by the process on itself before it reads the policy.

use std::process::exit;
use std::thread::{self, Builder};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

/// How long all questions to a policy may take together. Policies of generators need some 30 ms on a core of their own.
pub const LONGEST: Duration = Duration::from_secs(2);
/// Memory, in bytes, beside [`STACK`]. The policies of generators take some 5 MB, and the longest that are parsed 20.
pub const MEMORY: usize = 96 * 1024 * 1024;
/// The stack, in bytes: room for a chain of some ten thousand rules. Only what is used takes memory.
pub const STACK: usize = 32 * 1024 * 1024;
/// How many policies are evaluated at a time.
pub const AT_A_TIME: usize = 2;
/// The longest answer that is read, in bytes: `policy_data` is the longest, and no generator computes it.
pub const LONGEST_ANSWER: usize = 1024 * 1024;

/// How the process ends when [`LONGEST`] has passed.
pub(super) const TOO_LONG: i32 = 3;

/// Bounds this process for the rest of its life.
///
/// # Errors
/// When the system does not let it: nothing must be evaluated then.
pub(super) fn impose() -> std::io::Result<()> {
    // Writable memory of any kind counts, the stack of a thread too.
    limit(Resource::Data, MEMORY + STACK)?;
    // Should the thread below not get its turn.
    limit(Resource::Cpu, usize::try_from(LONGEST.as_secs()).unwrap_or(1) + 1)?;
    limit(Resource::Core, 0)?;
    let watch = || {
        thread::sleep(LONGEST);
        exit(TOO_LONG)
    };
    Builder::new().name("clock".to_owned()).stack_size(64 * 1024).spawn(watch)?;
    Ok(())
}

fn limit(resource: Resource, most: usize) -> std::io::Result<()> {
    let most = u64::try_from(most).ok();
    Ok(setrlimit(resource, Rlimit { current: most, maximum: most })?)
}
