//! `cargo xtask cluster`: a real cluster to try things in.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::bench::{cargo, target};
use crate::step::root;
use crate::tools::{self, Tool};

/// Installs what is missing and becomes the program that boots the cluster, so that Ctrl-C reaches that one alone.
///
/// # Errors
/// When something is missing and cannot be installed, when this is not root on Debian, or when the build fails.
pub(crate) fn run() -> Result<ExitCode> {
    Tool::Go.ensure()?;
    tools::ensure_node_packages()?;
    cargo(&["build", "--workspace", "--locked", "--bin", "countersign-cluster"])?;
    let program = target().join("debug/countersign-cluster");
    let error = Command::new(&program).current_dir(root()).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}
