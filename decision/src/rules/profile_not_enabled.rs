//! A confidential pod, and one that asks for trusted-launch nodes, uses a profile that is enabled and that its namespace permits.
//!
//! Why: a weaker profile (another platform, no hardware) would let the same policy run unprotected.
//! Reads: annotation countersign.dev/profile; the namespace's label of the same name; spec.runtimeClassName.
//! Allows: what the configuration enables, narrowed to one by the namespace's label.

use super::{Judge, Judgement, Judges};
use crate::facts::Known;
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(crate) const ID: &str = "profile-not-enabled";

pub(super) struct ProfileNotEnabled;

impl Judge for ProfileNotEnabled {
    const ID: &'static str = ID;
    const JUDGES: Judges = Judges::WithProfile;
    type Reads<'a> = Result<&'a str, &'a Refusal>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Self::Reads<'a>> {
        Some(subject.profile.as_ref().map(|profile| &*profile.name))
    }

    fn judge(chosen: &Self::Reads<'_>, _: &Known<'_>) -> Judgement {
        chosen.map(|_| ()).map_err(Refusal::clone)
    }
}
