//! The namespace enforces a level of Pod Security that forbids what the profile adds to an opted-in pod.
//!
//! Why: the API server refuses such a pod before /validate is asked, in words that speak of a sidecar or volume which its author
//! never wrote.
//! Reads: the namespace's label pod-security.kubernetes.io/enforce; of the profile's sidecar its volumes, ports and security
//! context.
//! Silent: about what the author wrote; where no such label is set (the API server's own configuration may have another default).
//! Source: Kubernetes, "Pod Security Standards" (baseline: host path volumes, host ports, privileged containers; restricted: also
//! privilege escalation and capabilities) and "Pod Security Admission" (a level that it does not know counts as restricted;
//! exemptions).

use serde_json::{Map, Value, json};

use crate::configuration::{Profile, Sidecar};
use crate::facts::Known;
use crate::labels::POD_SECURITY;
use crate::sidecar::volume_name;
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) const ID: &str = "pod-security";

pub(super) fn said(subject: &Subject<'_>, _: &Known<'_>) -> Option<Refusal> {
    let level = subject.namespace_facts.pod_security.as_deref().filter(|_| subject.opted_in)?;
    let profile: &Profile = subject.profile.as_ref().ok()?;
    let forbidden = forbidden(profile.sidecar.as_ref()?, level != "baseline");
    if forbidden.is_empty() {
        return None;
    }
    Some(Refusal::new(
        ID,
        format!(
            "namespace {} enforces Pod Security {level:?}, which forbids what profile {} adds: {}. Unless runtime class {} is exempt, the API server refuses the pod",
            subject.namespace,
            profile.name,
            forbidden.join(", "),
            profile.runtime_class
        ),
        format!("Ask for the namespace label {POD_SECURITY}: privileged"),
    ))
}

/// What of the sidecar is forbidden.
fn forbidden(sidecar: &Sidecar, restricted: bool) -> Vec<String> {
    let name = sidecar.name();
    let security = sidecar.container.get("securityContext");
    let says = |field: &str| security.and_then(|security| security.get(field));
    let ports = sidecar.container.get("ports").and_then(Value::as_array).into_iter().flatten();
    let on_host = |port: &Value| port.get("hostPort").and_then(Value::as_u64).is_some_and(|port| port != 0);
    let host_paths = sidecar.volumes.iter().filter(|volume| volume.contains_key("hostPath"));
    let mut forbidden: Vec<String> =
        host_paths.map(|volume: &Map<String, Value>| format!("hostPath volume {}", volume_name(volume))).collect();
    if ports.clone().any(on_host) {
        forbidden.push(format!("a hostPort of container {name}"));
    }
    if says("privileged") == Some(&json!(true)) {
        forbidden.push(format!("container {name} is privileged"));
    }
    if restricted && says("allowPrivilegeEscalation") != Some(&json!(false)) {
        forbidden.push(format!("container {name} does not forbid privilege escalation"));
    }
    let dropped = says("capabilities").and_then(|capabilities| capabilities.get("drop")).and_then(Value::as_array);
    if restricted && !dropped.is_some_and(|dropped| dropped.contains(&json!("ALL"))) {
        forbidden.push(format!("container {name} does not drop all capabilities"));
    }
    forbidden
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sidecar(container: &Value, volumes: &Value) -> Sidecar {
        serde_json::from_value(json!({"container": container, "volumes": volumes})).unwrap()
    }

    #[test]
    fn what_each_level_forbids_is_named() {
        let bare = sidecar(&json!({"name": "skr"}), &json!([{"name": "v", "hostPath": {"path": "/x"}}]));
        assert_eq!(forbidden(&bare, false), ["hostPath volume v"]);
        assert_eq!(forbidden(&bare, true).len(), 3);
        let security = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
        let strict = sidecar(&json!({"name": "skr", "securityContext": security}), &json!([{"name": "v", "emptyDir": {}}]));
        assert_eq!(forbidden(&strict, true), Vec::<String>::new());
        let wild = json!({"name": "skr", "ports": [{"hostPort": 1}], "securityContext": {"privileged": true}});
        assert_eq!(
            forbidden(&sidecar(&wild, &json!([])), false),
            ["a hostPort of container skr", "container skr is privileged"]
        );
    }
}
