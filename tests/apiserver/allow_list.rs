//! The allow-list, edited live.

use countersign_harness::ApiServer;
use serde_json::{Value, json};

use crate::pods::create;
use crate::site::{Site, Webhook, apply, site, until};

/// Applies an allow-list ConfigMap and waits until the webhook has seen it.
pub(crate) fn list(server: &ApiServer, webhook: &Webhook, config_map: &Value) {
    webhook.has_seen("configmaps", &apply(server, &config_map.to_string()));
}

/// Deletes an allow-list ConfigMap.
pub(crate) fn unlist(server: &ApiServer, name: &str) {
    let output = server.kubectl(&["delete", "configmap", "-n", "countersign-system", name]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A pod of an accepted class whose policy has the name in a comment, and the ConfigMap that lists it.
pub(crate) fn listed(name: &str) -> (Value, Value) {
    use base64::Engine as _;
    let policy = format!("package agent_policy\n# {name}\n");
    let annotation = base64::engine::general_purpose::STANDARD.encode(&policy);
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "kafka", "annotations": {"io.katacontainers.config.agent.policy": annotation}},
        "spec": {"runtimeClassName": "kata-cc-isolation", "containers": [{"name": "c", "image": "i"}]}
    });
    let entry = format!(
        "- {{digest: \"{}\", namespaces: [kafka], name: {name}}}\n",
        countersign_policy::Digest::sha256_of(policy.as_bytes())
    );
    let config_map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"team.yaml": entry},
        "metadata": {"name": name, "namespace": "countersign-system", "labels": {"countersign.dev/allow-list": "true"}}
    });
    (pod, config_map)
}

/// The note of an event about a ConfigMap.
pub(crate) fn event(server: &ApiServer, reason: &str, config_map: &str) -> Option<String> {
    let output = server.kubectl(&["-n", "countersign-system", "get", "events.events.k8s.io", "-o", "json"]).unwrap();
    let events: Value = serde_json::from_slice(&output.stdout).unwrap();
    let about = |event: &&Value| event["reason"] == reason && event["regarding"]["name"] == config_map;
    Some(events["items"].as_array()?.iter().find(about)?["note"].as_str()?.to_owned())
}

#[test]
fn a_bad_edit_keeps_the_last_good_version_and_is_counted() {
    let Site { server, webhook } = site();
    let (pod, config_map) = listed("bad-edit");
    list(server, webhook, &config_map);
    create(server, &pod, true).admitted();
    let mut bad = config_map.clone();
    bad["data"]["team.yaml"] = json!("- digest: nonsense\n");
    list(server, webhook, &bad);
    until("the rejection is counted", || (webhook.metric("countersign_allow_list_rejected")? >= 1.0).then_some(()));
    create(server, &pod, true).admitted();
    until("the rejection is reported", || {
        let told = event(server, "AllowListRejected", "bad-edit")?;
        assert!(told.contains("team.yaml") && told.contains("line 1"), "{told}");
        Some(())
    });
    list(server, webhook, &config_map);
    until("that it is over is reported", || event(server, "AllowListRecovered", "bad-edit"));
    unlist(server, "bad-edit");
    until("the entry is gone", || create(server, &pod, true).stored.err());
}

#[test]
fn a_config_map_without_the_label_or_in_another_namespace_lists_nothing() {
    let Site { server, webhook } = site();
    let (pod, config_map) = listed("no-label");
    let mut unlabelled = config_map.clone();
    unlabelled["metadata"]["labels"] = json!({});
    apply(server, &unlabelled.to_string());
    let mut elsewhere = config_map.clone();
    elsewhere["metadata"]["namespace"] = json!("kafka");
    apply(server, &elsewhere.to_string());
    // A third one that counts comes after them: once it is seen, they would have been.
    let (other, counts) = listed("counts");
    list(server, webhook, &counts);
    create(server, &other, true).admitted();
    assert!(create(server, &pod, true).refused().contains("policy-not-allowed"));
    unlist(server, "no-label");
    unlist(server, "counts");
}
