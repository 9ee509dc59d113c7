//! New privileges are ruled out exactly where the policy says so.
//!
//! Reads: `securityContext.allowPrivilegeEscalation`; `OCI.Process.NoNewPrivileges` of the policy.
//! Allows: the same on both sides; not ruled out where the pod says nothing.

use serde_json::json;

use super::{Difference, Pair};
use crate::coverage::request::Change;

pub(super) fn compare(pair: &Pair<'_>) -> Vec<Difference> {
    let asked = pair.container.security().allow_privilege_escalation == Some(false);
    let Some(policy) = pair.by.part("/OCI/Process/NoNewPrivileges").filter(|policy| **policy != json!(asked)) else {
        return Vec::new();
    };
    // The policy says it the other way round.
    let policy = json!(policy != &json!(true));
    vec![Difference::asked(
        "allowPrivilegeEscalation",
        (!asked).to_string(),
        Some(&policy),
        Change::Part("/OCI/Process/NoNewPrivileges", json!(asked)),
    )]
}
