//! The sample's pod, which the sample's allow-list lists, and the review of a pod.

use serde_json::{Value, json};

pub(crate) fn pod() -> Value {
    let manifest = std::fs::read_to_string("manifests/samples/consumer.yaml").unwrap();
    let documents: Vec<Value> = serde_saphyr::from_multiple(&manifest).unwrap();
    documents.into_iter().find(|document| document["kind"] == "Pod").unwrap()
}

pub(crate) fn review(pod: &Value) -> String {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u", "operation": "CREATE", "namespace": "kafka", "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "object": pod
        }
    })
    .to_string()
}
