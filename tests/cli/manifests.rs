//! `countersign manifests`, `schema` and `completion`.

use serde_json::Value;

use crate::called::{countersign, file};

#[test]
fn the_manifests_know_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "c.yaml",
        "apiVersion: countersign.dev/v1alpha1\nkind: Configuration\nrequiredNamespaces: [payments]\n",
    );
    let printed = countersign(&["manifests", "--config", &path, "-n", "security"]).printed();
    let objects: Vec<Value> = serde_saphyr::from_multiple(&printed).unwrap();
    assert!(objects.iter().any(|object| object["kind"] == "ValidatingWebhookConfiguration"));
    assert!(objects.iter().any(|object| object["kind"] == "Namespace" && object["metadata"]["name"] == "security"));
    assert!(printed.contains("payments"), "the required namespace is a literal of the webhook's conditions");
}

#[test]
fn the_schemas_are_json_schemas() {
    for of in ["configuration", "allow-list"] {
        let schema: Value = serde_json::from_str(&countersign(&["schema", of]).printed()).unwrap();
        assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"), "{schema}");
    }
}

#[test]
fn completion_is_printed_for_a_shell() {
    assert!(countersign(&["completion", "bash"]).printed().contains("complete -F"));
}
