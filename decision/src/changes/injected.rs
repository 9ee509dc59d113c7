//! An opted-in pod says which changes were made to it.
//!
//! Why: who reads the pod later must be able to tell what its author wrote from what was added.
//! Adds: annotation countersign.dev/injected, the ids of the changes in the order of the table; a second pass that adds more
//! (another webhook took something away) adds its ids.

use super::{Asked, CHANGES};
use crate::edits::Edits;
use crate::labels;
use crate::verdict::Refusal;

pub(super) const ID: &str = "injected";

pub(super) fn make(asked: &Asked<'_>, edits: &mut Edits) -> Result<(), Refusal> {
    let before = asked.subject.pod.metadata.annotation(labels::INJECTED);
    let told: Vec<&str> = before.unwrap_or_default().split(',').filter(|id| !id.is_empty()).collect();
    if let Some(strange) = told.iter().find(|id| !CHANGES.iter().any(|change| change.id == **id)) {
        return Err(Refusal::new(
            ID,
            format!("annotation {} names {strange:?}, which is none of Countersign's changes", labels::INJECTED),
            "Remove the annotation: it is written for you",
        ));
    }
    let ids = CHANGES.iter().map(|change| change.id).filter(|id| told.contains(id) || asked.made.contains(id));
    let now = ids.collect::<Vec<_>>().join(",");
    if !asked.made.is_empty() && before != Some(&now) {
        edits.annotation(labels::INJECTED, &now);
    }
    Ok(())
}
