//! The HTTPS edge: how the API server's bytes reach a [`Judge`] and its answer goes back.
//!
//! `accept` takes connections and drains them, `connection` speaks TLS and HTTP/1.1 on each, `routes` names the
//! paths, `review` answers one request within its bounds. [`health`] is a second listener without TLS.

mod accept;
mod asked_timeout;
mod body;
mod connection;
mod drain;
mod error;
mod gate;
pub mod health;
mod judge;
mod judging;
mod limits;
mod pace;
mod panicked;
mod review;
mod room;
mod routes;
mod runtime;
mod tls;

use std::sync::Arc;

use axum::http::HeaderValue;
use rustls::server::ResolvesServerCert;
use tokio::net::TcpListener;

pub use self::{
    drain::Drain,
    gate::Gate,
    judge::{Answer, Doorkeeper, Endpoint, Judge, Outcome},
    limits::Limits,
    routes::{EXEC, ROUTES},
    runtime::runtime,
};
use crate::certs::Clients;
use crate::metrics::{Listener, Metrics};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What the webhook's server is made of.
pub struct Server {
    /// Where it listens.
    pub listener: TcpListener,
    /// Who it says it is; asked at each handshake, so that a renewed certificate is served at once.
    pub certificates: Arc<dyn ResolvesServerCert>,
    /// Who may call; `None` is anybody.
    pub clients: Option<Arc<Clients>>,
    /// Who decides.
    pub judge: Arc<dyn Judge>,
    /// Who decides on ways into pods, where somebody does: without it the path is unknown.
    pub exec: Option<Arc<dyn Doorkeeper>>,
    /// Its bounds.
    pub limits: Limits,
    /// What it counts in.
    pub metrics: Arc<Metrics>,
    /// What tells it to end.
    pub drain: Drain,
}

/// Serves reviews until the drain has begun, its time is over and what was in flight is answered or cut.
///
/// # Errors
/// [`rustls::Error`] if TLS 1.3 cannot be had from the cryptography provider.
pub async fn serve(server: Server) -> Result<(), rustls::Error> {
    let Server { listener, certificates, clients, judge, exec, limits, metrics, drain } = server;
    let limits = Arc::new(limits);
    let door = accept::Door {
        listener,
        tls: Some(tls::Tls::new(certificates, clients)?),
        routes: routes::router(review::Desk::new(judge, exec, Arc::clone(&limits), Arc::clone(&metrics))),
        limits,
        metrics,
        name: Listener::Reviews,
        drain,
    };
    door.serve().await;
    Ok(())
}
