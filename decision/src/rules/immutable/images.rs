//! The images of an admitted confidential pod stay, those of init containers too.
//!
//! Why: the guest runs the images that the policy measures; with another one the pod would only fail later, and without words.
//! Reads: of the old and the new pod: the names and images of containers and init containers.
//! Allows: for a pod that was confidential, what it was.

use super::{Kept, changed, kept};
use crate::facts::Known;
use crate::pod::Container;
use crate::rules::{Judge, Judgement, Judges};
use crate::subject::Subject;

pub(in crate::rules) struct ImagesImmutable;

impl Judge for ImagesImmutable {
    const ID: &'static str = "images-immutable";
    const JUDGES: Judges = Judges::Every;
    /// Name and image of each container.
    type Reads<'a> = Kept<Vec<(&'a str, &'a str)>>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Self::Reads<'a>> {
        kept(subject, |subject, _| {
            let spec = &subject.pod.spec;
            let both = [&spec.init_containers, &spec.containers].into_iter();
            let containers = both.flat_map(|list| list.as_deref().unwrap_or_default());
            containers.map(|container: &Container<'_>| (&*container.name, &*container.image)).collect()
        })
    }

    fn judge(Kept { old, new }: &Self::Reads<'_>, _: &Known<'_>) -> Judgement {
        if old.len() != new.len() {
            return Err(changed(Self::ID, "the containers"));
        }
        let differ = old.iter().zip(new).filter(|(old, new)| old != new);
        let changes: Vec<_> =
            differ.map(|((name, old), (_, new))| format!("the image of container {name} from {old:?} to {new:?}")).collect();
        if changes.is_empty() { Ok(()) } else { Err(changed(Self::ID, &changes.join(", "))) }
    }
}
