//! The policy that a pod in a manifest carries.

use anyhow::anyhow;
use countersign_manifest::{ManifestFile, PodInFile};
use countersign_policy::{Limits, Measured, PolicyReading};

/// Reads the policy of a pod, whichever annotation carries it; `None` if none does. The error names the place in the file.
pub(super) fn carried(file: &ManifestFile, pod: &PodInFile) -> anyhow::Result<Option<(Measured, PolicyReading)>> {
    let annotations = pod.pod.pointer("/metadata/annotations");
    let text_of = |key: &str| annotations?.get(key)?.as_str();
    let at = |pointer: &str| file.position(pod, pointer).map_or_else(String::new, |position| format!("{position}: "));
    let carried = Measured::carried(text_of)
        .map_err(|several| anyhow!("{}{} {}: {several}", at("/metadata/annotations"), pod.kind, pod.name))?;
    let Some((measured, annotation)) = carried else { return Ok(None) };
    let key = measured.annotation();
    let reading = measured.read(annotation, Limits::OFFLINE).map_err(|malformed| {
        let at = at(&format!("/metadata/annotations/{key}"));
        anyhow!("{at}annotation {key} of {} {} is not {}: {malformed}", pod.kind, pod.name, measured.noun())
    })?;
    Ok(Some((measured, reading)))
}
