//! The second listener, plain HTTP: liveness, readiness and metrics.

use std::sync::Arc;
use std::time::Duration;

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;

use super::{Drain, Gate, Judge, Limits, accept::Door};
use crate::metrics::{Listener, Metrics};

/// The content type of `OpenMetrics` text. Source: `OpenMetrics` 1.0, "Text format".
const OPEN_METRICS: HeaderValue = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What the health server is made of.
pub struct Health {
    /// Where it listens.
    pub listener: TcpListener,
    /// Asked whether it is ready.
    pub judge: Arc<dyn Judge>,
    /// Not ready before it is open.
    pub gate: Gate,
    /// What it shows.
    pub metrics: Arc<Metrics>,
    /// Once it has begun, the answer to `/readyz` is no.
    pub drain: Drain,
}

/// Serves health and metrics until it is dropped: it answers while the other listener drains.
pub async fn serve(health: Health) {
    let Health { listener, judge, gate, metrics, drain } = health;
    let door = Door {
        listener,
        tls: None,
        routes: router(Shown { judge, gate, metrics: Arc::clone(&metrics), drain }),
        limits: Arc::new(limits()),
        metrics,
        name: Listener::Health,
        drain: Drain::new(),
    };
    door.serve().await;
}

/// Any pod reaches this port: silent connections must not take the places of the kubelet's probes, each of which comes with a new
/// one and waits a second for its answer. So there are many places, and silence is short.
fn limits() -> Limits {
    Limits { connections: 1024, idle: Duration::from_secs(5), head: Duration::from_secs(2), ..Limits::default() }
}

#[derive(Clone)]
struct Shown {
    judge: Arc<dyn Judge>,
    gate: Gate,
    metrics: Arc<Metrics>,
    drain: Drain,
}

fn router(shown: Shown) -> Router {
    Router::new()
        .route("/livez", get(live))
        .route("/healthz", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(shown)
}

async fn live() -> &'static str {
    "ok\n"
}

async fn ready(State(shown): State<Shown>) -> (StatusCode, String) {
    let draining = shown.drain.has_begun().then(|| "draining".to_owned());
    let closed = shown.gate.because().map(|because| because.to_string());
    let missing: Vec<_> = draining.into_iter().chain(shown.judge.ready().err()).chain(closed).collect();
    if missing.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", missing.join("; ")))
    }
}

async fn metrics(State(shown): State<Shown>) -> impl IntoResponse {
    shown.metrics.draining.set(i64::from(shown.drain.has_begun()));
    ([(header::CONTENT_TYPE, OPEN_METRICS)], shown.metrics.text())
}
