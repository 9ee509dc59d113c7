//! A policy, examined: what it describes, and what its guest will accept. Done once per policy and remembered.

mod permissions;
mod permissive;
mod requests;
mod seen;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

pub use permissions::{Exec, Permissions};
pub use permissive::Permissive;
pub use seen::{Examination, SeenExaminations};

use crate::coverage::Coverage;
use crate::data::PolicyData;
use crate::engine::{self, Evaluator, OpenPolicy, Unanswered, Unreadable};
use crate::reading::Document;

/// The rule whose value describes the containers of a pod.
const POLICY_DATA: &str = "policy_data";

/// What is known of a policy by asking it.
#[derive(Debug)]
pub struct Examined {
    /// What it describes; `None` where it describes nothing: it is written by hand, or there is none.
    pub data: Option<PolicyData>,
    /// What its guest accepts; `None` where there is no policy, so that the guest image's own rules.
    pub permissions: Option<Permissions>,
    /// What makes it permissive, the gravest first.
    pub permissive: Vec<Permissive>,
    /// What pods are compared with; `None` where it describes nothing.
    pub coverage: Option<Coverage>,
}

/// Why a policy cannot be examined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unexaminable {
    /// The engine cannot read it.
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    /// `policy_data` is not what generators write.
    #[error("its policy_data is of another shape than generators write: {0}")]
    Data(String),
    /// Its rules ask for a `policy_data` that is not there.
    #[error("its rules compare with policy_data, and it has none")]
    NoData,
    /// A rule gives no answer.
    #[error("{rule} cannot be evaluated: {reason}")]
    Unanswered {
        /// The rule.
        rule: &'static str,
        /// Why.
        reason: Unanswered,
    },
}

impl Unexaminable {
    /// Whether the policy alone is the cause, so that another try would end the same way.
    pub(crate) const fn lasts(&self) -> bool {
        match self {
            Self::Unreadable(reason) => reason.lasts(),
            Self::Unanswered { reason, .. } => reason.lasts(),
            Self::Data(_) | Self::NoData => true,
        }
    }
}

impl Examined {
    /// Examines a document by asking its policy there. This is the work of tens of milliseconds, on the caller's thread.
    ///
    /// # Errors
    /// [`Unexaminable`]: the guest will not be able to read or evaluate it either, or it is not what generators write.
    pub fn of(document: &Arc<Document>, evaluator: &Arc<dyn Evaluator>) -> Result<Self, Unexaminable> {
        let Some(text) = document.policy() else {
            return Ok(Self { data: None, permissions: None, permissive: vec![Permissive::NoPolicy], coverage: None });
        };
        let mut policy = evaluator.open(text)?;
        let described = described(&*policy)?;
        let data = described.as_ref().map(PolicyData::read).transpose().map_err(Unexaminable::Data)?;
        if data.is_none() && engine::mentions(text, POLICY_DATA) {
            return Err(Unexaminable::NoData);
        }
        let permissions = Permissions::of(&mut *policy, data.as_ref())?;
        let permissive = Permissive::all(text, &permissions);
        let coverage = described.map(|data| Coverage::of(document, evaluator, data));
        Ok(Self { data, permissions: Some(permissions), permissive, coverage })
    }
}

/// What a policy describes, as its rule has it; `None` where it describes nothing.
fn described(policy: &dyn OpenPolicy) -> Result<Option<Value>, Unexaminable> {
    let asked = policy.ask(POLICY_DATA, &Value::Null);
    Ok(asked.map_err(|reason| Unexaminable::Unanswered { rule: POLICY_DATA, reason })?.value)
}
