//! What a pod was judged by does not change through pods/status, pods/binding and bindings.

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use super::{KEY, KUBELET, SCHEDULER, TENANT, patch, pod, protected, server};
use crate::pods::{Answer, create, run};
use crate::site::block_on;

const POLICY: &str = "ValidatingAdmissionPolicy 'unchanging-keys.countersign.dev'";

fn namespace(name: &str) {
    block_on(server().namespace(name, &[], &[])).unwrap();
    create(server(), &protected(name, "p"), false).admitted();
}

fn status(user: &str, namespace: &str, change: &Value) -> Answer {
    patch(user, server(), namespace, "p", "status", change)
}

/// Posts a Binding with this metadata beside the name.
fn bind(user: &str, namespace: &str, pod: &str, path: &str, metadata: Value) -> Answer {
    let mut binding =
        json!({"apiVersion": "v1", "kind": "Binding", "target": {"apiVersion": "v1", "kind": "Node", "name": "n"}});
    binding["metadata"] = metadata;
    binding["metadata"]["name"] = json!(pod);
    let path = format!("/api/v1/namespaces/{namespace}/{path}");
    run(server(), &["--context", user, "create", "--raw", &path, "-f", "-"], &binding)
}

/// Reports that a pod runs, as the kubelet does: a strategic patch of pods/status, sent without reading the pod first.
fn report_running(namespace: &str, name: &str) -> Pod {
    block_on(async {
        // The node authorizer lets the kubelet read its pods a moment after they are bound, and write their status at once.
        let uid = Api::<Pod>::namespaced(server().client().unwrap(), namespace).get(name).await.unwrap().metadata.uid;
        let pods = Api::<Pod>::namespaced(server().client_as(KUBELET).unwrap(), namespace);
        let running = json!({"metadata": {"uid": uid}, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
        pods.patch_status(name, &PatchParams::default(), &Patch::Strategic(running)).await.unwrap()
    })
}

/// The policy annotation of the pod as it is stored.
fn policy(namespace: &str, name: &str) -> String {
    let output = server().kubectl(&["get", "pod", "-n", namespace, name, "-o", "json"]).unwrap();
    let pod: Value = serde_json::from_slice(&output.stdout).unwrap();
    pod["metadata"]["annotations"][KEY].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_tenant_cannot_replace_the_policy_through_a_side_way() {
    namespace("keys");
    let other = json!({"annotations": {KEY: "b3RoZXI="}});
    let told = |answer: Answer, way: &str| {
        let refusal = answer.refused();
        assert!(refusal.contains(POLICY), "{refusal}");
        assert!(
            refusal.contains(&format!("a write to {way} must not change labels and annotations under countersign.dev/")),
            "{refusal}"
        );
    };
    told(status(TENANT, "keys", &json!({"metadata": other})), "pods/status");
    told(status(TENANT, "keys", &json!({"metadata": {"annotations": {KEY: null}}})), "pods/status");
    told(status(TENANT, "keys", &json!({"metadata": {"annotations": {"io.katacontainers.x": "y"}}})), "pods/status");
    told(status(TENANT, "keys", &json!({"metadata": {"labels": {"countersign.dev/countersigned": "true"}}})), "pods/status");
    told(bind(TENANT, "keys", "p", "pods/p/binding", other.clone()), "pods/binding");
    told(bind(TENANT, "keys", "p", "bindings", other), "bindings");
    told(bind(TENANT, "keys", "p", "bindings", json!({"labels": {"countersign.dev/countersigned": "true"}})), "bindings");
    assert_eq!(policy("keys", "p"), "cGFja2FnZSBwCg==");
    // With the same rights, what is nobody's business passes.
    status(TENANT, "keys", &json!({"metadata": {"labels": {"app": "x"}, "annotations": {"a": "b"}}})).admitted();
    bind(TENANT, "keys", "p", "pods/p/binding", json!({"annotations": {"a": "c"}})).admitted();
}

#[test]
fn scheduler_and_kubelet_do_their_work_on_confidential_pods() {
    namespace("work");
    bind(SCHEDULER, "work", "p", "pods/p/binding", json!({})).admitted();
    assert_eq!(report_running("work", "p").status.unwrap().phase.as_deref(), Some("Running"));
    assert_eq!(policy("work", "p"), "cGFja2FnZSBwCg==");
}

#[test]
fn a_pod_with_forty_thousand_annotations_still_gets_its_status() {
    namespace("crowded");
    let mut crowded = pod("crowded", "crowded", json!({}));
    crowded["metadata"]["annotations"] = (0..40_000).map(|n| (format!("{n:x}"), json!(""))).collect();
    create(server(), &crowded, false).admitted();
    bind(SCHEDULER, "crowded", "crowded", "pods/crowded/binding", json!({})).admitted();
    let started = std::time::Instant::now();
    report_running("crowded", "crowded");
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    let refusal =
        patch(TENANT, server(), "crowded", "crowded", "status", &json!({"metadata": {"annotations": {"a": "b"}}})).refused();
    assert!(refusal.contains("or those of a pod with more than 256"), "{refusal}");
}
