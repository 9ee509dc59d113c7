//! A webhook in the place of Countersign's that reads nothing and lets everything in: what the calls cost the API server, whatever
//! is answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::certs::CertSource;
use countersign::http::{self, Answer, Drain, Endpoint, Judge, Outcome, Server};
use countersign::metrics::Metrics;
use countersign_harness::ApiServer;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::site::{pointed_at, shipped};

/// Serves on a thread of its own until the run ends.
pub(crate) struct Constant {
    address: SocketAddr,
    authority: Vec<u8>,
    asked: Arc<AtomicUsize>,
}

struct LetIn(Arc<AtomicUsize>);

impl Judge for LetIn {
    fn answer(&self, _: Endpoint, review: &[u8]) -> Answer {
        self.0.fetch_add(1, Ordering::Relaxed);
        let response = json!({"uid": uid(review), "allowed": true});
        let body = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response});
        Answer::Review { body: body.to_string().into_bytes(), outcome: Outcome::Allowed, reasons: Vec::new() }
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

/// The first uid of a review is that of its request, and near its beginning: that is all of it that is read.
fn uid(review: &[u8]) -> &str {
    let key = br#""uid":""#;
    let begin = review.windows(key.len()).position(|window| window == key).unwrap() + key.len();
    let length = review[begin..].iter().position(|byte| *byte == b'"').unwrap();
    std::str::from_utf8(&review[begin..begin + length]).unwrap()
}

impl Constant {
    pub(crate) fn start(server: &ApiServer) -> Self {
        let directory = server.folder().join("constant");
        let metrics = Arc::new(Metrics::new());
        let certificates = CertSource::SelfSigned { directory: directory.clone() }.open(Arc::clone(&metrics)).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let judge = Arc::new(LetIn(Arc::clone(&asked)));
        let serving = async move {
            let listener = TcpListener::from_std(listener).unwrap();
            let (limits, drain) = (http::Limits::default(), Drain::new());
            let certificates = certificates.served;
            let server = Server { listener, certificates, clients: None, judge, exec: None, limits, metrics, drain };
            http::serve(server).await.unwrap();
        };
        std::thread::spawn(move || http::runtime().unwrap().block_on(serving));
        Self { address, authority: std::fs::read(directory.join("ca.crt")).unwrap(), asked }
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// The shipped webhook configurations, asking it in the place of Countersign.
    pub(crate) fn configurations(&self) -> Vec<Value> {
        pointed_at(&shipped(), self.address, &self.authority)
    }
}
