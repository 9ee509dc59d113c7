//! The user is the policy's.
//!
//! Reads: `securityContext.runAsUser` of the container, else of the pod; `OCI.Process.User.UID` of the policy.
//! Allows: anything where the pod leaves it to the image.

use serde_json::json;

use super::{Difference, Pair};
use crate::coverage::request::Change;

pub(super) fn compare(pair: &Pair<'_>) -> Vec<Difference> {
    let Some(asked) = pair.container.security().run_as_user.or(pair.pod.security.run_as_user) else { return Vec::new() };
    let policy = pair.by.part("/OCI/Process/User/UID");
    if policy == Some(&json!(asked)) {
        return Vec::new();
    }
    vec![Difference::asked("runAsUser", asked.to_string(), policy, Change::Part("/OCI/Process/User/UID", json!(asked)))]
}
