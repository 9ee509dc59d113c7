//! `countersign manifests`: everything to install.

use std::io::Write as _;

use super::{End, offline};
use crate::args::{ManifestsArguments, ManifestsOutput};
use crate::manifests;

pub(super) fn run(arguments: &ManifestsArguments) -> anyhow::Result<End> {
    let (configuration, text) = offline::configuration(&arguments.configuration)?;
    let files = manifests::render(&configuration, text.as_deref(), &arguments.namespace, &arguments.image)?;
    let printed = match arguments.output {
        ManifestsOutput::Yaml => manifests::joined(&files),
        ManifestsOutput::HelmValues => manifests::helm_values(&configuration, text.as_deref()),
    };
    std::io::stdout().lock().write_all(printed.as_bytes())?;
    Ok(End::Done)
}
