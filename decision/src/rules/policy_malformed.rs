//! The policy annotation of a confidential pod is one that can be read in one way only.
//!
//! Why: a text that two readers decode differently has two digests.
//! Reads: the annotation's text, the profile.
//! Allows: strict base64 of at most `limits.maxPolicyCharacters`, not empty. It is UTF-8 text, or one whole gzip stream of an initdata
//! document of at most `limits.maxInitdataBytes`, by what the profile's runtime measures.

use super::{Judge, Judgement, Judges};
use crate::configuration::{PolicyAnnotation, Profile};
use crate::facts::Known;
use crate::subject::{Policy, Subject};
use crate::verdict::Refusal;

pub(super) struct PolicyMalformed;

#[derive(PartialEq)]
pub(super) struct Reads<'a> {
    policy: &'a Policy<'a>,
    profile: &'a Profile,
}

impl Judge for PolicyMalformed {
    const ID: &'static str = "policy-malformed";
    const JUDGES: Judges = Judges::Confidential;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        Some(Reads { policy: subject.policy.as_ref()?, profile: subject.profile.as_ref().ok()? })
    }

    fn judge(Reads { policy, profile }: &Reads<'_>, _: &Known<'_>) -> Judgement {
        match policy.reading() {
            Ok(_) => Ok(()),
            Err(malformed) => Err(Refusal::new(
                Self::ID,
                format!(
                    "annotation {} is not {}: {malformed}",
                    profile.policy_annotation.key(),
                    profile.policy_annotation.measured().noun()
                ),
                match profile.policy_annotation {
                    PolicyAnnotation::AgentPolicy => {
                        "Put the generator's output into the annotation unchanged, in one line (base64 -w0 policy.rego)"
                    }
                    PolicyAnnotation::Initdata | PolicyAnnotation::EarlierInitdata => {
                        "Put the generator's output into the annotation unchanged, in one line (gzip -c initdata.toml | base64 -w0)"
                    }
                },
            )),
        }
    }
}
