//! The whole of what is answered to the creation of a pod, before anybody creates it.

use serde_json::Value;

use crate::facts::Known;
use crate::pod::Pod;
use crate::request::{Operation, PodRequest};
use crate::verdict::Verdict;
use crate::{mutate, validate};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Uncreatable {
    /// It is not the pod that the API server would send.
    #[error("the pod cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// What /mutate adds cannot be added to it.
    #[error("the pod cannot be completed: {0}")]
    Unpatchable(#[from] json_patch::PatchError),
}

/// What the webhook answers when this pod is created in `namespace` by no node: it is completed as /mutate does, then judged as
/// /validate does. A conflict that refuses is the whole answer. What other webhooks would change in between is not known.
pub fn creation(pod: &Value, namespace: &str, known: &Known<'_>) -> Result<Verdict, Uncreatable> {
    let completed = ask(mutate, &pod.to_string(), namespace, known)?;
    if !completed.allowed() {
        return Ok(completed);
    }
    let mut pod = pod.clone();
    json_patch::patch(&mut pod, &completed.patch)?;
    let mut verdict = ask(validate, &pod.to_string(), namespace, known)?;
    let mut warnings = completed.warnings;
    warnings.extend(verdict.warnings.into_iter().filter(|warning| !warnings.contains(warning)).collect::<Vec<_>>());
    verdict.warnings = warnings;
    Ok(verdict)
}

fn ask(
    by: fn(&PodRequest<'_>, &Known<'_>) -> Verdict,
    json: &str,
    namespace: &str,
    known: &Known<'_>,
) -> Result<Verdict, serde_json::Error> {
    let pod = Pod::from_json(json)?;
    let operation = Operation::Create;
    Ok(by(&PodRequest { operation, namespace, required: false, groups: Vec::new(), pod, old: None }, known))
}
