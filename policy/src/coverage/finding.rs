//! What a comparison of a policy with a pod found.

use std::fmt;

use super::cause::Cause;

/// How sure it is that the guest refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// The guest refuses it, by the policy's own rule, or runs another image than the policy names.
    Refused,
    /// Whether the guest refuses it depends on what nobody knows yet.
    Unknown,
    /// The guest never gets there: the policy describes a container that the pod does not have.
    Unused,
}

/// One place where a policy and a pod do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How sure it is.
    pub certainty: Certainty,
    /// The container; `None` for what holds for the whole pod.
    pub container: Option<String>,
    /// The field, as a person calls it.
    pub field: String,
    /// What the pod has.
    pub pod: String,
    /// What the policy has.
    pub policy: String,
    /// Why that is likely so.
    pub cause: Cause,
}

impl fmt::Display for Finding {
    /// Container, field and both values in one clause.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { container, field, pod, policy, certainty, .. } = self;
        match (container, certainty) {
            (Some(container), Certainty::Unused) => {
                return write!(f, "the policy describes container {container}, which the pod does not have");
            }
            (Some(container), _) => write!(f, "container {container}, {field}")?,
            (None, _) => write!(f, "{field}")?,
        }
        write!(f, ": the pod has {}, the policy has {}", short(pod), short(policy))
    }
}

/// A value as a message shows it: at most 160 characters.
fn short(value: &str) -> String {
    match value.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}
