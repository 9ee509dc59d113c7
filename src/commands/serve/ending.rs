//! The signals that end the server: the first one drains it, the second one ends it at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::http::Drain;

/// The signals, listened for since this was made.
pub(super) struct Ending {
    terminate: Signal,
    interrupt: Signal,
}

impl Ending {
    /// Listens from now on.
    pub(super) fn expect() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Begins the drain with the first signal.
    pub(super) async fn begins(mut self, drain: Drain) {
        self.next().await;
        drain.begin();
        self.next().await;
        tracing::warn!("asked a second time: ending at once");
        std::process::exit(1);
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
