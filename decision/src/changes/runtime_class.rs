//! An opted-in pod runs in its profile's runtime class.
//!
//! Why: any other class runs it outside the confidential virtual machine, where its policy is never measured.
//! Adds: spec.runtimeClassName. Conflicts: a class that the profile does not accept.
//! Source: the AKS confidential-containers tutorial.

use super::Asked;
use crate::edits::Edits;
use crate::rules;
use crate::verdict::Refusal;

pub(super) const ID: &str = "runtime-class";

pub(super) fn make(asked: &Asked<'_>, edits: &mut Edits) -> Result<(), Refusal> {
    let Ok(profile) = &asked.subject.profile else { return Ok(()) };
    match asked.subject.pod.spec.runtime_class() {
        None => edits.runtime_class(&profile.runtime_class),
        Some(class) if profile.accepted(class).is_some() => {}
        Some(class) => return Err(rules::foreign_runtime_class(class, profile, asked.subject.configuration)),
    }
    Ok(())
}
