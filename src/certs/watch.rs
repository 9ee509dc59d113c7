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

use super::leaf::CertError;

/// A look without an event.
const POLL: Duration = Duration::from_mins(1);
/// From the first event to the look: those who write two files one after the other get time for the second.
const SETTLE: Duration = Duration::from_millis(100);

/// Files with one meaning together, which somebody wants to have each new version of.
pub(super) trait Followed: Send + 'static {
    /// What they say; equal text is not brought again.
    type Text: PartialEq + Send;

    /// Where they are.
    fn paths(&self) -> Vec<&Path>;

    /// Reads them.
    fn read(&self) -> Result<Self::Text, CertError>;

    /// Puts a new version in force; if it cannot be read or used, keeps what is and says so.
    fn renew(&self, text: Result<&Self::Text, CertError>);
}

/// A running watch; it ends on drop.
#[derive(Debug)]
pub(super) struct Watch {
    _events: Option<RecommendedWatcher>,
    looking: JoinHandle<()>,
}

impl Watch {
    /// Brings each new version of the files, other than `seen`, to who wants it.
    pub(super) fn start<F: Followed>(files: F, seen: F::Text) -> Self {
        let changed = Arc::new(Notify::new());
        let events = events(&files.paths(), Arc::clone(&changed))
            .inspect_err(|error| tracing::warn!(%error, "certificate files: no events, looking every {POLL:?}"))
            .ok();
        // What changed since `seen` was read and before the watch began makes no event.
        changed.notify_one();
        Self { _events: events, looking: tokio::spawn(look(files, seen, changed)) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

fn events(files: &[&Path], changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Reading the files is an event too.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            changed.notify_one();
        }
    })?;
    for directory in files.iter().map(|file| directory(file)).collect::<BTreeSet<_>>() {
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

async fn look<F: Followed>(files: F, mut seen: F::Text, changed: Arc<Notify>) {
    loop {
        if timeout(POLL, changed.notified()).await.is_ok() {
            sleep(SETTLE).await;
        }
        let text = match files.read() {
            Ok(text) if text == seen => continue,
            Ok(text) => text,
            Err(error) => {
                files.renew(Err(error));
                continue;
            }
        };
        files.renew(Ok(&text));
        seen = text;
    }
}
