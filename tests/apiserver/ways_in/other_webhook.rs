//! A second mutating webhook, called after Countersign's: it makes of a pod what the pod's own annotation asks for.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::certs::CertSource;
use countersign::http::{self, Answer, Drain, Endpoint, Judge, Limits, Outcome, Server};
use countersign::metrics::Metrics;
use countersign_harness::ApiServer;
use serde_json::{Value, json};

use crate::site::apply;

/// The annotation that holds the JSON Patch to make.
pub(super) const PATCH: &str = "example.org/patch";

/// Sends the patch that the pod carries.
struct Later;

impl Judge for Later {
    fn answer(&self, _: Endpoint, review: &[u8]) -> Answer {
        let review: Value = serde_json::from_slice(review).unwrap();
        let request = &review["request"];
        let mut response = json!({"uid": request["uid"], "allowed": true});
        if let Some(patch) = request["object"]["metadata"]["annotations"][PATCH].as_str() {
            response["patchType"] = json!("JSONPatch");
            response["patch"] = json!(STANDARD.encode(patch));
        }
        let answer = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response});
        Answer::Review { body: answer.to_string().into_bytes(), outcome: Outcome::Patched, reasons: Vec::new() }
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Serves it for as long as the process lives, and registers it for the pods of a namespace. Its name sorts after Countersign's, so the
/// API server calls it later.
pub(super) fn register(server: &ApiServer, namespace: &str) {
    let directory = server.folder().join("later-webhook");
    let address = serve(directory.clone());
    let authority = STANDARD.encode(std::fs::read(directory.join("ca.crt")).unwrap());
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": {"name": "later"},
        "webhooks": [{
            "name": "later.example.org", "clientConfig": {"url": format!("https://{address}/mutate"), "caBundle": authority},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Fail"
        }]
    });
    apply(server, &configuration.to_string());
}

fn serve(directory: std::path::PathBuf) -> SocketAddr {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let metrics = Arc::new(Metrics::new());
            let certificates = CertSource::SelfSigned { directory }.open(Arc::clone(&metrics)).unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            let served = certificates.served.clone();
            let (judge, limits, drain) = (Arc::new(Later), Limits::default(), Drain::new());
            let server = Server { listener, certificates: served, clients: None, judge, exec: None, limits, metrics, drain };
            http::serve(server).await.unwrap();
        });
    });
    receive.recv().unwrap()
}
