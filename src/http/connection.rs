//! One connection: handshake, then HTTP/1.1 requests until either side ends it.

use std::{
    convert::Infallible,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, Response, header},
};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::{Instant, timeout},
};
use tower::ServiceExt as _;

use super::{
    drain::Drain,
    limits::Limits,
    pace::{Full, Pace, Paced},
    tls::Tls,
};
use crate::certs::Stranger;
use crate::metrics::Metrics;

/// What every connection of a listener shares.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) tls: Option<Tls>,
    pub(super) routes: Router,
    pub(super) limits: Arc<Limits>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) drain: Drain,
    /// Whether the listener has no place left.
    pub(super) full: Full,
    /// Turns true when the drain time is over: idle connections close, busy ones after their answer.
    pub(super) closing: watch::Receiver<bool>,
}

impl Line {
    /// Serves one connection to its end.
    pub(super) async fn serve(self, socket: TcpStream) {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "connection without TCP_NODELAY");
        }
        let Some(tls) = &self.tls else {
            return self.speak(socket, None).await;
        };
        let cause = match timeout(self.limits.handshake, tls.accept(socket)).await {
            Ok(Ok((stream, stranger))) => return self.speak(stream, stranger).await,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("not done within {:?}", self.limits.handshake),
        };
        tracing::debug!(cause, "TLS handshake failed");
        self.metrics.tls_handshake_failures.inc();
    }

    async fn speak(self, stream: impl AsyncRead + AsyncWrite + Unpin, stranger: Option<Stranger>) {
        let pace = Pace::new(Arc::clone(&self.limits), self.full);
        let stream = TokioIo::new(Paced::new(stream, Arc::clone(&pace)));
        let mut http = http1::Builder::new();
        // `Paced` has the timeouts.
        http.header_read_timeout(None).max_header_size(self.limits.head_bytes);
        let retires = Instant::now() + age(self.limits.connection_age);
        let requests = Requests { routes: self.routes, drain: self.drain, pace, retires, stranger };
        let mut connection = pin!(http.serve_connection(stream, requests));
        // The connection comes first, so that a request already here is served before the connection closes.
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => Some(ended),
            () = closed(self.closing) => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            connection.as_mut().graceful_shutdown();
            connection.await
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended with an error");
        }
    }
}

async fn closed(mut closing: watch::Receiver<bool>) {
    // An error says that the sender is gone, which ends after all connections.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// At most `most`, and less by a random part of up to a fifth.
fn age(most: Duration) -> Duration {
    // The keys of a new RandomState are random, and nothing here is a secret.
    let random = RandomState::new().build_hasher().finish();
    let part = u32::try_from(random % 1000).unwrap_or_default();
    most.saturating_sub(most / 5 * part / 1000)
}

/// The requests of one connection.
struct Requests {
    routes: Router,
    drain: Drain,
    pace: Arc<Pace>,
    retires: Instant,
    /// The caller, if it may not ask anything.
    stranger: Option<Stranger>,
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let busy = self.pace.busy();
        let (routes, drain, retires) = (self.routes.clone(), self.drain.clone(), self.retires);
        request.extensions_mut().insert(Arc::clone(&self.pace));
        let strange = self.stranger.clone().map(|stranger| request.extensions_mut().insert(stranger)).is_some();
        Box::pin(async move {
            let mut response = routes.oneshot(request.map(Body::new)).await?;
            // Asked now and not when the request came: an answer in flight tells the client too.
            if strange || drain.has_begun() || Instant::now() >= retires {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            drop(busy);
            Ok(response)
        })
    }
}
