//! When a watch last heard from the API server.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;

/// The last word of one watch, readable at any time.
#[derive(Debug)]
pub(super) struct Heard {
    /// Milliseconds since the epoch; [`NEVER`] before the first complete list.
    at: AtomicI64,
    resource_version: AtomicU64,
    restarts: AtomicU64,
}

const NEVER: i64 = i64::MIN;

impl Default for Heard {
    fn default() -> Self {
        Self { at: AtomicI64::new(NEVER), resource_version: AtomicU64::new(0), restarts: AtomicU64::new(0) }
    }
}

impl Heard {
    /// When the last word came; `None` before the first complete list.
    pub(super) fn at(&self) -> Option<Timestamp> {
        // Acquire: who sees the first word sees the facts that were swapped in before it.
        Timestamp::from_millisecond(self.at.load(Ordering::Acquire)).ok()
    }

    /// The highest resource version seen, 0 before the first. Source: KEP-5504 (comparable from Kubernetes 1.35 on, and
    /// integers in practice before).
    pub(super) fn resource_version(&self) -> u64 {
        self.resource_version.load(Ordering::Relaxed)
    }

    /// How often the watch started over with a list.
    pub(super) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Notes a word.
    pub(super) fn note(&self, resource_version: &str, at: Timestamp) {
        self.resource_version.fetch_max(resource_version.parse().unwrap_or(0), Ordering::Relaxed);
        self.at.store(at.as_millisecond(), Ordering::Release);
    }

    /// Notes a new start.
    pub(super) fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }
}
