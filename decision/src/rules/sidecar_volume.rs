//! An opted-in pod has the volumes that its profile's sidecar mounts, unchanged.
//!
//! Why: another volume under the same name gives the sidecar other endorsements.
//! Reads: the volumes with the names of the profile's, the profile.
//! Allows: the profile's volumes with the API server's defaults.

use serde_json::{Map, Value};

use super::{Judge, Judgement, Judges, WHEN_COMPLETED};
use crate::configuration::Profile;
use crate::facts::Known;
use crate::sidecar;
use crate::subject::Subject;
use crate::verdict::Refusal;

const ID: &str = "sidecar-volume";

pub(super) struct SidecarVolume;

#[derive(PartialEq)]
pub(super) struct Reads<'a> {
    volumes: Vec<(&'a Map<String, Value>, Option<&'a str>)>,
    profile: &'a Profile,
}

impl Judge for SidecarVolume {
    const ID: &'static str = ID;
    const JUDGES: Judges = Judges::OptedIn;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        let profile: &Profile = subject.profile.as_ref().ok()?;
        let wanted = profile.sidecar.iter().flat_map(|sidecar| &sidecar.volumes);
        Some(Reads { volumes: wanted.map(|wanted| (wanted, sidecar::volume(subject.pod, wanted))).collect(), profile })
    }

    fn judge(Reads { volumes, profile }: &Reads<'_>, _: &Known<'_>) -> Judgement {
        volumes.iter().try_for_each(|(wanted, found)| match found {
            Some(found) => judge_volume(wanted, found, profile),
            None => Err(Refusal::new(
                ID,
                format!(
                    "the pod has no volume {}, which the attestation sidecar of profile {} mounts",
                    sidecar::volume_name(wanted),
                    profile.name
                ),
                format!("Let the webhook add it: {WHEN_COMPLETED}"),
            )),
        })
    }
}

/// The same judgement for /mutate, which finds a differing volume as a conflict.
pub(crate) fn judge_volume(wanted: &Map<String, Value>, found: &str, profile: &Profile) -> Judgement {
    let name = sidecar::volume_name(wanted);
    match sidecar::volume_difference(wanted, found) {
        None => Ok(()),
        Some(difference) => Err(Refusal::new(
            ID,
            format!("volume {name} is not the one of profile {}: {difference}", profile.name),
            format!("Give your volume {name} another name, or make it equal to the profile's"),
        )),
    }
}
