//! Workloads: whoever writes one is told what its controller would be told about the pods.

use serde_json::{Value, json};

use crate::pods::{create, run};
use crate::site::{Site, block_on, site};

const REFUSED: &str = "will be refused: policy-missing: ";

fn pod_template(labels: &Value) -> Value {
    let mut labels = labels.clone();
    labels["app"] = json!("w");
    json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
}

fn workload(api_version: &str, kind: &str, namespace: &str, template: &Value) -> Value {
    let mut template = template.clone();
    let selector = json!({"matchLabels": {"app": "w"}});
    let spec = match kind {
        "Job" | "CronJob" => {
            template["spec"]["restartPolicy"] = json!("Never");
            let job = json!({"template": template});
            if kind == "Job" { job } else { json!({"schedule": "0 0 * * *", "jobTemplate": {"spec": job}}) }
        }
        "ReplicationController" => json!({"selector": {"app": "w"}, "template": template}),
        "StatefulSet" => json!({"serviceName": "w", "selector": selector, "template": template}),
        _ => json!({"selector": selector, "template": template}),
    };
    let name = format!("w-{}", kind.to_lowercase());
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

fn deployment(namespace: &str, labels: &Value) -> Value {
    workload("apps/v1", "Deployment", namespace, &pod_template(labels))
}

fn opted_in() -> Value {
    json!({"countersign.dev/confidential": "true"})
}

#[test]
fn the_author_of_every_kind_of_workload_is_warned_and_never_refused() {
    let Site { server, .. } = site();
    for (api_version, kind) in [
        ("apps/v1", "Deployment"),
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
        ("v1", "ReplicationController"),
    ] {
        let answer = create(server, &workload(api_version, kind, "kafka", &pod_template(&opted_in())), true);
        let expected = format!("pods of {kind} kafka/w-{} {REFUSED}", kind.to_lowercase());
        assert!(answer.warnings.contains(&expected), "{kind}: {:?}", answer.warnings);
        answer.admitted();
        let ordinary = create(server, &workload(api_version, kind, "kafka", &pod_template(&json!({}))), true);
        assert_eq!(ordinary.warnings, "", "{kind}");
        ordinary.admitted();
    }
}

#[test]
fn an_update_is_told_only_if_the_template_changed_and_a_controlled_workload_never() {
    let Site { server, .. } = site();
    let mut object = deployment("kafka", &opted_in());
    object["metadata"]["name"] = json!("changed");
    let stored = create(server, &object, false).admitted();
    let replaced = |edit: &dyn Fn(&mut Value)| {
        let mut object = stored.clone();
        edit(&mut object);
        let answer = run(server, &["replace", "--dry-run=server", "-o", "json", "-f", "-"], &object);
        let warnings = answer.warnings.clone();
        answer.admitted();
        warnings
    };
    assert_eq!(replaced(&|object| object["spec"]["replicas"] = json!(3)), "");
    let image = |object: &mut Value| object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("other");
    assert!(replaced(&image).contains(REFUSED));
    let mut controlled = workload("apps/v1", "ReplicaSet", "kafka", &pod_template(&opted_in()));
    controlled["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "Deployment", "name": "changed", "uid": stored["metadata"]["uid"], "controller": true
    }]);
    let answer = create(server, &controlled, true);
    assert_eq!(answer.warnings, "");
    answer.admitted();
}

#[test]
fn in_a_required_namespace_every_template_is_looked_at_and_pod_security_is_told() {
    let Site { server, webhook } = site();
    let labels = [("countersign.dev/confidential", "required"), ("pod-security.kubernetes.io/enforce", "baseline")];
    block_on(server.namespace("required-templates", &labels, &[])).unwrap();
    let output = server.kubectl(&["get", "namespace", "required-templates", "-o", "json"]).unwrap();
    webhook.has_seen("namespaces", &serde_json::from_slice(&output.stdout).unwrap());
    let answer = create(server, &deployment("required-templates", &json!({})), true);
    assert!(answer.warnings.contains(REFUSED), "{}", answer.warnings);
    assert!(answer.warnings.contains("pod-security: namespace required-templates enforces"), "{}", answer.warnings);
    answer.admitted();
}
