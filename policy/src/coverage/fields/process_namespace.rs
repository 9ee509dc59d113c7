//! Containers see each other's processes exactly where the policy says so.
//!
//! Reads: `shareProcessNamespace of the pod`; `sandbox_pidns` of the policy.
//! Allows: the same on both sides; separate ones where the pod says nothing.

use serde_json::json;

use super::{Difference, Pair};
use crate::coverage::request::Change;

pub(super) fn compare(pair: &Pair<'_>) -> Vec<Difference> {
    let asked = pair.pod.shares_processes;
    let Some(policy) = pair.by.part("/sandbox_pidns").filter(|policy| **policy != json!(asked)) else { return Vec::new() };
    vec![Difference::asked(
        "shareProcessNamespace",
        asked.to_string(),
        Some(policy),
        Change::Part("/sandbox_pidns", json!(asked)),
    )]
}
