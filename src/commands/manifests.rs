//! `countersign manifests`: everything to install.

use std::io::Write as _;

use super::{End, offline};
use crate::args::ManifestsArguments;
use crate::manifests;

pub(super) fn run(arguments: &ManifestsArguments) -> anyhow::Result<End> {
    let (configuration, text) = offline::configuration(&arguments.configuration)?;
    let files = manifests::render(&configuration, text.as_deref(), &arguments.namespace, &arguments.image)?;
    std::io::stdout().lock().write_all(manifests::joined(&files).as_bytes())?;
    Ok(End::Done)
}
