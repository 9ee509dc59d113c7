//! Of its webhook configurations the service account changes caBundle, and nothing else, though RBAC lets it patch them.

use std::sync::OnceLock;

use countersign_harness::{ApiServer, Options};
use serde_json::{Value, json};

use crate::pods::{Answer, run};
use crate::site::{ACCOUNT, apply, shipped, until};

const KINDS: [&str; 2] = ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"];

/// An API server with the whole installation: nothing here creates a pod.
fn server() -> &'static ApiServer {
    static SERVER: OnceLock<ApiServer> = OnceLock::new();
    SERVER.get_or_init(|| {
        let options =
            Options::default().user(ACCOUNT, &["system:serviceaccounts", "system:serviceaccounts:countersign-system"]);
        let server = ApiServer::boot(&options).unwrap();
        apply(&server, &json!({"apiVersion": "v1", "kind": "List", "items": shipped()}).to_string());
        until("webhook-configurations is in force", || {
            let change = json!([{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]);
            patch(&server, ACCOUNT, KINDS[0], "--type=json", &change).stored.err()
        });
        server
    })
}

/// Patches a webhook configuration as a user; nothing is stored.
fn patch(server: &ApiServer, user: &str, kind: &str, form: &str, change: &Value) -> Answer {
    let change = change.to_string();
    let arguments = ["--context", user, "patch", kind, "countersign", form, "--dry-run=server", "-o", "json", "-p", &change];
    run(server, &arguments, &Value::Null)
}

#[test]
fn the_authority_is_written_into_every_entry_by_server_side_apply() {
    for (kind, object) in KINDS.into_iter().zip(shipped().into_iter().filter(crate::site::is_webhook)) {
        assert_eq!(object["kind"].as_str().unwrap().to_lowercase(), kind);
        let authority = authority();
        let entries = object["webhooks"].as_array().unwrap().iter();
        let entries: Vec<_> =
            entries.map(|entry| json!({"name": entry["name"], "clientConfig": {"caBundle": authority}})).collect();
        let bundle = json!({
            "apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": {"name": "countersign"}, "webhooks": entries
        });
        let arguments =
            ["--context", ACCOUNT, "apply", "--server-side", "--validate=false", "--field-manager=countersign-ca-bundle"];
        let answer = run(server(), &[&arguments[..], &["-o", "json", "-f", "-"]].concat(), &bundle);
        let stored = answer.admitted();
        assert!(stored["webhooks"].as_array().unwrap().iter().all(|entry| entry["clientConfig"]["caBundle"] == authority));
    }
}

#[test]
fn a_replica_that_was_broken_into_cannot_widen_or_narrow_them() {
    let everything =
        json!([{"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "operations": ["*"], "scope": "*"}]);
    let service = json!({"namespace": "kafka", "name": "other", "path": "/", "port": 443});
    let selector = json!({"matchLabels": {"a": "b"}});
    let entry = json!({
        "name": "more.countersign.dev", "clientConfig": {"url": "https://example.org/"}, "sideEffects": "None",
        "admissionReviewVersions": ["v1"]
    });
    let changes = [
        ("replace", "/webhooks/0/rules", everything),
        ("replace", "/webhooks/1/failurePolicy", json!("Ignore")),
        ("replace", "/webhooks/1/matchPolicy", json!("Exact")),
        ("replace", "/webhooks/1/namespaceSelector", selector.clone()),
        ("replace", "/webhooks/1/objectSelector", selector),
        ("add", "/webhooks/1/matchConditions/0", json!({"name": "never", "expression": "false"})),
        ("remove", "/webhooks/1/matchConditions", Value::Null),
        ("replace", "/webhooks/0/timeoutSeconds", json!(30)),
        ("replace", "/webhooks/0/sideEffects", json!("None")),
        ("replace", "/webhooks/0/clientConfig/service", service),
        ("replace", "/webhooks/0/clientConfig", json!({"url": "https://example.org/"})),
        ("replace", "/webhooks/0/name", json!("another.countersign.dev")),
        ("add", "/webhooks/-", entry),
        ("remove", "/webhooks/0", Value::Null),
        ("remove", "/webhooks", Value::Null),
        ("add", "/metadata/labels/x", json!("y")),
        ("add", "/metadata/annotations", json!({"cert-manager.io/inject-ca-from": "kafka/mine"})),
        ("add", "/metadata/finalizers", json!(["example.org/x"])),
        ("add", "/metadata/ownerReferences", json!([{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}])),
    ];
    for kind in KINDS {
        let refused = |(op, path, value): (&str, &str, Value)| {
            let change = json!([{"op": op, "path": path, "value": value}]);
            patch(server(), "admin", kind, "--type=json", &change).admitted();
            let refusal = patch(server(), ACCOUNT, kind, "--type=json", &change).refused();
            assert!(
                refusal.contains("ValidatingAdmissionPolicy 'webhook-configurations.countersign.dev'")
                    && refusal.contains("Countersign itself may change caBundle, and no"),
                "{kind} {op} {path}: {refusal}"
            );
        };
        changes.clone().into_iter().for_each(refused);
    }
    refused_reinvocation();
}

/// The one field that the entries of one kind have alone.
fn refused_reinvocation() {
    let change = json!([{"op": "replace", "path": "/webhooks/0/reinvocationPolicy", "value": "Never"}]);
    let refusal = patch(server(), ACCOUNT, KINDS[0], "--type=json", &change).refused();
    assert!(refusal.contains("nothing else of any entry"), "{refusal}");
}

/// A certificate authority as `caBundle` holds it.
fn authority() -> String {
    use base64::Engine as _;
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem();
    base64::engine::general_purpose::STANDARD.encode(pem)
}
