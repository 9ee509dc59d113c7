//! Whether an edited text reads as it should: as the old values with the patches applied by another program.

use json_patch::Patch;
use serde_json::Value;

use super::Step;
use crate::error::ManifestError;
use crate::file::ManifestFile;
use crate::pods::PodInFile;
use crate::value::read;

/// Fails where `pod` does not stand in `file`.
pub(super) fn is_of_file(file: &ManifestFile, pod: &PodInFile) -> Result<(), ManifestError> {
    if value(file, pod)?.as_ref() == Some(&pod.pod) {
        return Ok(());
    }
    Err(ManifestError::AnotherFile { file: file.source.name.clone(), pod: pod.owner() })
}

pub(super) fn same_place(one: &PodInFile, other: &PodInFile) -> bool {
    one.document == other.document && one.pointer == other.pointer
}

/// Whether the pod in `after` is what the operation makes of it. What is wrong is said in words.
pub(super) fn step(before: &ManifestFile, after: &ManifestFile, step: Step<'_>) -> Result<(), String> {
    let Step { pod, operation } = step;
    let read = |file| value(file, pod).map_err(|error| error.to_string());
    let (Some(mut expected), written) = (read(before)?, read(after)?) else {
        return Err("the pod is gone".to_owned());
    };
    json_patch::patch(&mut expected, std::slice::from_ref(operation)).map_err(|error| error.to_string())?;
    if written == Some(expected) {
        Ok(())
    } else if before.source.text.ends_with('\n') {
        Err("it would read as something else".to_owned())
    } else {
        Err("the last line of the file has no line end".to_owned())
    }
}

/// Fails where any document reads otherwise than it did, but for the patches.
pub(super) fn whole(before: &ManifestFile, after: &ManifestFile, edits: &[(&PodInFile, &Patch)]) -> Result<(), ManifestError> {
    for index in 0..before.roots.len().max(after.roots.len()) {
        // A document that is not read as JSON stays one; its text is elsewhere and untouched.
        let root = |file: &ManifestFile| file.roots.get(index).map(|root| read(&file.source, root).ok());
        let (mut expected, written) = (root(before), root(after));
        let mut same = true;
        let own = || edits.iter().filter(|(pod, _)| pod.document == index + 1);
        for (pod, patch) in own() {
            let pod = expected.iter_mut().flatten().find_map(|document| document.pointer_mut(&pod.pointer));
            let patched = pod.map(|pod| json_patch::patch(pod, patch));
            same = same && matches!(patched, Some(Ok(())));
        }
        if !same || expected != written {
            let at = before.source.position(before.roots.get(index).map_or(0, |root| root.start));
            let pointer = own().next().map_or_else(String::new, |(pod, _)| pod.owner());
            return Err(ManifestError::NotInPlace { at, pointer, reason: "the document would read otherwise".to_owned() });
        }
    }
    Ok(())
}

fn value(file: &ManifestFile, pod: &PodInFile) -> Result<Option<Value>, ManifestError> {
    file.pod_node(pod).map(|node| read(&file.source, node)).transpose()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn a_change_beside_the_pods_is_noticed() {
        let file = |text: &str| ManifestFile::parse("web.yaml", text).unwrap();
        let before = file("kind: Pod\n---\nkind: Service\n");
        let pods = before.pods().unwrap();
        let patch: Patch = serde_json::from_str(r#"[{"op": "add", "path": "/spec", "value": {"a": "b"}}]"#).unwrap();
        let check = |text: &str| whole(&before, &file(text), &[(&pods[0], &patch)]).is_ok();
        assert!(check("kind: Pod\nspec:\n  a: b\n---\nkind: Service\n"));
        assert!(!check("kind: Pod\n---\nkind: Service\n"), "the patch is missing");
        assert!(!check("kind: Pod\nspec: {a: b}\n---\nkind: Service\nspec: {}\n"), "another document differs");
        assert!(!check("kind: Pod\nspec: {a: b}\n---\nkind: Service\n---\n"), "there is one more document");
    }
}
