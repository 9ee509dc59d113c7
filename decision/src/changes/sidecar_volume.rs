//! An opted-in pod has the volumes that its profile's sidecar mounts.
//!
//! Why: the sidecar reads the endorsements of the virtual machine from them.
//! Adds: the volumes. Conflicts: a volume of the same name that differs.
//! Source: the AKS confidential-containers tutorial.

use super::Asked;
use crate::edits::Edits;
use crate::rules;
use crate::sidecar;
use crate::verdict::Refusal;

pub(super) const ID: &str = "sidecar-volume";

pub(super) fn make(asked: &Asked<'_>, edits: &mut Edits) -> Result<(), Refusal> {
    let Ok(profile) = &asked.subject.profile else { return Ok(()) };
    for volume in profile.sidecar.iter().flat_map(|sidecar| &sidecar.volumes) {
        match sidecar::volume(asked.subject.pod, volume) {
            None => edits.volume(volume.clone()),
            Some(found) => rules::judge_volume(volume, found, profile)?,
        }
    }
    Ok(())
}
