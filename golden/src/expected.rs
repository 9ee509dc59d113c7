//! What is expected of a case.

use serde::Deserialize;
use serde_json::Value;

use crate::folder::{Folder, UnusableCase};

/// What is expected of a case about a rule: `verdict.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedVerdict {
    /// The word of the decision: untouched, admitted, warned, audited or refused.
    pub decision: String,
    /// Every reason against the pod, in order, whatever the mode made of it.
    #[serde(default)]
    pub refused: Vec<Reason>,
    /// Every warning, in order.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Set where the pod is judged as it stands, without /mutate: why. Such a case cannot be replayed.
    #[serde(default)]
    pub as_stored: Option<String>,
    /// Set where the case cannot be replayed through an API server: why.
    #[serde(default)]
    pub not_replayed: Option<String>,
}

/// A reason against a pod, word for word.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The id of the rule or change.
    pub id: String,
    /// What is wrong.
    pub because: String,
    /// What to do next.
    pub next: String,
}

/// What is expected of a case about a change: `completed.yaml` or `refused.yaml`.
#[derive(Debug, Clone)]
pub enum ExpectedPod {
    /// The pod after the patch.
    Completed(Value),
    /// The pod as it was: `completed.yaml` holds the word `unchanged`.
    Unchanged,
    /// The conflicts, in order.
    Refused(Vec<Reason>),
}

impl ExpectedPod {
    pub(crate) fn of(folder: &Folder) -> Result<Self, UnusableCase> {
        if let Some(reasons) = folder.optional("refused.yaml")? {
            return Ok(Self::Refused(reasons));
        }
        let completed: Value = folder.required("completed.yaml")?;
        Ok(if completed == "unchanged" { Self::Unchanged } else { Self::Completed(completed) })
    }
}
