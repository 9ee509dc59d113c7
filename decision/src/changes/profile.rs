//! An opted-in pod says which profile completed it.
//!
//! Why: the first enabled profile may be another one tomorrow, and /validate judges by the profile that completed the pod.
//! Adds: annotation countersign.dev/profile.

use super::Asked;
use crate::edits::Edits;
use crate::labels;
use crate::verdict::Refusal;

pub(super) const ID: &str = "profile";

pub(super) fn make(asked: &Asked<'_>, edits: &mut Edits) -> Result<(), Refusal> {
    let Ok(profile) = &asked.subject.profile else { return Ok(()) };
    if asked.subject.pod.metadata.annotation(labels::PROFILE).is_none() {
        edits.annotation(labels::PROFILE, &profile.name);
    }
    Ok(())
}
