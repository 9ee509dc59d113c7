//! The pods that the demo sends, and what should become of them.

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_decision::labels;
use countersign_manifest::ManifestFile;
use countersign_policy::Measured;
use serde_json::{Value, json};

use super::api_server::Created;

/// The allow-list of the samples.
pub(super) const ALLOW_LIST: &str = include_str!("../../../manifests/samples/allow-list.yaml");
const PLAIN: &str = include_str!("../../../manifests/samples/consumer-plain.yaml");
const TUTORIAL: &str = include_str!("../../../manifests/samples/consumer.yaml");
const PRODUCER: &str = include_str!("../../../manifests/samples/producer.yaml");
const POLICY: &str = include_str!("../../../manifests/samples/policy.rego");

/// One pod of the demo.
pub(super) struct Scene {
    pub(super) title: &'static str,
    pub(super) pod: Value,
    pub(super) expected: Expected,
}

/// What should become of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Completed and admitted.
    Completed,
    /// Admitted as it is, by an entry of the allow-list.
    Admitted,
    /// Admitted untouched.
    Untouched,
    /// Refused by this rule or change.
    RefusedBy(&'static str),
}

impl Expected {
    pub(super) fn matches(self, created: &Created) -> bool {
        let reasons = created.refused.as_deref();
        match self {
            Self::Completed => reasons.is_none() && !created.changes.is_empty() && created.entry.is_some(),
            Self::Admitted => reasons.is_none() && created.changes.is_empty() && created.entry.is_some(),
            Self::Untouched => reasons.is_none() && created.changes.is_empty() && created.entry.is_none(),
            Self::RefusedBy(id) => {
                reasons.is_some_and(|reasons| reasons.lines().any(|line| line.starts_with(&format!("{id}: "))))
            }
        }
    }
}

/// The scenes in their order.
pub(super) fn scenes() -> anyhow::Result<Vec<Scene>> {
    let plain = with_policy(pod(PLAIN)?, POLICY);
    let unmeasured = pod(PLAIN)?;
    let unlisted = with_policy(plain.clone(), &format!("{POLICY}# one more line, and it is another policy\n"));
    let mut ordinary_class = plain.clone();
    set(&mut ordinary_class, "/spec", "runtimeClassName", json!("runc"));
    let mut misspelt = unmeasured.clone();
    set(&mut misspelt, "/metadata/labels", labels::CONFIDENTIAL, json!("True"));
    Ok(vec![
        Scene {
            title: "The plain consumer, opted in by one label, without a policy",
            pod: unmeasured,
            expected: Expected::RefusedBy("policy-missing"),
        },
        Scene { title: "The same, with its policy listed", pod: plain, expected: Expected::Completed },
        Scene {
            title: "The same, with a policy that nobody listed",
            pod: unlisted,
            expected: Expected::RefusedBy("policy-not-allowed"),
        },
        Scene {
            title: "The tutorial's consumer, complete as its author wrote it",
            pod: pod(TUTORIAL)?,
            expected: Expected::Admitted,
        },
        Scene { title: "The producer, an ordinary pod", pod: pod(PRODUCER)?, expected: Expected::Untouched },
        Scene {
            title: "An opted-in pod with another runtime class",
            pod: ordinary_class,
            expected: Expected::RefusedBy("runtime-class"),
        },
        Scene { title: "A pod whose opt-in is misspelt", pod: misspelt, expected: Expected::RefusedBy("opt-in-malformed") },
    ])
}

/// The pod of a sample.
fn pod(text: &str) -> anyhow::Result<Value> {
    let pods = ManifestFile::parse("sample", text)?.pods()?;
    let mut pod = pods.into_iter().next().ok_or_else(|| anyhow!("the sample has no pod"))?.pod;
    let annotations = pod.pointer_mut("/metadata").context("the sample's pod has no metadata")?;
    annotations.as_object_mut().map(|metadata| metadata.entry("annotations").or_insert_with(|| json!({})));
    Ok(pod)
}

fn with_policy(mut pod: Value, policy: &str) -> Value {
    set(&mut pod, "/metadata/annotations", Measured::AgentPolicy.annotation(), json!(STANDARD.encode(policy)));
    pod
}

fn set(pod: &mut Value, pointer: &str, field: &str, value: Value) {
    if let Some(map) = pod.pointer_mut(pointer).and_then(Value::as_object_mut) {
        map.insert(field.to_owned(), value);
    }
}
