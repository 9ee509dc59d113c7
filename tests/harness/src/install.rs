//! Countersign in a cluster, installed as its documentation says: from the shipped manifests, unchanged.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::Cluster;

/// How long the replicas may take until all are ready.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// What a user applies, in the repository.
pub const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../manifests");

impl Cluster {
    /// Applies `manifests/install.yaml` and waits until every replica is ready; returns how long the waiting took.
    ///
    /// # Errors
    /// When the API server refuses an object, or the replicas do not become ready in time: what kubectl says is in the error.
    pub fn install(&self) -> Result<Duration> {
        let file = Path::new(MANIFESTS).join("install.yaml");
        self.kubectl(&["apply", "--server-side", "-f", &file.to_string_lossy()])?;
        self.wait_until_rolled_out()
    }

    /// Waits until every replica of the Deployment as it is now written is ready.
    ///
    /// # Errors
    /// When that does not come to pass in time.
    pub fn wait_until_rolled_out(&self) -> Result<Duration> {
        let started = Instant::now();
        let timeout = format!("--timeout={}s", READY_WITHIN.as_secs());
        let rollout = ["-n", "countersign-system", "rollout", "status", "deployment/countersign", &timeout];
        self.kubectl(&rollout)?;
        Ok(started.elapsed())
    }

    /// Runs kubectl as `admin`; returns what it printed.
    ///
    /// # Errors
    /// When it fails: with what it said.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        printed(arguments, &self.api().kubectl(arguments)?)
    }

    /// The same with a text on standard input, for `-f -`.
    ///
    /// # Errors
    /// As [`Cluster::kubectl`].
    pub fn kubectl_with_input(&self, arguments: &[&str], input: &str) -> Result<String> {
        printed(arguments, &self.api().kubectl_with_input(arguments, input)?)
    }
}

fn printed(arguments: &[&str], output: &Output) -> Result<String> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "kubectl {}: {}", arguments.join(" "), said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
