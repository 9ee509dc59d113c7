//! The profile of an admitted confidential pod stays.
//!
//! Why: the profile says what the pod is compared with; by another one, a weaker pod would pass every later update.
//! Reads: of the old and the new pod: the profile, and the annotation that chooses it.
//! Allows: for a pod that was confidential, what it was.

use super::{Kept, changed, kept};
use crate::configuration::Profile;
use crate::facts::Known;
use crate::labels;
use crate::rules::{Judge, Judgement, Judges};
use crate::subject::Subject;

pub(in crate::rules) struct ProfileImmutable;

#[derive(PartialEq)]
pub(in crate::rules) struct Chosen<'a> {
    profile: Option<&'a Profile>,
    /// It may name a profile that nobody can choose any more, and then there is nothing else to compare.
    annotation: Option<&'a str>,
}

impl Judge for ProfileImmutable {
    const ID: &'static str = "profile-immutable";
    const JUDGES: Judges = Judges::Every;
    type Reads<'a> = Kept<Chosen<'a>>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Self::Reads<'a>> {
        kept(subject, |subject, _| Chosen {
            profile: subject.profile.as_ref().ok().copied(),
            annotation: subject.pod.metadata.annotation(labels::PROFILE),
        })
    }

    fn judge(Kept { old, new }: &Self::Reads<'_>, _: &Known<'_>) -> Judgement {
        let name = |profile: Option<&Profile>| profile.map_or("none", |profile| &profile.name).to_owned();
        if old.profile != new.profile {
            let what = format!("the profile from {} to {}", name(old.profile), name(new.profile));
            return Err(changed(Self::ID, &what));
        }
        if old.profile.is_none() && old.annotation != new.annotation {
            return Err(changed(Self::ID, &format!("the annotation {}", labels::PROFILE)));
        }
        Ok(())
    }
}
