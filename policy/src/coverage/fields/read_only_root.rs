//! The root file system is read-only exactly where the policy says so.
//!
//! Reads: `securityContext.readOnlyRootFilesystem`; `OCI.Root.Readonly` of the policy.
//! Allows: the same on both sides; false where the pod says nothing.

use serde_json::json;

use super::{Difference, Pair};
use crate::coverage::request::Change;

pub(super) fn compare(pair: &Pair<'_>) -> Vec<Difference> {
    let asked = pair.container.security().read_only_root_filesystem == Some(true);
    let Some(policy) = pair.by.part("/OCI/Root/Readonly").filter(|policy| **policy != json!(asked)) else { return Vec::new() };
    vec![Difference::asked(
        "readOnlyRootFilesystem",
        asked.to_string(),
        Some(policy),
        Change::Part("/OCI/Root/Readonly", json!(asked)),
    )]
}
