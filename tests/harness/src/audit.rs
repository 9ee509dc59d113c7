//! The API server's audit log: who asked what, and the audit annotations that webhooks left.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Every finished request, without bodies; the API server's own are left out.
pub(crate) fn policy() -> Value {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "users": ["system:apiserver"]},
            {"level": "Metadata"},
        ],
    })
}

/// The events in the log, oldest first. A last line that is still being written does not count yet.
///
/// # Errors
/// When the log cannot be read or a whole line of it is not JSON.
pub(crate) fn events(log: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(log).with_context(|| format!("cannot read the audit log {}", log.display()))?;
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).context("a line of the audit log is not JSON")).collect()
}
