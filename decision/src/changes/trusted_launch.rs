//! A pod that needs trusted-launch nodes selects or prefers them.
//!
//! Why: only these nodes have the virtual TPM and Secure Boot that the platform's trust begins with.
//! Adds: node selectors (demand `require`) or preferred node affinities (demand `prefer`), with the string "true".
//! Conflicts: a selector with another value; a label that asks for what the profile has switched off. Nodes that can never have
//! trusted launch are the matter of rule `scheduling`.
//! Source: AKS, "Trusted Launch".

use super::Asked;
use crate::configuration::Demand;
use crate::edits::Edits;
use crate::labels;
use crate::scheduling;
use crate::verdict::Refusal;

pub(super) const ID: &str = "trusted-launch";

pub(super) fn make(asked: &Asked<'_>, edits: &mut Edits) -> Result<(), Refusal> {
    let Ok(profile) = &asked.subject.profile else { return Ok(()) };
    let pod = asked.subject.pod;
    if !profile.needs_trusted_launch() {
        return match pod.metadata.label(labels::TRUSTED_LAUNCH) {
            None => Ok(()),
            Some(_) => Err(Refusal::new(
                ID,
                format!(
                    "label {} asks for trusted-launch nodes, but profile {} has them switched off",
                    labels::TRUSTED_LAUNCH,
                    profile.name
                ),
                "Remove the label, or choose a profile with trustedLaunch",
            )),
        };
    }
    for (label, demand) in profile.trusted_launch.labels() {
        let found = scheduling::selected(&pod.spec, label);
        match (demand, found) {
            (Demand::Require, None) => edits.node_selector(label, "true"),
            (Demand::Require, Some(value)) if value != "true" => {
                return Err(Refusal::new(
                    ID,
                    format!("spec.nodeSelector[{label}] is {value:?}, profile {} requires \"true\"", profile.name),
                    format!("Remove the node selector, or write {label}: \"true\""),
                ));
            }
            (Demand::Prefer, None) => {
                let term = scheduling::preference(label);
                if !scheduling::preferences(&pod.spec).contains(&term) {
                    edits.preference(term);
                }
            }
            _ => {}
        }
    }
    Ok(())
}
