//! Files that change under a running process.
//!
//! What is watched is the directory of each file: an editor renames a new file over the old one, and the kubelet swaps the link
//! `..data` beside the files that it mounts (Kubernetes, `pkg/volume/util/atomic_writer.go`); a watch on the file itself would
//! stay with the old one. Where no event comes (links to other directories, some network file systems), a look every two
//! seconds is the fallback.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// From one look to the next without an event.
const POLL: Duration = Duration::from_secs(2);
/// From an event to the look: who writes in several steps gets time for the last.
const SETTLE: Duration = Duration::from_millis(100);

/// The events of the directories of some files.
#[derive(Debug)]
pub(super) struct Changes {
    changed: Arc<Notify>,
    _events: Option<RecommendedWatcher>,
}

impl Changes {
    /// Begins to watch. Without events (no inotify instance is left, a directory is missing) only the fallback remains.
    pub(super) fn of(files: &[PathBuf]) -> Self {
        let changed = Arc::new(Notify::new());
        let events = events(files, Arc::clone(&changed))
            .inspect_err(|error| tracing::warn!("allow-list files: no events, looking every {POLL:?}: {error}"))
            .ok();
        Self { changed, _events: events }
    }

    /// Waits until it is time to look.
    pub(super) async fn next(&self) {
        if timeout(POLL, self.changed.notified()).await.is_ok() {
            sleep(SETTLE).await;
        }
    }
}

fn events(files: &[PathBuf], changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Our own reading makes events too.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            changed.notify_one();
        }
    })?;
    for directory in files.iter().map(|file| directory(file)).collect::<BTreeSet<_>>() {
        watcher.watch(directory, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

fn directory(file: &Path) -> &Path {
    file.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}
