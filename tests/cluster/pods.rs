//! The pods of the scenes, and the allow-list that lets the confidential ones in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::path::Path;

use countersign_harness::{MANIFESTS, STAND_IN_IMAGE};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

/// The one annotation that the runtime of profile `aks` measures.
pub(crate) const POLICY: &str = "io.katacontainers.config.agent.policy";

/// The policy of the samples, as the annotation carries it.
pub(crate) fn sample_policy() -> String {
    let consumer: Vec<Value> = serde_saphyr::from_multiple(&sample("consumer-plain-with-policy.yaml")).unwrap();
    consumer[0]["metadata"]["annotations"][POLICY].as_str().unwrap().to_owned()
}

/// A sample manifest.
pub(crate) fn sample(name: &str) -> String {
    fs::read_to_string(Path::new(MANIFESTS).join("samples").join(name)).unwrap()
}

/// The policy of the scenes' own pods, which run nothing: it describes no containers, so that pods of every name fit it.
const NOTHING_RUNS: &str = "package agent_policy\n# nothing runs\n";

/// A ConfigMap that lists the policy of the scenes' own pods for their namespace.
pub(crate) fn allow_list() -> String {
    let digest = countersign_policy::Digest::sha256_of(NOTHING_RUNS.as_bytes()).to_string();
    let entry = json!([{"digest": digest, "namespaces": [crate::site::NAMESPACE]}]);
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "allow-list-scenes",
            "namespace": crate::site::HOME,
            "labels": {"countersign.dev/allow-list": "true"},
        },
        "data": {"scenes.yaml": entry.to_string()},
    })
    .to_string()
}

/// A listed confidential pod that is never scheduled: it costs the node nothing.
pub(crate) fn confidential(name: &str) -> Pod {
    with_policy(name, &STANDARD.encode(NOTHING_RUNS))
}

/// A confidential pod with a policy.
pub(crate) fn with_policy(name: &str, policy: &str) -> Pod {
    pod(json!({
        "metadata": {
            "name": name,
            "labels": {"countersign.dev/confidential": "true"},
            "annotations": {POLICY: policy},
        },
        "spec": {
            "schedulingGates": [{"name": "countersign.test/never"}],
            "containers": [{"name": "main", "image": STAND_IN_IMAGE}],
        },
    }))
}

/// An ordinary pod, which runs.
pub(crate) fn ordinary(name: &str) -> Pod {
    pod(json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": STAND_IN_IMAGE}]}}))
}

/// A pod from its manifest.
pub(crate) fn pod(manifest: Value) -> Pod {
    serde_json::from_value(manifest).unwrap()
}

/// Admission is asked, nothing is stored.
pub(crate) fn dry_run() -> PostParams {
    PostParams { dry_run: true, ..PostParams::default() }
}

/// Deletion that waits for nobody.
pub(crate) fn at_once() -> DeleteParams {
    DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() }
}

/// Whether the pod runs and all its containers are ready.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| all.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True"))
}

/// How often every container of the pod was started again.
pub(crate) fn restarts(pod: &Pod) -> i32 {
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    statuses.map_or(0, |all| all.iter().map(|status| status.restart_count).min().unwrap_or_default())
}
