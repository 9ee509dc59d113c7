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
            None => anstream::eprintln!("{title} has no annotation {}: nothing to measure", Measured::AgentPolicy.annotation()),
        }
    }
    if !any {
        bail!("{}: no pod in it carries a policy", input::called(&arguments.manifest.file));
    }
    Ok(End::Done)
}

/// The digest of a pod's policy; `None` if it carries none.
pub(super) fn of(file: &ManifestFile, pod: &PodInFile) -> anyhow::Result<Option<Digest>> {
    let measured = Measured::AgentPolicy;
    let pointer = format!("/metadata/annotations/{}", measured.annotation());
    let Some(annotation) = pod.pod.pointer(&pointer).and_then(serde_json::Value::as_str) else { return Ok(None) };
    let reading = measured.read(annotation, Limits::OFFLINE).map_err(|malformed| {
        let at = file.position(pod, &pointer).map_or_else(String::new, |position| format!("{position}: "));
        anyhow!("{at}annotation {} of {} {} is not a policy: {malformed}", measured.annotation(), pod.kind, pod.name)
    })?;
    Ok(Some(reading.digest))
}
