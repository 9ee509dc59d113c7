//! Real policies with the pods that they were generated for, as the API server makes them: with its defaults and the service account's
//! token in every container.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use countersign_policy::{Limits, Measured};
use serde_json::{Value, json};

use crate::allow_list::{list, unlist};
use crate::pods::{create, documents};
use crate::site::{Site, apply, runtime_class, site};

/// Held by a test that lists the policy of the real consumer, so that no other sees its entry.
pub(crate) static CONSUMER: Mutex<()> = Mutex::new(());

/// The pod of a shared fixture, opted in, and the `ConfigMap` that lists its policy; `None` where there is no fixture.
fn fixture(name: &str, file: &str) -> Option<(Value, Value)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures").join(file);
    let mut pod = documents(&std::fs::read_to_string(path).ok()?).into_iter().find_map(pod_of)?;
    pod["metadata"]["labels"]["countersign.dev/confidential"] = json!("true");
    let annotations = &pod["metadata"]["annotations"];
    let carried = |measured: Measured| Some((measured, annotations[measured.annotation()].as_str()?));
    let (measured, annotation) = Measured::ALL.into_iter().find_map(carried).unwrap();
    let digest = measured.read(annotation, Limits::OFFLINE).unwrap().digest;
    let config_map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"team.yaml": format!("- {{digest: \"{digest}\", namespaces: [kafka]}}\n")},
        "metadata": {"name": name, "namespace": "countersign-system", "labels": {"countersign.dev/allow-list": "true"}}
    });
    Some((pod, config_map))
}

/// The pod itself, or the first one of a Deployment, with a name as its controller makes it.
fn pod_of(document: Value) -> Option<Value> {
    match document["kind"].as_str()? {
        "Pod" => Some(document),
        "Deployment" => {
            let mut pod = document["spec"]["template"].clone();
            pod["apiVersion"] = json!("v1");
            pod["kind"] = json!("Pod");
            pod["metadata"]["namespace"] = document["metadata"]["namespace"].clone();
            pod["metadata"]["generateName"] = json!(format!("{}-5d5f8c9b7-", document["metadata"]["name"].as_str()?));
            Some(pod)
        }
        _ => None,
    }
}

#[test]
fn a_real_pod_is_covered_by_its_policy_after_the_defaults_and_the_service_account() {
    let Some((pod, config_map)) = fixture("covered", "consumer-aks.yaml") else { return };
    let _alone = CONSUMER.lock().unwrap_or_else(PoisonError::into_inner);
    let Site { server, webhook } = site();
    list(server, webhook, &config_map);
    let answer = create(server, &pod, true);
    // The control plane of these tests has no nodes.
    let warnings: Vec<&str> = answer.warnings.lines().filter(|warning| !warning.starts_with("Warning: no-node: ")).collect();
    assert_eq!(warnings, [""; 0]);
    let stored = answer.admitted();
    for container in stored["spec"]["containers"].as_array().unwrap() {
        let mounts = container["volumeMounts"].as_array().unwrap();
        assert!(
            mounts.iter().any(|mount| mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"),
            "{container}"
        );
        assert_eq!(container["terminationMessagePath"], "/dev/termination-log");
    }
    unlist(server, "covered");
}

#[test]
fn the_real_pods_of_every_platform_are_covered_by_their_policies() {
    let files = ["consumer-deployment-aks.yaml", "consumer-coco-snp.yaml", "consumer-coco-tdx.yaml"];
    let Some(fixtures) = files.into_iter().map(|file| fixture("covered", file)).collect::<Option<Vec<_>>>() else { return };
    let configuration =
        "apiVersion: countersign.dev/v1alpha1\nkind: Configuration\nenabledProfiles: [aks, coco-snp, coco-tdx]\n";
    let Site { server, webhook } = &Site::open(Some(configuration));
    for class in ["kata-qemu-snp", "kata-qemu-tdx"] {
        apply(server, &runtime_class(class, class).to_string());
    }
    for ((pod, config_map), file) in fixtures.iter().zip(files) {
        list(server, webhook, config_map);
        let answer = create(server, pod, true);
        assert!(!answer.warnings.contains("policy-covers-the-pod"), "{file}: {}", answer.warnings);
        let stored = answer.admitted();
        let mounts = stored["spec"]["containers"][0]["volumeMounts"].as_array().unwrap();
        let is_token = |mount: &Value| mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount";
        assert!(mounts.iter().any(is_token), "{file}: {stored}");
        unlist(server, "covered");
    }
}

#[test]
fn a_real_policy_made_before_injection_is_refused_with_the_container_and_the_cause() {
    let Some((pod, config_map)) = fixture("before-injection", "consumer-policy-made-before-injection.yaml") else { return };
    let Site { server, webhook } = site();
    list(server, webhook, &config_map);
    let refused = create(server, &pod, true).refused();
    assert!(refused.contains("policy-covers-the-pod: the policy does not cover the pod: container skr, name:"), "{refused}");
    assert!(refused.contains("run `countersign render` first"), "{refused}");
    unlist(server, "before-injection");
}
