//! What the steps need beyond cargo: found, installed, or named so that a person can install it.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::step::{Step, root};

/// A program that cargo builds, with the version that the files here are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CargoProgram {
    name: &'static str,
    version: &'static str,
}

/// Reads deny.toml.
pub(crate) const CARGO_DENY: CargoProgram = CargoProgram { name: "cargo-deny", version: "0.20.2" };
/// Runs fuzz/libfuzzer.
pub(crate) const CARGO_FUZZ: CargoProgram = CargoProgram { name: "cargo-fuzz", version: "0.13.2" };
/// Reads .cargo/mutants.toml.
pub(crate) const CARGO_MUTANTS: CargoProgram = CargoProgram { name: "cargo-mutants", version: "27.1.0" };

/// Something that a step cannot run without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// A component of the Rust toolchain, by its name in rustup.
    Component(&'static str),
    /// Built once by cargo, outside the repository.
    Cargo(CargoProgram),
    /// The Go toolchain, unless `KUBEBUILDER_ASSETS` brings what it would build.
    Go,
    /// The client that the command-line tests send a review with.
    Curl,
    /// What the command-line tests watch a server with.
    Strace,
    /// What counts instructions.
    Valgrind,
    /// The load generator of the benchmark.
    H2load,
    /// What a node runs on, beside what Go builds. Nothing where no node can run: the step then says so by itself.
    Node,
}

/// The tools of these steps, each once, in the order of their first use.
pub(crate) fn needed(steps: &[&Step]) -> Vec<Tool> {
    let mut tools = Vec::new();
    for tool in steps.iter().flat_map(|step| step.needs) {
        if !tools.contains(tool) {
            tools.push(*tool);
        }
    }
    tools
}

impl Tool {
    /// Makes sure that the tool is there; installs it where that can be done.
    ///
    /// # Errors
    /// When it is missing and cannot be installed; the error says what a person installs.
    pub(crate) fn ensure(self) -> Result<()> {
        match self {
            Self::Component(name) => ensure_component(name),
            Self::Cargo(program) => program.ensure(),
            Self::Go => ensure_go(),
            Self::Curl => ensure_package("curl", "curl"),
            Self::Strace => ensure_package("strace", "strace"),
            Self::Valgrind => ensure_package("valgrind", "valgrind"),
            Self::H2load => ensure_package("h2load", "nghttp2-client"),
            Self::Node if can_run_a_node() => ensure_node_packages(),
            Self::Node => Ok(()),
        }
    }
}

/// The caller's PATH, with the tools that were installed here in front.
pub(crate) fn path() -> OsString {
    let installed = [CARGO_DENY, CARGO_FUZZ, CARGO_MUTANTS].into_iter().filter_map(|program| program.folder().ok());
    let given = env::var_os("PATH").unwrap_or_default();
    env::join_paths(installed.map(|folder| folder.join("bin")).chain(env::split_paths(&given))).unwrap_or(given)
}

impl CargoProgram {
    fn ensure(self) -> Result<()> {
        let Self { name, version } = self;
        let folder = self.folder()?;
        if folder.join("bin").join(name).is_file() {
            return Ok(());
        }
        let package = format!("{name}@{version}");
        anstream::println!("{name} {version} is missing; it is built once, which takes a few minutes");
        let folder = folder.to_string_lossy();
        install("cargo", &["install", "--locked", "--root", &folder, &package]).with_context(|| {
            format!("{name} could not be built; install it with `cargo install --locked --root {folder} {package}`")
        })
    }

    /// Beside the programs of the test harness, outside the repository, by version.
    fn folder(self) -> Result<PathBuf> {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
        let cache = cache.context("neither XDG_CACHE_HOME nor HOME is set: set one, so that cargo's programs have a place")?;
        Ok(cache.join("countersign").join(format!("{}-{}", self.name, self.version)))
    }
}

fn ensure_component(name: &str) -> Result<()> {
    let subcommand = if name == "rustfmt" { "fmt" } else { name };
    if answers("cargo", &[subcommand, "--version"]) {
        return Ok(());
    }
    let installed = install("rustup", &["component", "add", name]);
    ensure!(installed.is_ok(), "{name} is missing: install it with `rustup component add {name}`, or by your distribution");
    Ok(())
}

fn ensure_go() -> Result<()> {
    let wanted = "install Go 1.25 or newer (https://go.dev/dl), or set KUBEBUILDER_ASSETS to a folder with etcd, \
                  kube-apiserver and kubectl";
    if env::var_os("KUBEBUILDER_ASSETS").is_some() {
        return Ok(());
    }
    if !answers("go", &["version"]) {
        apt_get(&["golang-go"]).with_context(|| format!("Go is missing: {wanted}"))?;
    }
    // Asked in the module, an older Go fetches the one that go.mod names, or fails.
    ensure!(
        answers("go", &["-C", "tests/harness/go", "list", "-m"]),
        "the installed Go is too old for tests/harness/go/go.mod: {wanted}"
    );
    Ok(())
}

/// Succeeds where this process may make namespaces and Debian packages can be had.
pub(crate) const CAN_RUN_A_NODE: &[&str] =
    &["sh", "-c", "test -e /etc/debian_version && unshare --net --mount --pid --fork true"];

fn can_run_a_node() -> bool {
    matches!(CAN_RUN_A_NODE, [program, arguments @ ..] if answers(program, arguments))
}

/// Installs the packages of a node that are missing.
///
/// # Errors
/// When this is not root on Debian, or apt-get fails.
pub(crate) fn ensure_node_packages() -> Result<()> {
    ensure!(can_run_a_node(), "a cluster needs root on Debian: it makes network, mount and PID namespaces");
    let needed = NODE_PACKAGES.lines().filter_map(|line| line.split_once(' '));
    let is_there = |program: &str| answers("sh", &["-c", &format!("command -v {program}")]);
    let missing: Vec<&str> = needed.filter(|(program, _)| !is_there(program)).map(|(_, package)| package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    apt_get(&missing).with_context(|| format!("a cluster needs these packages: {}", missing.join(", ")))
}

/// Lines of a program and the Debian package that brings it.
const NODE_PACKAGES: &str = include_str!("../../tests/harness/debian-packages");

/// A program that a Debian package brings.
fn ensure_package(program: &str, package: &str) -> Result<()> {
    if answers(program, &["--version"]) {
        return Ok(());
    }
    apt_get(&[package]).with_context(|| format!("{program} is missing: install {package}"))
}

/// Installs Debian packages, where that can be done.
fn apt_get(packages: &[&str]) -> Result<()> {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !is_root || !answers("apt-get", &["--version"]) {
        bail!("{} can be installed here by root with apt-get alone", packages.join(", "));
    }
    install("apt-get", &["update", "--quiet"])?;
    install("apt-get", &[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

/// Runs an installer in sight.
fn install(program: &str, arguments: &[&str]) -> Result<()> {
    anstream::println!("installing: {program} {}", arguments.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .current_dir(root())
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}

/// Whether a program is there and this call of it succeeds.
fn answers(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
