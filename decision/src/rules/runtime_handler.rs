//! The RuntimeClass object of a confidential pod names one of the handlers that the profile lists for it.
//!
//! Why: the handler, not the name, decides what runs the pod: a class that was deleted and made again with an ordinary handler
//! runs it unprotected.
//! Reads: spec.runtimeClassName, the profile; the handlers of the watched RuntimeClass objects.
//! Allows: the handlers that the profile lists for that class. Not judged where no cluster is watched.
//! Source: Kubernetes RuntimeClass (node.k8s.io/v1), field handler.

use super::{Judge, Judgement, Judges};
use crate::configuration::AcceptedClass;
use crate::facts::{Handler, Known};
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) struct RuntimeHandler;

impl Judge for RuntimeHandler {
    const ID: &'static str = "runtime-handler";
    const JUDGES: Judges = Judges::Confidential;
    type Reads<'a> = &'a AcceptedClass;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<&'a AcceptedClass> {
        subject.profile.as_ref().ok()?.accepted(subject.pod.spec.runtime_class()?)
    }

    fn judge(accepted: &&AcceptedClass, known: &Known<'_>) -> Judgement {
        let class = &accepted.runtime_class;
        let handlers = accepted.handlers.iter().map(|handler| &**handler).collect::<Vec<_>>().join(", ");
        match known.facts.handler_of(class) {
            Handler::Unwatched => Ok(()),
            Handler::Is(handler) if accepted.handlers.iter().any(|listed| *listed == *handler) => Ok(()),
            Handler::Is(handler) => Err(Refusal::new(
                Self::ID,
                format!(
                    "RuntimeClass {class} names handler {handler:?}, and the profile lists {handlers}: the pod would not run where its policy is measured"
                ),
                format!("Ask the cluster administrator to make RuntimeClass {class} again with handler {handlers}"),
            )),
            Handler::NoSuchClass => Err(Refusal::new(
                Self::ID,
                format!("the cluster has no RuntimeClass {class}"),
                format!("Ask the cluster administrator to make it with handler {handlers}; if it was made just now, try again"),
            )),
        }
    }
}
