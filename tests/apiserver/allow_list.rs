//! The allow-list, edited live.

use countersign_harness::ApiServer;
use serde_json::{Value, json};

use crate::pods::{create, run};
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

/// The same list with an error in its first line.
fn bad(config_map: &Value) -> Value {
    let mut bad = config_map.clone();
    bad["data"]["team.yaml"] = json!("- digest: nonsense\n");
    bad
}

/// Points the check of edits, and nothing else, at nobody, as if no replica answered; back once edits come in unchecked.
pub(crate) fn nobody_checks(server: &ApiServer) {
    let output = server.kubectl(&["get", "validatingwebhookconfiguration", "countersign", "-o", "json"]).unwrap();
    let configuration: Value = serde_json::from_slice(&output.stdout).unwrap();
    let entries = configuration["webhooks"].as_array().unwrap();
    let index = entries.iter().position(|entry| entry["name"] == "check.allow-list.countersign.dev").unwrap();
    let url = format!("https://{}/allow-list", crate::webhook_down::NOBODY);
    let patch = json!([{"op": "replace", "path": format!("/webhooks/{index}/clientConfig/url"), "value": url}]).to_string();
    let output =
        server.kubectl(&["patch", "validatingwebhookconfiguration", "countersign", "--type=json", "-p", &patch]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    until("edits come in unchecked", || create(server, &bad(&listed("unchecked").1), true).stored.ok());
}

#[test]
fn a_bad_edit_is_refused_with_its_place_and_a_good_one_passes() {
    let Site { server, webhook } = site();
    let (pod, config_map) = listed("checked-edit");
    let place = "admission webhook \"check.allow-list.countersign.dev\" denied the request: allow-list-malformed: \
                 ConfigMap checked-edit, key team.yaml, line 1, column 11: [0].digest: ";
    let refusal = create(server, &bad(&config_map), false).refused();
    assert!(refusal.contains(place), "{refusal}");
    list(server, webhook, &config_map);
    let edit = |config_map: &Value| run(server, &["replace", "-o", "json", "-f", "-"], config_map);
    let refusal = edit(&bad(&config_map)).refused();
    assert!(refusal.contains(place), "{refusal}");
    create(server, &pod, true).admitted();

    let mut longer = config_map.clone();
    longer["data"]["other.yaml"] = listed("checked-edit-2").1["data"]["team.yaml"].clone();
    edit(&longer).admitted();
    longer["binaryData"] = json!({"more.yaml": "AA=="});
    let refusal = edit(&longer).refused();
    assert!(refusal.contains("ConfigMap checked-edit, key more.yaml: binaryData is not read"), "{refusal}");
    let mut unlabelled = bad(&config_map);
    unlabelled["metadata"]["labels"] = json!({});
    edit(&unlabelled).admitted();
    assert!(edit(&bad(&config_map)).refused().contains(place), "it becomes a list again");
    unlist(server, "checked-edit");
}

#[test]
fn what_is_no_list_is_not_asked_about_and_a_bad_edit_that_nobody_checked_keeps_the_last_good_version() {
    let Site { server, webhook } = &Site::open(None);
    let asked = || {
        let of = |outcome: &str| {
            webhook.metric(&format!("countersign_requests_total{{endpoint=\"allow-list\",outcome=\"{outcome}\"}}"))
        };
        ["allowed", "refused"].map(|outcome| of(outcome).unwrap_or_default().to_string())
    };
    let (pod, config_map) = listed("bad-edit");
    let mut unlabelled = bad(&config_map);
    unlabelled["metadata"]["labels"] = json!({});
    create(server, &unlabelled, true).admitted();
    let mut elsewhere = bad(&config_map);
    elsewhere["metadata"]["namespace"] = json!("kafka");
    create(server, &elsewhere, true).admitted();
    assert_eq!(asked(), ["0", "0"]);
    create(server, &bad(&config_map), true).refused();
    list(server, webhook, &config_map);
    assert_eq!(asked(), ["1", "1"]);
    create(server, &pod, true).admitted();

    nobody_checks(server);
    list(server, webhook, &bad(&config_map));
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
