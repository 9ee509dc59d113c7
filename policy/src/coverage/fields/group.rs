//! The groups are the policy's.
//!
//! Reads: `securityContext.runAsGroup` of the container, else of the pod, the pod's `supplementalGroups` and `fsGroup`;
//! `OCI.Process.User.GID` and `AdditionalGids` of the policy.
//! Allows: more groups in the policy than the pod names, since the image adds its own; anything where the policy's line does not look.
//! Source: Kubernetes, kubelet `determineEffectiveSecurityContext` (`fsGroup` is one of the supplemental groups).

use serde_json::{Value, json};

use super::{Difference, Pair};
use crate::coverage::request::Change;

const ADDITIONAL: &str = "/OCI/Process/User/AdditionalGids";

pub(super) fn compare(pair: &Pair<'_>) -> Vec<Difference> {
    main(pair).into_iter().chain(additional(pair)).collect()
}

fn main(pair: &Pair<'_>) -> Option<Difference> {
    let asked = pair.container.security().run_as_group.or(pair.pod.security.run_as_group)?;
    let policy = pair.by.part("/OCI/Process/User/GID");
    let change = Change::Part("/OCI/Process/User/GID", json!(asked));
    (policy != Some(&json!(asked))).then(|| Difference::asked("runAsGroup", asked.to_string(), policy, change))
}

fn additional(pair: &Pair<'_>) -> Option<Difference> {
    let security = &pair.pod.security;
    let asked: Vec<i64> = security.supplemental_groups.iter().flatten().chain(&security.fs_group).copied().collect();
    let policy = pair.by.part(ADDITIONAL);
    let known = policy.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let missing: Vec<Value> = asked.iter().map(|group| json!(group)).filter(|group| !known.contains(group)).collect();
    let whole: Vec<Value> = known.iter().cloned().chain(missing.iter().cloned()).collect();
    let change = Change::Part(ADDITIONAL, json!(whole));
    (!missing.is_empty()).then(|| Difference::asked("supplementalGroups and fsGroup", json!(asked).to_string(), policy, change))
}
