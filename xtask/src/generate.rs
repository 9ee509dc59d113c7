//! `cargo xtask generate`: writes the files that come out of the code (manifests, schemas).

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::step::root;

/// Runs the generator; a test says when a file is not what it would write.
///
/// # Errors
/// When cargo cannot be run.
pub(crate) fn run() -> Result<ExitCode> {
    let status = Command::new("cargo")
        .args(["run", "--locked", "--example", "generate"])
        .current_dir(root())
        .status()
        .context("cannot run cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
