//! What a confidential pod was admitted by never changes: one rule for each part, so that the id says which.
//!
//! Why: the hardware measured the policy when the pod started; a later digest, profile or opt-in is only a claim about it, and
//! the guest runs no other image.
//! Source: Kubernetes, "Pod update and replacement" (images, and a gated pod's node selectors, can be changed).

mod digest;
mod images;
mod opt_in;
mod profile;
mod selectors;

use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) use digest::DigestImmutable;
pub(super) use images::ImagesImmutable;
pub(super) use opt_in::OptInImmutable;
pub(super) use profile::ProfileImmutable;
pub(super) use selectors::SelectorsImmutable;

/// One part of a confidential pod before an update, and after it.
#[derive(PartialEq)]
pub(super) struct Kept<T> {
    old: T,
    new: T,
}

/// Reads a part of both pods; `None` where there is no update, or where the pod was no confidential one. A pod that was one and would
/// be ordinary has changed most of all, so these rules judge every pod. `part` is given the subject to read, and the old one.
fn kept<'a, T>(subject: &'a Subject<'a>, part: impl Fn(&'a Subject<'a>, &'a Subject<'a>) -> T) -> Option<Kept<T>> {
    let old = subject.before.filter(|before| before.confidential)?;
    Some(Kept { old: part(old, old), new: part(subject, old) })
}

/// The refusal of an update that changes `what`.
fn changed(id: &'static str, what: &str) -> Refusal {
    Refusal::new(
        id,
        format!("a confidential pod stays what it was admitted as, and this update changes {what}"),
        "Delete the pod and create it again as it is to be",
    )
}
