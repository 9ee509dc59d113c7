//! An opted-in pod has its profile's sidecar as the first container, unchanged but for the listed additions.
//!
//! Why: the sidecar attests the virtual machine; a changed one (another image, a preloaded library, a mount over its binary)
//! attests for someone else.
//! Reads: the container of the sidecar's name with its place, the profile.
//! Allows: the profile's container with the API server's defaults, the service-account mount, the profile's additions, each once.

use super::{Judge, Judgement, Judges, WHEN_COMPLETED};
use crate::configuration::{self, Profile};
use crate::facts::Known;
use crate::sidecar::{self, Placement};
use crate::subject::Subject;
use crate::verdict::Refusal;

const ID: &str = "sidecar";

pub(super) struct Sidecar;

#[derive(PartialEq)]
pub(super) struct Reads<'a> {
    placement: Placement<'a>,
    profile: &'a Profile,
    sidecar: &'a configuration::Sidecar,
}

impl Judge for Sidecar {
    const ID: &'static str = ID;
    const JUDGES: Judges = Judges::OptedIn;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        let profile: &Profile = subject.profile.as_ref().ok()?;
        let sidecar = profile.sidecar.as_ref()?;
        Some(Reads { placement: sidecar::placement(subject.pod, sidecar), profile, sidecar })
    }

    fn judge(Reads { placement, profile, sidecar }: &Reads<'_>, _: &Known<'_>) -> Judgement {
        judge_placement(placement, profile, sidecar)
    }
}

/// The same judgement for /mutate, which finds a differing sidecar as a conflict.
pub(crate) fn judge_placement(placement: &Placement<'_>, profile: &Profile, sidecar: &configuration::Sidecar) -> Judgement {
    let name = sidecar.name();
    match placement {
        Placement::Absent => Err(Refusal::new(
            ID,
            format!("the pod has no container {name}, the attestation sidecar of profile {}", profile.name),
            format!("Let the webhook add it: {WHEN_COMPLETED}"),
        )),
        Placement::Elsewhere(place) => Err(Refusal::new(
            ID,
            format!(
                "container {name} is {place}, and the attestation sidecar of profile {} comes first in spec.{}",
                profile.name,
                sidecar.list()
            ),
            format!(
                "Move container {name} to the first place of spec.{}, or remove it and let the webhook add it",
                sidecar.list()
            ),
        )),
        Placement::First(found) => match sidecar::difference(sidecar, found) {
            None => Ok(()),
            Some(difference) => Err(Refusal::new(
                ID,
                format!("container {name} is not the attestation sidecar of profile {}: {difference}", profile.name),
                format!("Remove container {name} and let the webhook add it, or make it equal to the profile's"),
            )),
        },
    }
}
