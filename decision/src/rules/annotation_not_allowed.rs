//! A confidential pod carries no Kata annotation beyond those of its profile.
//!
//! Why: kernel parameters, images, firmware and the like change the guest, or carry a policy that this platform never measures.
//! Reads: the annotations under io.katacontainers., the profile.
//! Allows: the profile's policy annotation and its `permittedAnnotations`, among which no other policy annotation can be: one that the
//! runtime does not measure is refused, beside the one that it does too.
//! Source: Kata Containers, "How to set sandbox config with annotations".

use super::{Judge, Judgement, Judges};
use crate::configuration::Profile;
use crate::facts::Known;
use crate::labels::KATA_PREFIX;
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) struct AnnotationNotAllowed;

#[derive(PartialEq)]
pub(super) struct Reads<'a> {
    keys: Vec<&'a str>,
    profile: &'a Profile,
}

impl Judge for AnnotationNotAllowed {
    const ID: &'static str = "annotation-not-allowed";
    const JUDGES: Judges = Judges::Confidential;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        let annotations = subject.pod.metadata.annotations.iter();
        let keys = annotations.flat_map(|annotations| annotations.starting_with(KATA_PREFIX)).map(|(key, _)| key).collect();
        Some(Reads { keys, profile: subject.profile.as_ref().ok()? })
    }

    fn judge(Reads { keys, profile }: &Reads<'_>, _: &Known<'_>) -> Judgement {
        let policy = profile.policy_annotation.key();
        let strange = keys
            .iter()
            .filter(|key| **key != policy && !profile.permitted_annotations.iter().any(|permitted| permitted == **key));
        let shown = strange.clone().take(5).copied().collect::<Vec<_>>().join(", ");
        match strange.count() {
            0 => Ok(()),
            count => Err(Refusal::new(
                Self::ID,
                format!(
                    "profile {} does not permit {} {shown}{}",
                    profile.name,
                    if count == 1 { "annotation" } else { "annotations" },
                    if count > 5 { ", …" } else { "" }
                ),
                format!("Remove what is not permitted; the policy belongs in {policy}"),
            )),
        }
    }
}
