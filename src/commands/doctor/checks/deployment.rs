//! The replicas that the Deployment wants are available.
//!
//! Reads: its status; of pods that are not ready, what keeps them: no node, no image, a container that ends.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use serde_json::Value;

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let mut findings = Vec::new();
    let mut says = String::new();
    let namespace = &snapshot.namespace;
    for wanted in snapshot.of_kinds(&["Deployment"]) {
        let Some(found) = super::present(wanted, snapshot, &mut findings) else { continue };
        let number = |pointer: &str| found.pointer(pointer).and_then(Value::as_i64).unwrap_or_default();
        let (replicas, available) = (number("/spec/replicas"), number("/status/availableReplicas"));
        says = format!("{available}/{replicas} replicas are available");
        if replicas == 0 {
            findings.push(Finding::wrong(
                "the Deployment is scaled to 0: every confidential pod is refused".to_owned(),
                format!("kubectl scale -n {namespace} deployment/countersign --replicas 3"),
            ));
        } else if available < replicas {
            let why = snapshot.own_pods.as_ref().map(|pods| reasons(pods)).unwrap_or_default();
            findings.push(Finding::wrong(
                format!("{available}/{replicas} replicas are available{why}"),
                format!("kubectl describe pods -n {namespace} -l app.kubernetes.io/name=countersign\nkubectl logs -n {namespace} -l app.kubernetes.io/name=countersign --tail 20"),
            ));
        } else if replicas == 1 {
            findings.push(Finding::warning(
                "one replica alone: while it moves, every confidential pod is refused",
                format!("kubectl scale -n {namespace} deployment/countersign --replicas 3"),
            ));
        }
    }
    Examined::new(says, findings)
}

/// What keeps the pods that are not ready, each reason once.
fn reasons(pods: &[Pod]) -> String {
    let mut reasons: Vec<String> = pods.iter().filter_map(reason).collect();
    reasons.sort();
    reasons.dedup();
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
}

fn reason(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let unscheduled =
        status.conditions.iter().flatten().find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    if let Some(condition) = unscheduled {
        return Some(format!("no node takes {}: {}", pod.name_any(), condition.message.as_deref().unwrap_or_default()));
    }
    let waiting =
        status.container_statuses.iter().flatten().find_map(|container| container.state.as_ref()?.waiting.as_ref())?;
    let words = [waiting.reason.as_deref(), waiting.message.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
    Some(format!("{} waits: {words}", pod.name_any()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::healthy::{change, healthy};
    use super::super::tests::findings;

    #[test]
    fn replicas_that_are_not_available_are_counted_with_what_keeps_them() {
        let mut snapshot = healthy();
        change(&mut snapshot, "Deployment", |found| found["status"]["availableReplicas"] = json!(2));
        let pod = json!({"metadata": {"name": "c-3"}, "status": {"containerStatuses": [{
            "name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
        }]}});
        snapshot.own_pods.as_mut().unwrap().push(serde_json::from_value(pod).unwrap());
        assert_eq!(
            findings("deployment", &snapshot)[0].problem,
            "2/3 replicas are available: c-3 waits: ImagePullBackOff: Back-off pulling image"
        );
    }

    #[test]
    fn a_deployment_scaled_to_nothing_is_told() {
        let mut snapshot = healthy();
        change(&mut snapshot, "Deployment", |found| {
            found["spec"]["replicas"] = json!(0);
            found["status"] = json!({});
        });
        assert!(findings("deployment", &snapshot)[0].problem.starts_with("the Deployment is scaled to 0"));
    }
}
