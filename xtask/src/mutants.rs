//! `cargo xtask mutants`: changes the core in small ways, one at a time, and expects the tests to fail.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::bench::target;
use crate::step::root;
use crate::tools::{self, Tool};

/// The pure crates: what they decide is what the product is for.
const CORE: [&str; 2] = ["countersign-decision", "countersign-policy"];

/// Runs cargo-mutants on the core as .cargo/mutants.toml says; its report goes to standard output and into `mutants.out` in cargo's target
/// folder. It works in a copy, and takes some hours.
///
/// # Errors
/// When cargo-mutants is missing and cannot be installed, or cannot be run.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    Tool::Cargo(tools::CARGO_MUTANTS).ensure()?;
    let status = Command::new("cargo")
        .arg("mutants")
        .args(CORE.map(|package| format!("--package={package}")))
        .arg("--output")
        .arg(target())
        .args(arguments)
        .env("PATH", tools::path())
        .current_dir(root())
        .status()
        .context("cannot run cargo mutants")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
