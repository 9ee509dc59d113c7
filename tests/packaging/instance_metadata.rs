//! The component that closes the instance metadata service.

use serde_json::{Value, json};

use crate::programs::{kustomize, objects, repository};

/// The component as a team uses it, in its namespace.
pub(crate) fn in_namespace(namespace: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    // kustomize takes relative paths alone.
    let up = "../".repeat(folder.path().canonicalize().unwrap().components().count() - 1);
    let component = repository("manifests/components/instance-metadata").display().to_string();
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": namespace,
        "components": [format!("{up}{}", component.trim_start_matches('/'))],
    });
    std::fs::write(folder.path().join("kustomization.yaml"), kustomization.to_string()).unwrap();
    kustomize(folder.path())
}

/// Whether a policy selects pods with these labels.
fn selects(policy: &Value, labels: &Value) -> bool {
    let wanted = policy["spec"]["podSelector"]["matchLabels"].as_object();
    wanted.into_iter().flatten().all(|(key, value)| labels[key] == *value)
}

/// Whether a rule allows the instance metadata service.
fn allows_metadata(rule: &Value) -> bool {
    let port = rule["ports"].as_array().is_none_or(|ports| ports.iter().any(|port| port["port"] == 80));
    port && rule["to"].as_array().unwrap().iter().any(|peer| {
        let block = &peer["ipBlock"];
        let covers = ["0.0.0.0/0", "169.254.169.254/32"].map(Value::from).contains(&block["cidr"]);
        covers && !block["except"].as_array().is_some_and(|except| except.contains(&json!("169.254.169.254/32")))
    })
}

#[test]
fn only_countersigned_pods_reach_the_instance_metadata_service() {
    let policies = objects(&in_namespace("kafka"));
    assert_eq!(policies.len(), 2);
    assert!(policies.values().all(|policy| policy["kind"] == "NetworkPolicy" && policy["metadata"]["namespace"] == "kafka"));
    let reaches = |labels: Value| {
        let selecting: Vec<_> = policies.values().filter(|policy| selects(policy, &labels)).collect();
        assert!(!selecting.is_empty(), "a pod without a policy reaches everything: {labels}");
        selecting.iter().flat_map(|policy| policy["spec"]["egress"].as_array().unwrap()).any(allows_metadata)
    };
    assert!(!reaches(json!({})));
    assert!(!reaches(json!({"countersign.dev/confidential": "true"})));
    assert!(!reaches(json!({"countersign.dev/countersigned": "yes"})));
    assert!(reaches(json!({"countersign.dev/countersigned": "true"})));
}

#[test]
fn everything_else_stays_open() {
    let policies = objects(&in_namespace("kafka"));
    let open = &policies["NetworkPolicy/kafka/restrict-instance-metadata"]["spec"]["egress"];
    let peers = json!([
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}, {"ipBlock": {"cidr": "::/0"}}, {"namespaceSelector": {}},
    ]);
    assert_eq!(*open, json!([{"to": peers}]));
}
