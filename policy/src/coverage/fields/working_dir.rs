//! The working directory is the policy's.
//!
//! Reads: `workingDir`; `OCI.Process.Cwd` of the policy.
//! Allows: anything where the pod leaves it to the image.

use serde_json::json;

use super::{Difference, Pair};
use crate::coverage::request::Change;

pub(super) fn compare(pair: &Pair<'_>) -> Vec<Difference> {
    let Some(asked) = pair.container.working_dir.as_deref().filter(|asked| !asked.is_empty()) else { return Vec::new() };
    let policy = pair.by.part("/OCI/Process/Cwd");
    if policy == Some(&json!(asked)) {
        return Vec::new();
    }
    vec![Difference::asked("workingDir", format!("{asked:?}"), policy, Change::Part("/OCI/Process/Cwd", json!(asked)))]
}
