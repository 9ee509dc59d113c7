//! The accept loop, and the end of it: serve, drain, finish.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::Router;
use futures::FutureExt as _;
use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{connection::Line, drain::Drain, limits::Limits, pace::Full, tls::Tls};
use crate::metrics::{Listener, ListenerLabels, Metrics};

/// How long to wait when the process is out of file descriptors, which is what makes `accept` fail.
const AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(100);

/// A listener and what happens to those who come.
pub(super) struct Door {
    pub(super) listener: TcpListener,
    /// None for plain HTTP.
    pub(super) tls: Option<Tls>,
    pub(super) routes: Router,
    pub(super) limits: Arc<Limits>,
    pub(super) metrics: Arc<Metrics>,
    /// Under which name its connections are counted.
    pub(super) name: Listener,
    pub(super) drain: Drain,
}

impl Door {
    /// Serves until the drain has begun and its time is over, then finishes or cuts what is in flight.
    pub(super) async fn serve(self) {
        let Self { listener, tls, routes, limits, metrics, name, drain } = self;
        let (close, closing) = watch::channel(false);
        let open = metrics.connections.get_or_create_owned(&ListenerLabels { listener: name });
        let full = Full::default();
        let line = Line { tls, routes, limits: Arc::clone(&limits), metrics, drain: drain.clone(), full, closing };
        let mut crowd = Crowd::new(line, open, limits.connections);
        tokio::select! {
            never = crowd.welcome(&listener) => match never {},
            () = drained(&drain, limits.drain) => {}
        }
        crowd.welcome_last(&listener);
        drop(listener);
        close.send_replace(true);
        crowd.finish(limits.finish).await;
    }
}

async fn drained(drain: &Drain, time: Duration) {
    drain.begun().await;
    tracing::info!(?time, "draining: serving on, with Connection: close");
    sleep(time).await;
}

/// The connections of a listener, bounded in number.
struct Crowd {
    line: Line,
    open: Gauge,
    free: Arc<Semaphore>,
    connections: JoinSet<()>,
}

impl Crowd {
    fn new(line: Line, open: Gauge, most: usize) -> Self {
        let free = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { line, open, free, connections: JoinSet::new() }
    }

    /// Accepts for ever, each time that there is a place.
    async fn welcome(&mut self, listener: &TcpListener) -> Infallible {
        loop {
            while self.connections.try_join_next().is_some() {}
            // The semaphore is never closed.
            self.line.full.set(self.free.available_permits() == 0);
            let Ok(place) = Arc::clone(&self.free).acquire_owned().await else {
                continue;
            };
            self.line.full.set(false);
            match listener.accept().await {
                Ok((socket, _)) => self.seat(socket, place),
                Err(error) => wait_after(&error).await,
            }
        }
    }

    /// Accepts who stands in the backlog already: closing the listener would reset them.
    fn welcome_last(&mut self, listener: &TcpListener) {
        while let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            let Some(Ok((socket, _))) = listener.accept().now_or_never() else {
                return;
            };
            self.seat(socket, place);
        }
    }

    fn seat(&mut self, socket: TcpStream, place: OwnedSemaphorePermit) {
        let line = self.line.clone();
        let counted = Counted::new(&self.open);
        self.connections.spawn(async move {
            let _held = (place, counted);
            line.serve(socket).await;
        });
    }

    async fn finish(mut self, time: Duration) {
        let all = async { while self.connections.join_next().await.is_some() {} };
        if timeout(time, all).await.is_err() {
            tracing::warn!(left = self.connections.len(), ?time, "cutting connections that did not finish in time");
        }
        self.connections.shutdown().await;
    }
}

/// One connection in the gauge, for as long as it lives.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

async fn wait_after(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    sleep(AFTER_ACCEPT_ERROR).await;
}
