//! The word that the process is about to end, heard by every connection.

use std::sync::Arc;

use tokio::sync::watch;

/// Begins and observes draining; clones share one state. It never goes back.
#[derive(Clone, Debug)]
pub struct Drain {
    draining: Arc<watch::Sender<bool>>,
}

impl Drain {
    /// A drain that has not begun.
    pub fn new() -> Self {
        let (draining, _) = watch::channel(false);
        Self { draining: Arc::new(draining) }
    }

    /// From now on `/readyz` says no, and every answer carries `Connection: close`; saying it again changes nothing.
    pub fn begin(&self) {
        self.draining.send_replace(true);
    }

    /// Whether draining has begun.
    pub fn has_begun(&self) -> bool {
        *self.draining.borrow()
    }

    /// Waits until draining begins.
    pub async fn begun(&self) {
        // An error says that the sender is gone, which `self` holds.
        let _ = self.draining.subscribe().wait_for(|draining| *draining).await;
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}
