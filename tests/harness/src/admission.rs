//! How the API server's admission plugins are configured, where a test says so.
//!
//! Source: Kubernetes, "kube-apiserver Admission (v1)" (`AdmissionConfiguration`).

use std::fs;

use anyhow::Result;

use crate::access::Options;
use crate::run::Run;

const FILE: &str = "admission.yaml";

/// Writes the configuration, if a test asks for one.
pub(crate) fn write(run: &Run, options: &Options) -> Result<()> {
    if let Some(configuration) = &options.admission {
        fs::write(run.folder().join(FILE), configuration)?;
    }
    Ok(())
}

/// The argument of kube-apiserver, if there is a configuration.
pub(crate) fn argument(run: &Run) -> Option<String> {
    let file = run.folder().join(FILE);
    file.exists().then(|| format!("--admission-control-config-file={}", file.display()))
}
