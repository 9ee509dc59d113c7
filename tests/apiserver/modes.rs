//! Modes by namespace label, `required` namespaces, and the audit log.

use serde_json::{Value, json};

use crate::pods::create;
use crate::site::{Site, apply, block_on, site, until, without_policies};

fn unlisted(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
        "spec": {"runtimeClassName": "kata-cc-isolation", "containers": [{"name": "c", "image": "i"}]}
    })
}

/// A namespace with these labels that the webhook knows.
fn namespace(name: &str, labels: &[(&str, &str)]) -> &'static Site {
    let site = site();
    block_on(site.server.namespace(name, labels, &[])).unwrap();
    let output = site.server.kubectl(&["get", "namespace", name, "-o", "json"]).unwrap();
    site.webhook.has_seen("namespaces", &serde_json::from_slice(&output.stdout).unwrap());
    site
}

#[test]
fn in_mode_warn_a_refusal_becomes_a_warning() {
    let Site { server, .. } = namespace("warned", &[("countersign.dev/mode", "warn")]);
    let answer = create(server, &unlisted("warned", "p"), true);
    // The webhook's own warning: the backstop does not know which profile the pod has.
    assert!(answer.warnings.contains(", which profile aks measures"), "{}", answer.warnings);
    answer.admitted();
}

#[test]
fn in_mode_audit_a_refusal_stands_in_the_audit_log_alone() {
    let Site { server, .. } = namespace("audited", &[("countersign.dev/mode", "audit")]);
    let answer = create(server, &unlisted("audited", "audited-pod"), false);
    assert!(!answer.warnings.contains("policy-missing"), "{}", answer.warnings);
    answer.admitted();
    let annotations = until("the audit event is written", || {
        let events = server.audit_events().unwrap();
        events.into_iter().find(|event| event["objectRef"]["name"] == "audited-pod").map(|event| event["annotations"].clone())
    });
    let text = annotations.to_string();
    assert!(text.contains("/decision\":\"audited\""), "{text}");
    assert!(text.contains("/refused-by\":\"policy-missing\""), "{text}");
}

#[test]
fn an_unknown_mode_counts_as_enforce() {
    // Such a label can only be older than the policies.
    let Site { server, webhook } = &Site::open(None);
    without_policies(server);
    block_on(server.namespace("mistyped", &[("countersign.dev/mode", "Audit")], &[])).unwrap();
    let output = server.kubectl(&["get", "namespace", "mistyped", "-o", "json"]).unwrap();
    webhook.has_seen("namespaces", &serde_json::from_slice(&output.stdout).unwrap());
    assert!(create(server, &unlisted("mistyped", "p"), true).refused().contains(", which profile aks measures"));
}

#[test]
fn the_countersigned_label_is_judged_in_every_mode() {
    let Site { server, .. } = namespace("claimed", &[("countersign.dev/mode", "audit")]);
    let mut pod = unlisted("claimed", "p");
    pod["metadata"]["labels"] = json!({"countersign.dev/countersigned": "true"});
    assert!(
        create(server, &pod, true).refused().contains("countersigned-label.countersign.dev"),
        "the API server knows by itself"
    );
    // A policy that nobody listed: only the webhook knows that.
    pod["metadata"]["annotations"] = json!({"io.katacontainers.config.agent.policy": "cGFja2FnZSBjbGFpbQo="});
    let refusal = create(server, &pod, true).refused();
    assert!(refusal.contains("judge.confidential-pods.countersign.dev") && refusal.contains("policy-not-allowed"), "{refusal}");
}

#[test]
fn in_a_required_namespace_every_pod_is_opted_in_at_once() {
    // Asked right after the label is set: the path says that the namespace is required, no watched label has to.
    let Site { server, .. } = site();
    block_on(server.namespace("required", &[("countersign.dev/confidential", "required")], &[])).unwrap();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "required"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let refusal = create(server, &pod, true).refused();
    assert!(refusal.contains("policy-missing"), "it was completed, and lacks only a policy: {refusal}");
    assert!(!refusal.contains("sidecar:"), "{refusal}");
}

#[test]
fn a_foreign_handler_under_a_known_class_is_refused() {
    let site = Site::open(None);
    let Site { server, webhook } = &site;
    let (pod, config_map) = crate::allow_list::listed("handler");
    crate::allow_list::list(server, webhook, &config_map);
    create(server, &pod, true).admitted();
    assert!(server.kubectl(&["delete", "runtimeclass", "kata-cc-isolation"]).unwrap().status.success());
    let class = apply(server, &crate::site::runtime_class("kata-cc-isolation", "runc").to_string());
    webhook.has_seen("runtimeclasses", &class);
    let refusal = create(server, &pod, true).refused();
    assert!(
        refusal
            .contains("runtime-handler: RuntimeClass kata-cc-isolation names handler \"runc\", and the profile lists kata-cc"),
        "{refusal}"
    );
}

#[test]
fn a_confidential_pod_is_judged_in_kube_system_too_even_where_it_is_labelled_required() {
    let Site { server, .. } = namespace("kube-system", &[("countersign.dev/confidential", "required")]);
    let mut pod = unlisted("kube-system", "p");
    pod["metadata"]["annotations"] = json!({"io.katacontainers.config.agent.policy": "cGFja2FnZSBzeXN0ZW0K"});
    let refusal = create(server, &pod, true).refused();
    assert!(refusal.contains("policy-not-allowed"), "{refusal}");
    let ordinary = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "kube-system"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    create(server, &ordinary, true).admitted();
}
