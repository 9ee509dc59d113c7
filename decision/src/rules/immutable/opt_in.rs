//! A pod is opted in when it is created, and at no other time.
//!
//! Why: an update is never completed, so a pod that is opted in later would bear the label and run as the ordinary one that it is;
//! and one whose label is taken away would no longer be judged as what it was admitted as.
//! Reads: of the old and the new pod: whether it is opted in.
//! Allows: what it was. A namespace that becomes `required` counts for both.

use super::{Kept, changed};
use crate::facts::Known;
use crate::labels::CONFIDENTIAL;
use crate::rules::{Judge, Judgement, Judges};
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(in crate::rules) struct OptInImmutable;

impl Judge for OptInImmutable {
    const ID: &'static str = "opt-in-immutable";
    const JUDGES: Judges = Judges::Every;
    type Reads<'a> = Kept<bool>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Self::Reads<'a>> {
        // Of ordinary pods too: that one is opted in while it runs is what this is about.
        subject.before.map(|old| Kept { old: old.opted_in, new: subject.opted_in })
    }

    fn judge(Kept { old, new }: &Self::Reads<'_>, _: &Known<'_>) -> Judgement {
        match (old, new) {
            (false, true) => Err(Refusal::new(
                Self::ID,
                format!(
                    "a pod is opted in when it is created, and this update adds label {CONFIDENTIAL} to one that is there already"
                ),
                format!("Delete the pod and create it again with {CONFIDENTIAL}: \"true\""),
            )),
            (true, false) => Err(changed(Self::ID, &format!("the opt-in (label {CONFIDENTIAL})"))),
            _ => Ok(()),
        }
    }
}
