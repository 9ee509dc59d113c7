//! What a confidential pod was admitted by never changes.
//!
//! Why: the hardware measured the policy when the pod started; a later digest, profile or opt-in is only a claim about it, and
//! the guest runs no other image.
//! Reads: of the old and the new pod: the opt-in, the profile, the policy, the images, the node selectors that the profile requires.
//! Allows: for a pod that was confidential, what it was; a selector that was missing may still be added (a gated pod's may).
//! Source: Kubernetes, "Pod update and replacement" (images, and a gated pod's node selectors, can be changed).

use super::{Judge, Judgement, Judges};
use crate::configuration::{Demand, Profile};
use crate::facts::Known;
use crate::labels;
use crate::pod::Container;
use crate::scheduling;
use crate::subject::{Policy, Subject};
use crate::verdict::Refusal;

pub(super) struct Immutable;

#[derive(PartialEq)]
pub(super) struct Reads<'a> {
    old: Kept<'a>,
    new: Kept<'a>,
}

#[derive(PartialEq)]
struct Kept<'a> {
    opted_in: bool,
    profile: Option<&'a Profile>,
    policy: Option<&'a Policy<'a>>,
    /// Whatever the profile reads of them: it may no longer be one that can be chosen.
    chosen: Option<&'a str>,
    kata: Vec<(&'a str, &'a str)>,
    images: Vec<(&'a str, &'a str)>,
    selectors: Vec<(&'static str, Option<&'a str>)>,
}

impl Judge for Immutable {
    const ID: &'static str = "immutable";
    // Not only confidential pods: one that was confidential and would be ordinary has changed most of all.
    const JUDGES: Judges = Judges::Every;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        let old = subject.before.filter(|before| before.confidential)?;
        let profile: Option<&Profile> = old.profile.as_ref().ok().copied();
        Some(Reads { old: kept(old, profile), new: kept(subject, profile) })
    }

    fn judge(Reads { old, new }: &Reads<'_>, _: &Known<'_>) -> Judgement {
        let changes = changes(old, new);
        if changes.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(
            Self::ID,
            format!("a confidential pod stays what it was admitted as, and this update changes {}", changes.join(", ")),
            "Delete the pod and create it again as it is to be",
        ))
    }
}

/// What must stay; `profile` is the old pod's and says which selectors count.
fn kept<'a>(subject: &'a Subject<'a>, profile: Option<&Profile>) -> Kept<'a> {
    let spec = &subject.pod.spec;
    let containers = |list: &'a Option<Vec<Container<'a>>>| list.as_deref().unwrap_or_default().iter();
    let images = containers(&spec.init_containers).chain(containers(&spec.containers));
    let annotations = subject.pod.metadata.annotations.iter();
    let demands = profile.into_iter().flat_map(|profile| profile.trusted_launch.labels());
    let required = demands.filter(|(_, demand)| *demand == Demand::Require);
    Kept {
        opted_in: subject.opted_in,
        profile: subject.profile.as_ref().ok().copied(),
        policy: subject.policy.as_ref(),
        chosen: subject.pod.metadata.annotation(labels::PROFILE),
        kata: annotations.flat_map(|annotations| annotations.starting_with(labels::KATA_PREFIX)).collect(),
        images: images.map(|container| (&*container.name, &*container.image)).collect(),
        selectors: required.map(|(label, _)| (label, scheduling::selected(spec, label))).collect(),
    }
}

/// What has changed, in words.
fn changes(old: &Kept<'_>, new: &Kept<'_>) -> Vec<String> {
    let mut changes = Vec::new();
    if old.opted_in != new.opted_in {
        changes.push(format!("the opt-in (label {})", labels::CONFIDENTIAL));
    }
    if old.profile != new.profile {
        let name = |profile: Option<&Profile>| profile.map_or("none", |profile| &profile.name).to_owned();
        changes.push(format!("the profile from {} to {}", name(old.profile), name(new.profile)));
    }
    if old.policy != new.policy {
        changes.push("the policy".to_owned());
    } else if old.kata != new.kata {
        changes.push(format!("the annotations under {}", labels::KATA_PREFIX));
    }
    if old.profile.is_none() && old.chosen != new.chosen {
        changes.push(format!("the annotation {}", labels::PROFILE));
    }
    if old.images.len() != new.images.len() {
        changes.push("the containers".to_owned());
    }
    for ((name, old), (_, new)) in old.images.iter().zip(&new.images).filter(|(old, new)| old != new) {
        changes.push(format!("the image of container {name} from {old:?} to {new:?}"));
    }
    for ((label, old), (_, new)) in old.selectors.iter().zip(&new.selectors) {
        if let Some(value) = old.filter(|_| old != new) {
            changes.push(format!("the node selector {label}, which is {value:?}"));
        }
    }
    changes
}
