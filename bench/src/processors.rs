//! Which processors the two sides of a load have: the generator the last one, the servers the others.
//!
//! Why: where the system chooses, it puts both on one processor now and then, and a server that is parted is not slowed by its load.

use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::io::Errno;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::servers::Server;

/// Keeps the sides apart while it lives; on a single processor there is nothing to part.
pub(crate) struct Parted {
    before: CpuSet,
}

impl Parted {
    /// Moves the servers as they are, and this thread with the generators that it starts from now on.
    pub(crate) fn from<'a>(servers: impl IntoIterator<Item = &'a Server>) -> Result<Self> {
        let before = sched_getaffinity(None).context("cannot ask for the processors")?;
        let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|processor| before.is_set(*processor)).collect();
        if let [others @ .., last] = &*all
            && !others.is_empty()
        {
            let others = set(others);
            for server in servers {
                // Those that these start stay where they are.
                for thread in server.threads()?.iter().filter_map(|folder| id(folder)) {
                    match sched_setaffinity(Some(thread), &others) {
                        // An idle thread may have ended meanwhile.
                        Ok(()) | Err(Errno::SRCH) => {}
                        Err(error) => return Err(error).context("cannot move a server"),
                    }
                }
            }
            sched_setaffinity(None, &set(&[*last])).context("cannot move the load generator")?;
        }
        Ok(Self { before })
    }
}

impl Drop for Parted {
    fn drop(&mut self) {
        // What it was before is permitted still.
        let _ = sched_setaffinity(None, &self.before);
    }
}

fn set(processors: &[usize]) -> CpuSet {
    let mut set = CpuSet::new();
    for processor in processors {
        set.set(*processor);
    }
    set
}

fn id(thread: &Path) -> Option<Pid> {
    Pid::from_raw(thread.file_name()?.to_str()?.parse().ok()?)
}
