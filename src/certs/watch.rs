//! Watching certificate files for their next version.
//!
//! What is watched is the directory: the kubelet never writes into a mounted file, it swaps the link `..data` beside
//! it (Kubernetes, `pkg/volume/util/atomic_writer.go`), and a watch on the file would stay with the old one. Where no
//! event comes (some network file systems), a look every minute is the fallback.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    files::{Files, Text},
    served::Served,
};

/// A look without an event.
const POLL: Duration = Duration::from_mins(1);
/// From the first event to the look: those who write two files one after the other get time for the second.
const SETTLE: Duration = Duration::from_millis(100);

/// A running watch; it ends on drop.
#[derive(Debug)]
pub(super) struct Watch {
    _events: Option<RecommendedWatcher>,
    looking: JoinHandle<()>,
}

impl Watch {
    /// Brings each new version of `files`, other than `seen`, to `served`.
    pub(super) fn start(files: Files, seen: Text, served: Arc<Served>) -> Self {
        let changed = Arc::new(Notify::new());
        let events = events(&files, Arc::clone(&changed))
            .inspect_err(|error| tracing::warn!(%error, "certificate files: no events, looking every {POLL:?}"))
            .ok();
        // What changed since `seen` was read and before the watch began makes no event.
        changed.notify_one();
        Self { _events: events, looking: tokio::spawn(look(files, seen, served, changed)) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

fn events(files: &Files, changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Reading the files is an event too.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            changed.notify_one();
        }
    })?;
    for directory in [&files.certificate, &files.key].map(|file| directory(file)).into_iter().collect::<BTreeSet<_>>() {
        watcher.watch(&directory, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

fn directory(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

async fn look(files: Files, mut seen: Text, served: Arc<Served>, changed: Arc<Notify>) {
    loop {
        if timeout(POLL, changed.notified()).await.is_ok() {
            sleep(SETTLE).await;
        }
        let text = match files.read() {
            Ok(text) if text == seen => continue,
            Ok(text) => text,
            Err(error) => {
                served.renew(Err(error));
                continue;
            }
        };
        served.renew(files.leaf(&text));
        seen = text;
    }
}
