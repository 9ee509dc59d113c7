//! `countersign doctor`, from outside, on a healthy installation: everything is as it should be, and it says so.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::site::Site;

pub(crate) fn play(site: &mut Site) -> Result<String> {
    site.run(async |client| site.until_admitting(&client).await)?;
    let report = report(site)?;
    let checks = report["checks"].as_array().context("no checks")?;
    let ill: Vec<&Value> = checks.iter().filter(|check| check["level"] != "ok").collect();
    ensure!(ill.is_empty() && report["healthy"] == true, "{}", serde_json::to_string_pretty(&ill)?);
    Ok(format!("{} of {} checks ok", checks.len(), checks.len()))
}

/// Fails unless these checks find everything as it should be.
pub(crate) fn agrees(site: &Site, ids: &[&str]) -> Result<()> {
    let report = report(site)?;
    for id in ids {
        let check = report["checks"].as_array().and_then(|checks| checks.iter().find(|check| check["id"] == *id));
        let check = check.with_context(|| format!("doctor has no check {id}"))?;
        ensure!(check["level"] == "ok", "{}", serde_json::to_string_pretty(check)?);
    }
    Ok(())
}

fn report(site: &Site) -> Result<Value> {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let kubeconfig = site.cluster.api().kubeconfig_path();
    let output = doctor.args(["doctor", "-o", "json", "--kubeconfig"]).arg(kubeconfig).output()?;
    serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}
