//! An opted-in pod has its profile's attestation sidecar as the first container.
//!
//! Why: it attests the virtual machine and releases keys to the others, and the policy measures the order.
//! Adds: the container. Conflicts: a container of its name that differs, or that stands elsewhere.
//! Source: the AKS confidential-containers tutorial.

use super::Asked;
use crate::edits::Edits;
use crate::rules;
use crate::sidecar::{self, Placement};
use crate::verdict::Refusal;

pub(super) const ID: &str = "sidecar";

pub(super) fn make(asked: &Asked<'_>, edits: &mut Edits) -> Result<(), Refusal> {
    let Ok(profile) = &asked.subject.profile else { return Ok(()) };
    let Some(sidecar) = &profile.sidecar else { return Ok(()) };
    match sidecar::placement(asked.subject.pod, sidecar) {
        Placement::Absent => edits.first_container(sidecar.list(), sidecar.container.clone()),
        found => return rules::judge_sidecar(&found, profile, sidecar),
    }
    Ok(())
}
