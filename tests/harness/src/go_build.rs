//! Builds the control plane from Go modules, once, and moves it into the cache whole.

use std::io::{BufRead, BufReader, ErrorKind, IsTerminal, stderr};
use std::path::Path;
use std::process::{ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

/// The Go module: go.mod, go.sum, and the program that stands in for others.
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/go");

/// How often plain progress speaks, where there is no terminal.
const EVERY: Duration = Duration::from_secs(30);

/// How many of the last lines of a failed build are shown.
const LAST_LINES: usize = 20;

/// Programs that are built together.
#[derive(Debug)]
pub(crate) struct Set {
    /// The name of their folder in the cache: it tells their versions.
    pub(crate) name: String,
    /// The version that those of Kubernetes call themselves.
    pub(crate) kubernetes: &'static str,
    /// The name of each and its Go package.
    pub(crate) programs: &'static [(&'static str, &'static str)],
    /// How long that takes on 2 cores, in words.
    pub(crate) takes: &'static str,
}

/// Builds all programs into `unfinished`, which becomes `folder`.
/// The caller holds the lock on both.
///
/// # Errors
/// When Go is missing, cannot fetch a module, or cannot compile; the last lines it said are in the error.
pub(crate) fn build(set: &Set, unfinished: &Path, folder: &Path) -> Result<()> {
    let started = Instant::now();
    eprintln!(
        "building {} of Kubernetes {} from Go modules, once, into {} (about {} on 2 cores)",
        set.programs.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
        set.kubernetes,
        folder.display(),
        set.takes
    );
    let kubernetes = set.kubernetes;
    let (major, minor) = major_and_minor(kubernetes)?;
    // Without these the server calls itself v0.0.0 and clients misjudge what it can do.
    let version = "k8s.io/component-base/version";
    let flags =
        format!("-s -w -X {version}.gitVersion={kubernetes} -X {version}.gitMajor={major} -X {version}.gitMinor={minor}");
    for (name, package) in set.programs {
        let mut go = Command::new("go");
        go.current_dir(MODULE)
            .env("CGO_ENABLED", "0")
            .args(["build", "-v", "-mod=readonly", "-trimpath", "-ldflags", &flags, "-o"])
            .arg(unfinished.join(name))
            .arg(package);
        run(name, &mut go)?;
    }
    eprintln!("built in {} s", started.elapsed().as_secs());
    Ok(())
}

fn major_and_minor(version: &str) -> Result<(&str, &str)> {
    let mut numbers = version.trim_start_matches('v').split('.');
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => Ok((major, minor)),
        _ => bail!("go/go.mod requires Kubernetes {version}, which is not like v1.35.4"),
    }
}

pub(crate) fn run(name: &str, go: &mut Command) -> Result<()> {
    let mut child = match go.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "Go is not installed, and the tests build etcd and kube-apiserver with it: install Go 1.25 or newer \
             (https://go.dev/dl), or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl"
        ),
        spawned => spawned.context("cannot start go")?,
    };
    let said = child.stderr.take().map(|stderr| follow(name, stderr)).unwrap_or_default();
    let status = child.wait()?;
    ensure!(status.success(), "go build of {name} ended with {status}; it said last:\n{}", said.join("\n"));
    Ok(())
}

/// Shows what `go build -v` says (one line per download or package) and returns its last lines.
fn follow(name: &str, stderr_of_go: ChildStderr) -> Vec<String> {
    let spinner = if stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {pos} steps, {elapsed}, {wide_msg}") {
        spinner.set_style(style);
    }
    spinner.set_prefix(name.to_owned());
    let mut spoke = Instant::now();
    let mut last = Vec::new();
    for line in BufReader::new(stderr_of_go).lines().map_while(Result::ok) {
        spinner.inc(1);
        spinner.set_message(line.clone());
        if spinner.is_hidden() && spoke.elapsed() > EVERY {
            eprintln!("  {name}: {} steps, now {line}", spinner.position());
            spoke = Instant::now();
        }
        if last.len() == LAST_LINES {
            last.remove(0);
        }
        last.push(line);
    }
    spinner.finish_and_clear();
    last
}
