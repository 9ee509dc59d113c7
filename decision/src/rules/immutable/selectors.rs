//! The node selectors that an admitted confidential pod's profile requires stay.
//!
//! Why: while a pod waits for its gates, a changed selector would let the scheduler place it on a node without virtual TPM or Secure
//! Boot.
//! Reads: of the old and the new pod: the node selectors that the old one's profile requires.
//! Allows: for a pod that was confidential, what it was; one that was missing may be added.
//! Source: Kubernetes, "Pod Scheduling Readiness" (mutable pod scheduling directives).

use super::{Kept, changed, kept};
use crate::configuration::Demand;
use crate::facts::Known;
use crate::rules::{Judge, Judgement, Judges};
use crate::scheduling;
use crate::subject::Subject;

pub(in crate::rules) struct SelectorsImmutable;

impl Judge for SelectorsImmutable {
    const ID: &'static str = "selectors-immutable";
    const JUDGES: Judges = Judges::Every;
    /// Each required label with what the pod selects.
    type Reads<'a> = Kept<Vec<(&'static str, Option<&'a str>)>>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Self::Reads<'a>> {
        kept(subject, |subject, old| {
            let demands = old.profile.iter().flat_map(|profile| profile.trusted_launch.labels());
            let required = demands.filter(|(_, demand)| *demand == Demand::Require);
            required.map(|(label, _)| (label, scheduling::selected(&subject.pod.spec, label))).collect()
        })
    }

    fn judge(Kept { old, new }: &Self::Reads<'_>, _: &Known<'_>) -> Judgement {
        let differ = old.iter().zip(new).filter(|(old, new)| old != new);
        let changes: Vec<_> =
            differ.filter_map(|((label, old), _)| Some(format!("the node selector {label}, which is {:?}", (*old)?))).collect();
        if changes.is_empty() { Ok(()) } else { Err(changed(Self::ID, &changes.join(", "))) }
    }
}
