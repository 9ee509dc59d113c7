//! What a check says: a sentence for the healthy case, and a finding for each fault with the command that mends it.

use serde::Serialize;

use super::snapshot::Unseen;

/// How bad a finding is; the worst of its findings is a check's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// Works now; look at it before it no longer does.
    Warning,
    /// Could not be looked at, so nobody knows.
    Unknown,
    /// Is at fault.
    Wrong,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// What is wrong, with the object and the values.
    pub(super) problem: String,
    /// The command that mends it, or the way to it.
    pub(super) mend: String,
}

impl Finding {
    pub(super) fn wrong(problem: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Wrong, problem: problem.into(), mend: mend.into() }
    }

    pub(super) fn warning(problem: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Warning, problem: problem.into(), mend: mend.into() }
    }

    pub(super) fn unknown(unseen: &Unseen) -> Self {
        Self { level: Level::Unknown, problem: unseen.to_string(), mend: unseen.mend.clone() }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Examined {
    /// What holds where nothing was found.
    pub(super) says: String,
    /// What does not hold.
    pub(super) findings: Vec<Finding>,
}

impl Examined {
    pub(super) fn new(says: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self { says: says.into(), findings }
    }

    /// A check that could not look.
    pub(super) fn unseen(unseen: &Unseen) -> Self {
        Self::new(String::new(), vec![Finding::unknown(unseen)])
    }

    pub(super) fn level(&self) -> Level {
        self.findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
    }
}
