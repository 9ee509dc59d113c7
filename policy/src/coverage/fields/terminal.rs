//! A terminal is there exactly where the policy says so.
//!
//! Reads: `tty`; `OCI.Process.Terminal` of the policy.
//! Allows: the same on both sides; none where the pod says nothing.

use serde_json::json;

use super::{Difference, Pair};
use crate::coverage::request::Change;

pub(super) fn compare(pair: &Pair<'_>) -> Vec<Difference> {
    let asked = pair.container.tty == Some(true);
    let Some(policy) = pair.by.part("/OCI/Process/Terminal").filter(|policy| **policy != json!(asked)) else {
        return Vec::new();
    };
    vec![Difference::asked("tty", asked.to_string(), Some(policy), Change::Part("/OCI/Process/Terminal", json!(asked)))]
}
