//! A confidential pod runs in one of its profile's runtime classes.
//!
//! Why: any other class runs it outside the confidential virtual machine, and its policy is never measured.
//! Reads: spec.runtimeClassName, the profile.
//! Allows: the classes that the profile accepts. A class that no profile knows and that runs confidential pods all the same is left to
//! `unknown-confidential-runtime`.
//! Source: Kubernetes RuntimeClass (node.k8s.io/v1); the AKS confidential-containers tutorial.

use super::unknown_confidential_runtime::confidential_handler;
use super::{Judge, Judgement, Judges, WHEN_COMPLETED};
use crate::configuration::{Configuration, Profile};
use crate::facts::Known;
use crate::subject::Subject;
use crate::verdict::Refusal;

const ID: &str = "runtime-class";

pub(super) struct RuntimeClass;

#[derive(PartialEq)]
pub(super) struct Reads<'a> {
    class: Option<&'a str>,
    profile: &'a Profile,
}

impl Judge for RuntimeClass {
    const ID: &'static str = ID;
    const JUDGES: Judges = Judges::Confidential;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        Some(Reads { class: subject.pod.spec.runtime_class(), profile: subject.profile.as_ref().ok()? })
    }

    fn judge(Reads { class, profile }: &Reads<'_>, known: &Known<'_>) -> Judgement {
        match class {
            None => Err(Refusal::new(
                ID,
                format!(
                    "the pod is confidential but names no runtime class, so it would run as an ordinary one; profile {} needs {}",
                    profile.name, profile.runtime_class
                ),
                format!("Set spec.runtimeClassName: {}, or let the webhook add it: {WHEN_COMPLETED}", profile.runtime_class),
            )),
            Some(class) if profile.accepted(class).is_some() => Ok(()),
            Some(class) if confidential_handler(class, known.facts).is_some() => Ok(()),
            Some(class) => Err(foreign(class, profile, &known.facts.configuration)),
        }
    }
}

/// The refusal of a class that the profile does not accept; /mutate finds it as a conflict.
pub(crate) fn foreign(class: &str, profile: &Profile, configuration: &Configuration) -> Refusal {
    let other = configuration.profiles.iter().find(|other| other.accepted(class).is_some());
    let other = match other {
        None => String::new(),
        Some(other) if configuration.enabled.contains(other) => {
            format!("; or choose profile {}, which accepts {class}", other.name)
        }
        Some(other) => {
            format!("; or ask the cluster administrator to enable profile {}, which accepts {class}", other.name)
        }
    };
    Refusal::new(
        ID,
        format!("spec.runtimeClassName is {class:?}, and profile {} accepts {}", profile.name, profile.accepted_names()),
        format!("Set spec.runtimeClassName: {}, or remove the field{other}", profile.runtime_class),
    )
}
