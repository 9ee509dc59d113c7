//! Installing again takes nothing away from those who write into the same objects, and removing leaves nothing behind.

use countersign_harness::{ApiServer, Options};
use serde_json::{Value, json};

use crate::programs::{
    HOME, Objects, apply, chart, helm_at, kustomize, objects, repository, stored, stream, succeeded, template,
};

/// Objects that the installation ships empty and that somebody fills at run time, beside those of its own that are such.
const STAND_INS: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: stand-in, namespace: countersign-system, labels: {app.kubernetes.io/name: countersign}}
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: stand-in, namespace: countersign-system, labels: {app.kubernetes.io/name: countersign}}
";

/// What others write at run time into every object that is made for it.
fn filled(shipped: &Objects) -> Vec<Value> {
    let filled: Vec<Value> = shipped
        .values()
        .filter_map(|object| {
            let metadata = json!({"name": object["metadata"]["name"], "namespace": object["metadata"]["namespace"]});
            let head = |kind: &str, version: &str| json!({"apiVersion": version, "kind": kind, "metadata": metadata});
            let webhooks = || {
                let entries = object["webhooks"].as_array().unwrap().iter();
                entries
                    .map(|entry| json!({"name": entry["name"], "clientConfig": {"caBundle": "LS0tLS1CRUdJTg=="}}))
                    .collect::<Value>()
            };
            let kind = object["kind"].as_str().unwrap();
            let mut filled = head(kind, object["apiVersion"].as_str().unwrap());
            match kind {
                "Secret" => filled["data"] = json!({"ca.crt": "eA=="}),
                "Lease" => filled["spec"] = json!({"holderIdentity": "somebody", "leaseDurationSeconds": 15}),
                "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
                    filled["webhooks"] = webhooks();
                    filled["metadata"].as_object_mut().unwrap().remove("namespace");
                }
                _ => return None,
            }
            Some(filled)
        })
        .collect();
    assert!(filled.len() >= 6, "the Secrets, the Leases and the webhook configurations");
    filled
}

/// Every one of them as it is stored, but for what each write changes.
fn as_stored(server: &ApiServer, filled: &[Value]) -> Vec<Value> {
    let one = |object: &Value| {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or(HOME);
        let kind = object["kind"].as_str().unwrap();
        let found = stored(server, &["-n", namespace, kind, object["metadata"]["name"].as_str().unwrap()]);
        json!({"data": found["data"], "spec": found["spec"], "webhooks": found["webhooks"]})
    };
    filled.iter().map(one).collect()
}

fn fill(server: &ApiServer, shipped: &Objects) -> (Vec<Value>, Vec<Value>) {
    let filled = filled(shipped);
    succeeded(apply(server, &stream(&filled), &["--field-manager=countersign-ca-bundle"]));
    let before = as_stored(server, &filled);
    assert!(before.iter().all(|object| object.to_string().contains("LS0tLS1CRUdJTg==")
        || object.to_string().contains("eA==")
        || object.to_string().contains("somebody")));
    (filled, before)
}

/// Lists the sample's policy as the documents say: what `countersign allow` prints, applied by the same hand as the installation.
/// Returns what is then stored.
fn list_a_policy(server: &ApiServer) -> Value {
    let sample = repository("manifests/samples/consumer.yaml");
    let printed = std::process::Command::new(env!("CARGO_BIN_EXE_countersign")).args(["allow", "-f"]).arg(sample).output();
    succeeded(apply(server, &succeeded(printed.unwrap()), &[]));
    let list = listed(server);
    assert!(list.to_string().contains("sha256:"), "{list}");
    list
}

fn listed(server: &ApiServer) -> Value {
    stored(server, &["-n", HOME, "configmap", "allow-list"])["data"].clone()
}

#[test]
fn applying_the_base_again_keeps_what_others_wrote() {
    let server = ApiServer::boot(&Options::default()).unwrap();
    let mut shipped = objects(&kustomize(&repository("manifests/base")));
    shipped.extend(objects(STAND_INS));
    let text = stream(shipped.values());
    succeeded(apply(&server, &text, &[]));
    let (filled, before) = fill(&server, &shipped);
    let list = list_a_policy(&server);
    succeeded(apply(&server, &text, &[]));
    assert_eq!(as_stored(&server, &filled), before);
    assert_eq!(listed(&server), list, "the allow-list is the security team's");
}

#[test]
fn a_release_is_upgraded_without_loss_and_uninstalled_without_a_trace() {
    let server = ApiServer::boot(&Options::default()).unwrap();
    let folder = server.folder().join("chart");
    succeeded(std::process::Command::new("cp").args(["-r", &chart()]).arg(&folder).output().unwrap());
    std::fs::write(folder.join("templates/stand-ins.yaml"), STAND_INS).unwrap();
    let chart = folder.display().to_string();
    let mut shipped = objects(&succeeded(template(&[])));
    shipped.extend(objects(STAND_INS));

    let notes = helm_at(&server, &["install", "countersign", &chart, "--namespace", HOME, "--create-namespace"]);
    assert!(notes.contains("kubectl -n countersign-system rollout status deployment/countersign"), "{notes}");
    for object in shipped.values() {
        stored(&server, &address(object).each_ref().map(String::as_str));
    }
    let (filled, before) = fill(&server, &shipped);
    let list = list_a_policy(&server);
    helm_at(&server, &["upgrade", "countersign", &chart, "--namespace", HOME, "--set", "replicas=5"]);
    assert_eq!(stored(&server, &["-n", HOME, "deployment", "countersign"])["spec"]["replicas"], 5);
    assert_eq!(as_stored(&server, &filled), before);
    assert_eq!(listed(&server), list, "the allow-list is the security team's");

    helm_at(&server, &["uninstall", "countersign", "--namespace", HOME]);
    assert_eq!(listed(&server), list, "and stays theirs");
    succeeded(server.kubectl(&["-n", HOME, "delete", "configmap", "allow-list"]).unwrap());
    for object in shipped.values() {
        let address = address(object);
        let output = server.kubectl(&[&["get"], &address.each_ref().map(String::as_str)[..]].concat()).unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains("NotFound"), "{address:?} is left");
    }
    let left = stored(&server, &["-n", HOME, "secrets,configmaps,leases,serviceaccounts,roles,rolebindings,networkpolicies"]);
    assert_eq!(left["items"], json!([]), "nothing is left in the namespace");
    let namespace = stored(&server, &["namespace", HOME]);
    assert_eq!(namespace["metadata"]["finalizers"], Value::Null);
}

/// How kubectl finds an object.
fn address(object: &Value) -> [String; 4] {
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or(HOME);
    let kind = object["kind"].as_str().unwrap();
    ["-n".to_owned(), namespace.to_owned(), kind.to_owned(), object["metadata"]["name"].as_str().unwrap().to_owned()]
}
