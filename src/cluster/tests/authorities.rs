//! Writing is compare-and-swap: a holder that was overtaken writes nothing, and decides anew.

use std::sync::Arc;

use hyper::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::super::authorities::Authorities;
use super::super::events::Reporter;
use super::super::leadership::Leadership;
use super::super::webhooks::{FIELD_MANAGER, Webhooks};
use super::fake::Asked;
use super::*;
use crate::certs::{Authority, CaSecret, Keyring, secret};

struct Holder {
    api: FakeApi,
    working: JoinHandle<()>,
    _changes: (watch::Sender<CaSecret>, watch::Sender<Webhooks>),
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.working.abort();
    }
}

fn holder() -> Holder {
    let (client, api) = FakeApi::start();
    let leadership = Leadership::new(Arc::default());
    leadership.holds_until(Instant::now() + Duration::from_hours(1));
    let (secret, webhooks) = (watch::Sender::new(CaSecret::NotYetSeen), watch::Sender::new(Webhooks::default()));
    let authorities = Authorities {
        reporter: Reporter::new(client.clone(), HOME, "a"),
        client,
        home: HOME.to_owned(),
        name: "countersign.countersign-system.svc".to_owned(),
        settings: knowledge().facts().configuration.certificates.clone(),
        leadership,
        secret: secret.subscribe(),
        webhooks: webhooks.subscribe(),
    };
    Holder { api, working: tokio::spawn(authorities.keep()), _changes: (secret, webhooks) }
}

fn stored(version: &str, keyring: &Keyring) -> Value {
    let data = serde_json::to_value(secret::write(keyring)).unwrap();
    let metadata = json!({"name": "countersign-ca", "namespace": HOME, "resourceVersion": version});
    json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "data": data})
}

fn configuration(kind: &str, version: &str, bundle: &str) -> Value {
    use base64::Engine as _;
    let bundle = base64::engine::general_purpose::STANDARD.encode(bundle);
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": "countersign", "resourceVersion": version},
        "webhooks": [{"name": "one", "clientConfig": {"caBundle": bundle}, "sideEffects": "None", "admissionReviewVersions": ["v1"]}],
    })
}

impl Holder {
    /// Answers the three reads of a look.
    async fn looks(&mut self, webhook_version: &str, bundle: &str, secret: &Value) {
        for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
            let asked = self.asks(&Method::GET, &format!("/{}s/countersign", kind.to_lowercase())).await;
            asked.object(&configuration(kind, webhook_version, bundle));
        }
        self.asks(&Method::GET, "/secrets/countersign-ca").await.object(secret);
    }

    async fn asks(&mut self, method: &Method, path: &str) -> Asked {
        let asked = self.api.next().await;
        assert!(asked.method == *method && asked.uri.contains(path), "{} {} is not {path}", asked.method, asked.uri);
        asked
    }
}

fn one_of_another() -> Keyring {
    Keyring::begun(Arc::new(Authority::make(Timestamp::now(), SignedDuration::from_hours(1000)).unwrap()), None)
}

#[tokio::test(start_paused = true)]
async fn the_secret_is_written_with_the_version_that_was_read_and_a_conflict_is_another_look() {
    let mut holder = holder();
    holder.looks("7", "", &stored("5", &Keyring::default())).await;
    let written = holder.asks(&Method::PUT, "/secrets/countersign-ca").await;
    assert_eq!(written.body["metadata"]["resourceVersion"], "5");
    assert!(written.body["data"]["ca.key"].is_string());
    written.failure(409, "the object has been modified");
    let theirs = one_of_another();
    let bundle = crate::certs::bundle::text(&theirs.bundle());
    holder.looks("8", &bundle, &stored("6", &theirs)).await;
    let began = Instant::now();
    holder.asks(&Method::GET, "/mutatingwebhookconfigurations/countersign").await;
    assert!(began.elapsed() > Duration::from_secs(30), "what another holder has made is left as it is");
}

#[tokio::test(start_paused = true)]
async fn a_bundle_is_applied_with_the_version_that_was_read_and_nothing_else_of_the_entry() {
    let mut holder = holder();
    let theirs = one_of_another();
    holder.looks("7", "", &stored("5", &theirs)).await;
    let written = holder.asks(&Method::PATCH, "/mutatingwebhookconfigurations/countersign").await;
    assert!(
        written.uri.contains(&format!("fieldManager={FIELD_MANAGER}")) && written.uri.contains("force=true"),
        "{}",
        written.uri
    );
    assert_eq!(written.body["metadata"], json!({"name": "countersign", "resourceVersion": "7"}));
    let entries = written.body["webhooks"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["name", "clientConfig"]);
    assert_eq!(entries[0]["clientConfig"].as_object().unwrap().keys().collect::<Vec<_>>(), ["caBundle"]);
    written.failure(409, "the object has been modified");
    holder.looks("8", &crate::certs::bundle::text(&theirs.bundle()), &stored("5", &theirs)).await;
    let began = Instant::now();
    holder.asks(&Method::GET, "/mutatingwebhookconfigurations/countersign").await;
    assert!(began.elapsed() > Duration::from_secs(30), "it is right already");
}
