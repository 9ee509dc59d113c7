//! File descriptors: each connection takes one, and a process that has none left cannot answer the kubelet either.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the process needs beside the connections for reviews: those for health, files, sockets of its own.
const BESIDE: usize = 1024 + 128;

/// Raises this process's own limit as far as the system permits; gives how many of `wanted` connections for reviews that leaves
/// room for.
pub(super) fn room_for(wanted: usize) -> usize {
    let given = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: given.maximum, maximum: given.maximum };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => given.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays as it is");
            given.current
        }
    };
    let room = room(limit, wanted);
    if room < wanted {
        tracing::warn!(
            connections = room,
            "limits.maxConnections is {wanted}, and the limit of open files leaves room for fewer: raise it (ulimit -n)"
        );
    }
    room
}

/// `None` is no limit. A tight one is shared: what is kept back is half of it at most.
fn room(limit: Option<u64>, wanted: usize) -> usize {
    let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    wanted.min(limit - BESIDE.min(limit / 2)).max(1)
}

#[cfg(test)]
mod tests {
    use super::room;

    #[test]
    fn what_the_process_needs_beside_is_kept_back() {
        assert_eq!(room(None, 4096), 4096);
        assert_eq!(room(Some(1_048_576), 4096), 4096);
        assert_eq!(room(Some(4096), 4096), 4096 - 1152);
        assert_eq!(room(Some(1024), 4096), 512);
        assert_eq!(room(Some(0), 4096), 1);
    }
}
