//! A runtime class that no profile lists does not run pods where confidential ones run.
//!
//! Why: the handler, not the name, decides what runs a pod, and the API server knows confidential pods by the names of their
//! classes: under another name nobody would ask about the next one.
//! Reads: spec.runtimeClassName; the handlers of the watched RuntimeClass objects.
//! Allows: the classes of known profiles, and classes whose handler belongs to none.
//! Source: Kubernetes RuntimeClass (node.k8s.io/v1), field handler.

use super::{Judge, Judgement, Judges};
use crate::facts::{Facts, Handler, Known};
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) struct UnknownConfidentialRuntime;

impl Judge for UnknownConfidentialRuntime {
    const ID: &'static str = "unknown-confidential-runtime";
    const JUDGES: Judges = Judges::Confidential;
    /// The runtime class.
    type Reads<'a> = &'a str;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<&'a str> {
        subject.pod.spec.runtime_class()
    }

    fn judge(class: &&str, known: &Known<'_>) -> Judgement {
        let Some(handler) = confidential_handler(class, known.facts) else { return Ok(()) };
        let classes = known.facts.configuration.enabled_classes();
        let classes = classes.iter().map(|class| &***class).collect::<Vec<_>>().join(", ");
        Err(Refusal::new(
            Self::ID,
            format!("no profile lists runtime class {class:?}, and its handler {handler:?} runs confidential pods"),
            format!("Use one of {classes}, or ask the cluster administrator to list {class} in a profile (accepts)"),
        ))
    }
}

/// The handler of a class that no profile knows, if it is one that runs confidential pods.
pub(super) fn confidential_handler<'f>(class: &str, facts: &'f Facts) -> Option<&'f str> {
    let Facts { configuration, .. } = facts;
    match facts.handler_of(class) {
        Handler::Is(handler)
            if configuration.is_confidential_handler(handler) && !configuration.is_confidential_class(class) =>
        {
            Some(handler)
        }
        _ => None,
    }
}
