//! `countersign digest`: the policy digest of every pod in a manifest.

use std::io::Write as _;

use anyhow::bail;

use super::carried::carried;
use super::{End, input};
use crate::args::DigestArguments;

pub(super) fn run(arguments: &DigestArguments) -> anyhow::Result<End> {
    let manifest = input::manifest(&arguments.manifest.file)?;
    let mut out = std::io::stdout().lock();
    let mut any = false;
    for pod in &manifest.pods {
        let title = input::title(pod, pod.namespace.as_deref());
        match carried(&manifest.file, pod)? {
            Some((_, reading)) => {
                any = true;
                writeln!(out, "{}  {title}", reading.digest)?;
            }
            None => anstream::eprintln!("{title} has no policy annotation: nothing to measure"),
        }
    }
    if !any {
        bail!("{}: no pod in it carries a policy", input::called(&arguments.manifest.file));
    }
    Ok(End::Done)
}
