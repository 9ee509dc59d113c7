//! `countersign digest`: the policy digest of every pod in a manifest.

use std::io::Write as _;

use anyhow::{anyhow, bail};
use countersign_manifest::{ManifestFile, PodInFile};
use countersign_policy::{Digest, Limits, Measured};

use super::{End, input};
use crate::args::DigestArguments;

pub(super) fn run(arguments: &DigestArguments) -> anyhow::Result<End> {
    let manifest = input::manifest(&arguments.manifest.file)?;
    let mut out = std::io::stdout().lock();
    let mut any = false;
    for pod in &manifest.pods {
        let title = input::title(pod, pod.namespace.as_deref());
        match of(&manifest.file, pod)? {
            Some(digest) => {
                any = true;
                writeln!(out, "{digest}  {title}")?;
            }
            None => anstream::eprintln!("{title} has no policy annotation: nothing to measure"),
        }
    }
    if !any {
        bail!("{}: no pod in it carries a policy", input::called(&arguments.manifest.file));
    }
    Ok(End::Done)
}

/// The digest of a pod's policy, whichever annotation carries it; `None` if none does.
pub(super) fn of(file: &ManifestFile, pod: &PodInFile) -> anyhow::Result<Option<Digest>> {
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
    Ok(Some(reading.digest))
}
