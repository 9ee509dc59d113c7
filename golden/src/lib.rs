//! The golden cases: folders that a person can read, replayed as unit tests and through a real API server.
//!
//! `README.md` beside this crate says what a folder holds. [`rule_cases`], [`change_cases`] and [`warning_cases`] load them all; a
//! file that is missing, unknown or malformed is an error that names it.

mod comparison;
mod expected;
mod folder;
mod given;
mod policies;

use std::path::Path;

use serde_json::Value;

pub use comparison::missing;
pub use expected::{ExpectedPod, ExpectedVerdict, Reason};
pub use folder::UnusableCase;
pub use given::{DIGEST, Given, NAMESPACE, POLICY};

use folder::Folder;

/// One case: a pod, what is known beside it, and what is expected.
#[derive(Debug, Clone)]
pub struct Case<E> {
    /// The id of the rule or change that the case is about.
    pub row: String,
    /// The name of its folder, in words.
    pub name: String,
    /// The pod as it is asked for.
    pub pod: Value,
    /// The pod as it was, where the case is an update.
    pub old: Option<Value>,
    /// What is known beside the pod.
    pub given: Given,
    /// What is expected.
    pub expected: E,
}

/// Every case under `rules/`, in the order of their names.
pub fn rule_cases() -> Result<Vec<Case<ExpectedVerdict>>, UnusableCase> {
    cases("rules", |folder| folder.required("verdict.yaml"))
}

/// Every case under `changes/`, in the order of their names.
pub fn change_cases() -> Result<Vec<Case<ExpectedPod>>, UnusableCase> {
    cases("changes", ExpectedPod::of)
}

/// Every case under `warnings/`, in the order of their names.
pub fn warning_cases() -> Result<Vec<Case<ExpectedVerdict>>, UnusableCase> {
    cases("warnings", |folder| folder.required("verdict.yaml"))
}

fn cases<E>(table: &str, expected: fn(&Folder) -> Result<E, UnusableCase>) -> Result<Vec<Case<E>>, UnusableCase> {
    let mut cases = Vec::new();
    for row in Folder::at(&Path::new(env!("CARGO_MANIFEST_DIR")).join(table)).folders()? {
        for folder in row.folders()? {
            folder.permit(&["pod.yaml", "old.yaml", "facts.yaml", "verdict.yaml", "completed.yaml", "refused.yaml"])?;
            let mut case = Case {
                row: row.name(),
                name: folder.name(),
                pod: folder.required("pod.yaml")?,
                old: folder.optional("old.yaml")?,
                given: folder.optional("facts.yaml")?.unwrap_or_default(),
                expected: expected(&folder)?,
            };
            policies::put_in(&mut case)?;
            cases.push(case);
        }
    }
    Ok(cases)
}
