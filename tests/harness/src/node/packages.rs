//! What a node needs of the distribution.

use std::path::Path;
use std::{env, fs};

use anyhow::{Result, ensure};

/// Lines of a program and the Debian package that brings it; `cargo xtask` installs those that are missing.
const NEEDED: &str = include_str!("../../debian-packages");

/// # Errors
/// When a package is missing, or this is not root: the error says what to do.
pub(crate) fn ensure_there() -> Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "a cluster needs root: it makes namespaces, links, mounts and control groups"
    );
    let needed = NEEDED.lines().filter_map(|line| line.split_once(' '));
    let missing: Vec<&str> = needed.filter(|(program, _)| !is_there(program)).map(|(_, package)| package).collect();
    ensure!(
        missing.is_empty(),
        "a cluster needs what these Debian packages bring: apt-get install --no-install-recommends {}",
        missing.join(" ")
    );
    Ok(())
}

fn is_there(program: &str) -> bool {
    let is_file = |path: &Path| fs::metadata(path).is_ok_and(|found| found.is_file());
    let path = env::var_os("PATH").unwrap_or_default();
    // An absolute path stays what it is.
    env::split_paths(&path).any(|folder| is_file(&folder.join(program)))
}
