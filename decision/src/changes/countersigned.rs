//! An opted-in pod bears the label that says it passed every rule, where refusals are enforced.
//!
//! Why: NetworkPolicies open the way to the attestation endpoint for bearers alone. The label is a claim; /validate refuses a
//! bearer that does not pass every rule, in every mode.
//! Adds: label countersign.dev/countersigned: "true".

use super::Asked;
use crate::configuration::Mode;
use crate::edits::Edits;
use crate::labels;
use crate::verdict::Refusal;

pub(super) const ID: &str = "countersigned";

pub(super) fn make(asked: &Asked<'_>, edits: &mut Edits) -> Result<(), Refusal> {
    if asked.mode == Mode::Enforce && !asked.subject.claims_countersigned {
        edits.label(labels::COUNTERSIGNED, "true");
    }
    Ok(())
}
