//! A pod that needs trusted-launch nodes selects them.
//!
//! Why: without the selectors the scheduler may place it on a node without virtual TPM or Secure Boot.
//! Reads: the node selectors of the profile's demands, the profile.
//! Allows: the string "true" for every label that the profile requires; a preference requires nothing.
//! Source: AKS, "Trusted Launch".

use super::{Judge, Judgement, Judges};
use crate::configuration::{Demand, Profile};
use crate::facts::Known;
use crate::scheduling;
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) struct NodeSelectors;

#[derive(PartialEq)]
pub(super) struct Reads<'a> {
    required: Vec<(&'static str, Option<&'a str>)>,
    profile: &'a Profile,
}

impl Judge for NodeSelectors {
    const ID: &'static str = "node-selectors";
    const JUDGES: Judges = Judges::TrustedLaunch;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        let profile: &Profile = subject.profile.as_ref().ok()?;
        let required = profile.trusted_launch.labels().into_iter().filter(|(_, demand)| *demand == Demand::Require);
        Some(Reads {
            required: required.map(|(label, _)| (label, scheduling::selected(&subject.pod.spec, label))).collect(),
            profile,
        })
    }

    fn judge(Reads { required, profile }: &Reads<'_>, _: &Known<'_>) -> Judgement {
        let missing: Vec<_> = required.iter().filter(|(_, value)| *value != Some("true")).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let found = missing.iter().map(|(label, value)| match value {
            None => format!("spec.nodeSelector lacks {label}"),
            Some(value) => format!("spec.nodeSelector[{label}] is {value:?}"),
        });
        let wanted = missing.iter().map(|(label, _)| format!("{label}: \"true\""));
        Err(Refusal::new(
            Self::ID,
            format!("{}, and profile {} requires trusted-launch nodes", found.collect::<Vec<_>>().join(", "), profile.name),
            format!("Write under spec.nodeSelector: {}", wanted.collect::<Vec<_>>().join(", ")),
        ))
    }
}
