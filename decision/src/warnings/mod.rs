//! What people are told beside refusals: what the pod itself cannot mend, and what others will say to it. Each warning is one file;
//! this table says which there are.

mod no_node;
mod pod_security;

use crate::facts::Known;
use crate::subject::Subject;
use crate::verdict::Refusal;

/// Who says a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// The pod as it is asked for: what the API server refuses after that is never seen by /validate.
    Mutate,
    /// The pod as it will be.
    Validate,
}

/// One warning.
#[derive(Debug)]
pub struct Warning {
    /// The stable id: the first word of the message.
    pub id: &'static str,
    pub(crate) speaker: Speaker,
    /// What is to be said of a pod, if anything; it has the form of a refusal and refuses nothing.
    pub(crate) said: fn(&Subject<'_>, &Known<'_>) -> Option<Refusal>,
}

/// Every warning, in the order in which they are said.
pub const WARNINGS: [Warning; 2] = [
    Warning { id: pod_security::ID, speaker: Speaker::Mutate, said: pod_security::said },
    Warning { id: no_node::ID, speaker: Speaker::Validate, said: no_node::said },
];

/// What `speaker` has to say of a pod, each in one line.
pub(crate) fn said_by(speaker: Speaker, subject: &Subject<'_>, known: &Known<'_>) -> Vec<String> {
    let due = WARNINGS.iter().filter(|warning| warning.speaker == speaker);
    due.filter_map(|warning| (warning.said)(subject, known)).map(|said| said.line()).collect()
}
