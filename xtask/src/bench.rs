//! `cargo xtask bench`: release builds of the webhook and its floor, and the benchmark over both.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};

use crate::step::root;
use crate::tools::Tool;

/// Builds and runs the benchmark; its tables go to standard output, its figures and pictures to `docs/performance`.
///
/// # Errors
/// When h2load is missing and cannot be installed, or when a build or the benchmark fails.
pub(crate) fn run() -> Result<ExitCode> {
    Tool::H2load.ensure()?;
    let release = ["build", "--release", "--locked", "--bin", "countersign", "--example", "floor"];
    cargo(&release)?;
    cargo(&["build", "--release", "--locked", "--package", "countersign-bench"])?;
    let built = target().join("release");
    let status = Command::new(built.join("countersign-bench"))
        .arg(built.join("countersign"))
        .arg(built.join("examples/floor"))
        .arg(root().join("docs/performance"))
        .status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds and runs the benchmark under a real API server; its tables go to standard output, its figures to
/// `docs/performance/apiserver.json`.
///
/// # Errors
/// When no Go is installed and the control plane is not built yet, or when a build or the benchmark fails.
pub(crate) fn under_an_api_server() -> Result<ExitCode> {
    Tool::Go.ensure()?;
    cargo(&["bench", "--profile", "release", "--locked", "--bench", "apiserver"])?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn cargo(arguments: &[&str]) -> Result<()> {
    anstream::println!("cargo {}", arguments.join(" "));
    let status = Command::new("cargo").args(arguments).current_dir(root()).status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo {} ended with {status}", arguments.join(" "));
    Ok(())
}

/// Where cargo puts what it builds: the variable of cargo's own name, else the folder in the repository.
pub(crate) fn target() -> PathBuf {
    let given = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    given.map_or_else(|| root().join("target"), |given| root().join(given))
}
