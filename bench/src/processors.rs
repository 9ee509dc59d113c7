//! Which processors the two sides of a load have: the generator the last one, the servers the others.
//!
//! Why: where the system chooses, it puts both on one processor now and then, and a round more or less of that moved the ratios of
//! a run by a fifth.

use std::fs;

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
                for thread in threads(server)? {
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

/// The threads that a server has; those that they start stay where these are.
fn threads(server: &Server) -> Result<Vec<Pid>> {
    let folder = fs::read_dir(format!("/proc/{}/task", server.id())).context("cannot list the threads of a server")?;
    let id = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_str().and_then(|name| name.parse().ok()));
    let ids: Vec<Option<i32>> = folder.map(id).collect::<Result<_>>()?;
    Ok(ids.into_iter().flatten().filter_map(Pid::from_raw).collect())
}
