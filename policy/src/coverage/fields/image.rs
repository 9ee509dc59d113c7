//! The image is the one that the policy names.
//!
//! Why: where the guest pulls images itself its rule does not look at their names, and another image under the policy's layers is
//! refused by the guest.
//! Reads: `image`; annotation `io.kubernetes.cri.image-name` of the policy.
//! Allows: the same image, with or without what may be left out of its name.

use super::{Difference, Pair, Proof};
use crate::coverage::cause::Cause;
use crate::coverage::image::{same, same_repository};
use crate::data::IMAGE_NAME;

pub(super) fn compare(pair: &Pair<'_>) -> Vec<Difference> {
    let image = &*pair.container.image;
    let Some(policy) = pair.by.annotation(IMAGE_NAME).filter(|policy| !same(image, policy)) else { return Vec::new() };
    let cause = if same_repository(image, policy) { Cause::TagMoved } else { Cause::Changed };
    let field = "image".to_owned();
    vec![Difference { field, pod: format!("{image:?}"), policy: format!("{policy:?}"), cause, proof: Proof::Itself }]
}
