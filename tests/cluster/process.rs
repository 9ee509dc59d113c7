//! The processes of pods, as the host sees them.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::Pod;

use crate::site::Site;

/// The folder in /proc of the process of a replica: that of its pod's control group which runs Countersign.
pub(crate) fn process_of(site: &Site, pod: &Pod) -> Result<PathBuf> {
    let run = site.cluster.api().folder().file_name().context("the run has no name")?.to_string_lossy().into_owned();
    let uid = pod.metadata.uid.as_deref().context("the pod has no uid")?;
    for entry in fs::read_dir("/proc")? {
        let process = entry?.path();
        let groups = fs::read_to_string(process.join("cgroup")).unwrap_or_default();
        let command = fs::read(process.join("cmdline")).unwrap_or_default();
        if groups.contains(&run) && groups.contains(uid) && command.starts_with(b"/countersign") {
            return Ok(process);
        }
    }
    anyhow::bail!("no process of pod {uid} runs")
}
