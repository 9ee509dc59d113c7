//! The labels of a namespace under `countersign.dev/` are for holders of `set` on `modes.countersign.dev`, and spelt right.

use serde_json::{Value, json};

use super::{NAMESPACE_CONTROLLER, OPENER, TENANT, server, tried};
use crate::pods::{Answer, run};
use crate::site::block_on;

const POLICY: &str = "ValidatingAdmissionPolicy 'namespace-labels.countersign.dev'";

fn object(labels: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new", "labels": labels}})
}

/// Changes labels of a namespace, as a user, through the namespace itself or a subresource; nothing is stored.
fn label(user: &str, name: &str, through: &str, labels: &Value) -> Answer {
    let server = server();
    let output = server.kubectl(&["get", "namespace", name, "-o", "json"]).unwrap();
    let mut namespace: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (key, value) in labels.as_object().unwrap() {
        namespace["metadata"]["labels"][key] = value.clone();
    }
    let present = |(_, value): &(&String, &Value)| !value.is_null();
    let kept = namespace["metadata"]["labels"].as_object().unwrap().iter().filter(present);
    namespace["metadata"]["labels"] = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    let path = format!("/api/v1/namespaces/{name}{through}?dryRun=All");
    run(server, &["--context", user, "replace", "--raw", &path, "-f", "-"], &namespace)
}

fn refused(answer: Answer, words: &str) {
    let refusal = answer.refused();
    assert!(refusal.contains(POLICY) && refusal.contains(words), "{words:?} is not in: {refusal}");
}

#[test]
fn a_tenant_cannot_change_the_mode_on_any_way() {
    block_on(server().namespace("guarded", &[("countersign.dev/confidential", "required")], &[])).unwrap();
    for through in ["", "/status", "/finalize"] {
        let told = "user tenant may not change countersign.dev/mode of namespace guarded: that takes verb set on modes.countersign.dev";
        refused(label(TENANT, "guarded", through, &json!({"countersign.dev/mode": "audit"})), told);
        refused(
            label(TENANT, "guarded", through, &json!({"countersign.dev/confidential": null})),
            "countersign.dev/confidential",
        );
        label(TENANT, "guarded", through, &json!({"team": "a"})).admitted();
        label(OPENER, "guarded", through, &json!({"countersign.dev/mode": "audit"})).admitted();
        label("admin", "guarded", through, &json!({"countersign.dev/confidential": null})).admitted();
    }
    refused(
        tried(TENANT, &object(&json!({"countersign.dev/mode": "warn"}))),
        "--clusterrole=countersign-mode-setter --user=tenant",
    );
    tried(TENANT, &object(&json!({"team": "a"}))).admitted();
    tried(OPENER, &object(&json!({"countersign.dev/mode": "warn", "countersign.dev/profile": "aks"}))).admitted();
}

#[test]
fn a_spelling_mistake_is_refused_whoever_makes_it() {
    for (key, value) in [
        ("countersign.dev/confidential", "true"),
        ("countersign.dev/mode", "Audit"),
        ("countersign.dev/profile", "akz"),
        ("countersign.dev/confidental", "required"),
    ] {
        for user in ["admin", OPENER] {
            let told =
                format!("{key}: \"{value}\" is no label that Countersign knows. Write confidential: required, mode: enforce");
            refused(tried(user, &object(&json!({key: value}))), &told);
        }
    }
    let mut annotated = object(&json!({}));
    annotated["metadata"]["annotations"] = json!({"countersign.dev/confidential": "required"});
    refused(tried("admin", &annotated), "countersign.dev/confidential stands as an annotation, where it has no effect");
    let mut generated = object(&json!({"countersign.dev/mode": "warn"}));
    generated["metadata"] = json!({"generateName": "new-", "labels": {"countersign.dev/mode": "warn"}});
    tried(OPENER, &generated).admitted();
    refused(tried(TENANT, &generated), "may not change countersign.dev/mode");
}

#[test]
fn the_namespace_controller_ends_a_labelled_namespace() {
    block_on(server().namespace("ending", &[("countersign.dev/confidential", "required")], &[])).unwrap();
    run(server(), &["delete", "namespace", "ending", "--wait=false"], &json!(null)).admitted();
    let get = || {
        let output = server().kubectl(&["get", "namespace", "ending", "-o", "json"]).unwrap();
        serde_json::from_slice::<Value>(&output.stdout)
    };
    let mut namespace = get().unwrap();
    assert_eq!(namespace["status"]["phase"], "Terminating");
    let write = |through: &str, namespace: &Value| {
        let path = format!("/api/v1/namespaces/ending/{through}");
        run(server(), &["--context", NAMESPACE_CONTROLLER, "replace", "--raw", &path, "-f", "-"], namespace).admitted()
    };
    namespace["status"]["conditions"] =
        json!([{"type": "NamespaceContentRemaining", "status": "False", "reason": "ContentRemoved"}]);
    let mut namespace = write("status", &namespace);
    namespace["spec"]["finalizers"] = json!([]);
    write("finalize", &namespace);
    assert!(get().is_err(), "it is gone");
}

#[test]
fn many_labels_keep_nobody_waiting() {
    let crowd: serde_json::Map<String, Value> = (0..2_000).map(|n| (format!("l{n}"), json!(""))).collect();
    let started = std::time::Instant::now();
    refused(tried(TENANT, &object(&Value::Object(crowd))), "labels (more than 256)");
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}
