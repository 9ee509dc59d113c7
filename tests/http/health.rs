//! The second listener.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;

use axum::{body::Body, http::Request};
use countersign::{
    http::{
        Answer, Drain, Endpoint, Gate, Judge, Limits, Outcome,
        health::{self, Health},
    },
    metrics::Metrics,
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};

use crate::{
    caller::{Caller, Reply},
    site::{Says, Site, soon},
};

struct Waits(AtomicBool);

impl Judge for Waits {
    fn answer(&self, _: Endpoint, _: &[u8]) -> Answer {
        unreachable!("nobody asks")
    }

    fn ready(&self) -> Result<(), String> {
        if self.0.load(Ordering::Relaxed) { Ok(()) } else { Err("no allow-list yet".into()) }
    }
}

async fn start(judge: Arc<dyn Judge>, metrics: Arc<Metrics>, drain: Drain) -> Caller {
    start_behind(Gate::opened(), judge, metrics, drain).await
}

async fn start_behind(gate: Gate, judge: Arc<dyn Judge>, metrics: Arc<Metrics>, drain: Drain) -> Caller {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(health::serve(Health { listener, judge, gate, metrics, drain }));
    Caller::over(TcpStream::connect(address).await.unwrap()).await
}

async fn get(caller: &mut Caller, path: &str) -> Reply {
    caller.send(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn readiness_says_what_is_missing_and_ends_when_draining_begins() {
    let judge = Arc::new(Waits(AtomicBool::new(false)));
    let drain = Drain::new();
    let mut caller = start(judge.clone(), Arc::default(), drain.clone()).await;
    let reply = get(&mut caller, "/readyz").await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (503, "not ready: no allow-list yet\n"));
    judge.0.store(true, Ordering::Relaxed);
    assert_eq!(get(&mut caller, "/readyz").await.status, 200);
    drain.begin();
    let reply = get(&mut caller, "/readyz").await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (503, "not ready: draining\n"));
    for path in ["/livez", "/healthz"] {
        assert_eq!(get(&mut caller, path).await.status, 200);
    }
    assert!(get(&mut caller, "/metrics").await.text.contains("\ncountersign_draining 1\n"));
}

#[tokio::test]
async fn readiness_says_every_gate_that_is_closed() {
    let gate = Gate::closed("no caBundle yet");
    let judge = Arc::new(Waits(AtomicBool::new(false)));
    let mut caller = start_behind(gate.clone(), judge.clone(), Arc::default(), Drain::new()).await;
    assert_eq!(get(&mut caller, "/readyz").await.text, "not ready: no allow-list yet; no caBundle yet\n");
    judge.0.store(true, Ordering::Relaxed);
    let reply = get(&mut caller, "/readyz").await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (503, "not ready: no caBundle yet\n"));
    gate.open();
    assert_eq!(get(&mut caller, "/readyz").await.status, 200);
}

#[tokio::test]
async fn metrics_count_reviews_refusals_and_bytes() {
    let judge = Arc::new(Says(|endpoint: Endpoint, _: &[u8]| match endpoint {
        Endpoint::Mutate => Answer::Review { body: vec![], outcome: Outcome::Patched, reasons: vec![] },
        _ => Answer::Review { body: vec![], outcome: Outcome::Refused, reasons: vec!["sidecar", "selectors"] },
    }));
    let site = Site::start(judge.clone(), Limits::default()).await;
    let mut caller = Caller::to(&site).await;
    caller.post("/mutate", "{}").await;
    caller.post("/validate/required", "{}").await;
    caller.post("/validate/required", "{}").await;
    let mut health = start(judge, Arc::clone(&site.metrics), site.drain.clone()).await;
    let reply = get(&mut health, "/metrics").await;
    assert_eq!(reply.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    for line in [
        r#"build_info{version="0.1.0"} 1"#,
        r#"requests_total{endpoint="mutate",outcome="patched"} 1"#,
        r#"requests_total{endpoint="validate-required",outcome="refused"} 2"#,
        r#"refusals_total{rule="sidecar"} 2"#,
        r#"refusals_total{rule="selectors"} 2"#,
        r#"request_duration_seconds_count{endpoint="validate-required"} 2"#,
        "body_bytes_count 3",
        "body_bytes_sum 6.0",
        "body_in_flight_bytes 0",
        r#"connections{listener="reviews"} 1"#,
        r#"connections{listener="health"} 1"#,
        "panics_total 0",
        "draining 0",
    ] {
        assert!(reply.text.contains(&format!("\ncountersign_{line}\n")), "{line} in\n{}", reply.text);
    }
    assert!(reply.text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn a_crowd_of_silent_connections_does_not_keep_the_kubelet_out_and_is_shown_the_door() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let judge = Arc::new(Waits(AtomicBool::new(true)));
    let (metrics, drain) = (Arc::<Metrics>::default(), Drain::default());
    tokio::spawn(health::serve(Health { listener, judge, gate: Gate::opened(), metrics, drain }));
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let asked = std::time::Instant::now();
    let mut kubelet = Caller::over(TcpStream::connect(address).await.unwrap()).await;
    assert_eq!(soon(get(&mut kubelet, "/livez")).await.status, 200);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}: the kubelet waits no longer", asked.elapsed());
    let mut nothing = [0];
    assert_eq!(soon(silent[0].read(&mut nothing)).await.unwrap_or_default(), 0, "it is closed");
}
