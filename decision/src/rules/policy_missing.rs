//! A confidential pod carries a policy in its profile's annotation.
//!
//! Why: without one the guest accepts every request of the host.
//! Reads: whether the annotation is there; the profile.
//! Allows: one annotation, whatever it holds (the next rules judge that).

use super::{Judge, Judgement, Judges};
use crate::configuration::Profile;
use crate::facts::Known;
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) struct PolicyMissing;

#[derive(PartialEq)]
pub(super) struct Reads<'a> {
    there: bool,
    profile: &'a Profile,
}

impl Judge for PolicyMissing {
    const ID: &'static str = "policy-missing";
    const JUDGES: Judges = Judges::Confidential;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        Some(Reads { there: subject.policy.is_some(), profile: subject.profile.as_ref().ok()? })
    }

    fn judge(Reads { there, profile }: &Reads<'_>, _: &Known<'_>) -> Judgement {
        if *there {
            return Ok(());
        }
        Err(Refusal::new(
            Self::ID,
            format!(
                "the pod is confidential but has no annotation {}, which profile {} measures",
                profile.policy_annotation.key(),
                profile.name
            ),
            "Make the policy from the manifest that `countersign render` prints, put it into the annotation, and have its digest listed",
        ))
    }
}
