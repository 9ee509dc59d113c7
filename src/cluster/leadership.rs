//! Whether this replica leads: the one that writes.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::metrics::Metrics;

/// Whether this replica leads, and until when that is certain. Clones share it.
#[derive(Clone)]
pub(super) struct Leadership {
    until: Arc<watch::Sender<Option<Instant>>>,
    metrics: Arc<Metrics>,
}

impl Leadership {
    /// Not yet.
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { until: Arc::new(watch::Sender::new(None)), metrics }
    }

    /// It leads until then, at least.
    pub(super) fn holds_until(&self, until: Instant) {
        self.metrics.leader.set(1);
        self.until.send_replace(Some(until));
    }

    /// It leads no longer.
    pub(super) fn lost(&self) {
        self.metrics.leader.set(0);
        self.until.send_replace(None);
    }

    /// Whether it leads now. To be asked right before each write: a process may have slept since the last answer.
    pub(super) fn holds(&self) -> bool {
        self.until.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Waits until it leads.
    pub(super) async fn gained(&self) {
        // An error says that the sender is gone, which `self` holds.
        let _ = self.until.subscribe().wait_for(|until| until.is_some_and(|until| Instant::now() < until)).await;
    }

    /// Waits until it leads no longer.
    pub(super) async fn ended(&self) {
        let _ = self.until.subscribe().wait_for(Option::is_none).await;
    }
}
