//! Name and namespace of the pod, which every container's request carries, and the user of the sandbox's own container.
//!
//! Source: Kata Containers, genpolicy `rules.rego` (`allow_sandbox_name`, `allow_namespace`); Kubernetes, `names.SimpleNameGenerator`.

use serde_json::json;

use super::cause::Cause;
use super::described::Described;
use super::fields::{Difference, Proof};
use super::patterns::Patterns;
use super::pod::AskedPod;
use super::request::Change;
use super::sample;
use crate::data::{SANDBOX_NAME, SANDBOX_NAMESPACE};

/// What controllers and the API server put after the prefix of a generated name: a Deployment's hash and the pod's, a pod's, a
/// `StatefulSet`'s number, a `CronJob`'s minute with the pod's.
const SUFFIXES: [&str; 4] = ["5d5f8c9b7-bcdfg", "bcdfg", "0", "29000000-bcdfg"];

/// Name and namespace that the policy takes: the pod's, where they fit. Everything else is judged with these, so that it is judged
/// for itself.
pub(super) fn of(pod: &AskedPod, by: Described<'_>, patterns: &Patterns) -> (String, String, Vec<Difference>) {
    let (name, other_name) = name(pod, by, patterns);
    let (namespace, other_namespace) = namespace(pod, by);
    (name, namespace, other_name.into_iter().chain(other_namespace).collect())
}

fn name(pod: &AskedPod, by: Described<'_>, patterns: &Patterns) -> (String, Option<Difference>) {
    let names: Vec<String> = if pod.name.is_empty() {
        SUFFIXES.iter().map(|suffix| format!("{}{suffix}", pod.generate_name)).collect()
    } else {
        vec![pod.name.clone()]
    };
    let first = names.first().cloned().unwrap_or_default();
    let Some(pattern) = by.annotation(SANDBOX_NAME) else { return (first, None) };
    if let Some(fitting) = names.iter().find(|name| patterns.name_fits(pattern, name)) {
        return (fitting.clone(), None);
    }
    let (shown, proof) = if pod.name.is_empty() {
        (format!("generated from {:?}", pod.generate_name), Proof::None)
    } else {
        (format!("{:?}", pod.name), Proof::Rule { usual: None, change: Change::Annotation(SANDBOX_NAME, pod.name.clone()) })
    };
    let field = "metadata.name".to_owned();
    let difference = Difference { field, pod: shown, policy: format!("the pattern {pattern}"), cause: Cause::OtherName, proof };
    (sample::matching(pattern).unwrap_or(first), Some(difference))
}

fn namespace(pod: &AskedPod, by: Described<'_>) -> (String, Option<Difference>) {
    match by.annotation(SANDBOX_NAMESPACE) {
        // Where the manifest had none and the generator took none, the policy takes the first that it sees.
        Some(policy) if !policy.is_empty() && policy != pod.namespace => {
            let cause = if policy == "default" { Cause::NoNamespace } else { Cause::OtherNamespace };
            let proof = Proof::Rule { usual: None, change: Change::Annotation(SANDBOX_NAMESPACE, pod.namespace.clone()) };
            let (field, shown) = ("metadata.namespace".to_owned(), format!("{:?}", pod.namespace));
            (policy.to_owned(), Some(Difference { field, pod: shown, policy: format!("{policy:?}"), cause, proof }))
        }
        _ => (pod.namespace.clone(), None),
    }
}

/// The user of the sandbox's own container, which is that of the pod's security context.
///
/// Source: containerd, `podsandbox` (`sandboxContainerSpecOpts`).
pub(super) fn user(pod: &AskedPod, by: Described<'_>) -> Option<Difference> {
    let asked = json!(pod.security.run_as_user?);
    let policy = by.part("/OCI/Process/User/UID").filter(|policy| **policy != asked)?;
    let field = "securityContext.runAsUser of the pod's sandbox";
    Some(Difference::asked(field, asked.to_string(), Some(policy), Change::Part("/OCI/Process/User/UID", asked.clone())))
}
