//! The policy of an admitted confidential pod stays, and so does whatever else configures its virtual machine.
//!
//! Why: the hardware reports the digest of the policy that the pod was started with.
//! Reads: of the old and the new pod: the annotations under io.katacontainers.
//! Allows: for a pod that was confidential, what it was.

use super::{Kept, changed, kept};
use crate::facts::Known;
use crate::labels::KATA_PREFIX;
use crate::rules::{Judge, Judgement, Judges};
use crate::subject::Subject;

pub(in crate::rules) struct DigestImmutable;

type Annotations<'a> = Vec<(&'a str, &'a str)>;

impl Judge for DigestImmutable {
    const ID: &'static str = "digest-immutable";
    const JUDGES: Judges = Judges::Every;
    type Reads<'a> = Kept<Annotations<'a>>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Self::Reads<'a>> {
        kept(subject, |subject, _| {
            let annotations = subject.pod.metadata.annotations.iter();
            annotations.flat_map(|annotations| annotations.starting_with(KATA_PREFIX)).collect()
        })
    }

    fn judge(Kept { old, new }: &Self::Reads<'_>, _: &Known<'_>) -> Judgement {
        // Both are sorted by key, so this stays cheap however many a hostile pod has.
        let differs =
            |annotation: &&(&str, &str)| old.binary_search(annotation).is_err() || new.binary_search(annotation).is_err();
        let mut keys: Vec<&str> = old.iter().chain(new).filter(differs).map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        match keys.as_slice() {
            [] => Ok(()),
            [key] => Err(changed(Self::ID, &format!("annotation {key}"))),
            keys => {
                let shown = keys.iter().take(5).copied().collect::<Vec<_>>().join(", ");
                Err(changed(Self::ID, &format!("annotations {shown}{}", if keys.len() > 5 { ", …" } else { "" })))
            }
        }
    }
}
