//! The way out of the API server: everything that it calls inside the cluster (webhooks, kubelets) goes through one socket.
//!
//! So a test can let the shipped webhook configuration, Service name and all, end at a server on loopback, and nothing ever leaves
//! the machine.
//! Source: Kubernetes, "Set up Konnectivity service" (`EgressSelectorConfiguration`, protocol `HTTPConnect` over a Unix socket).

use std::fs;

use anyhow::Result;
use serde_json::json;

use crate::access::Options;
use crate::run::Run;

const FILE: &str = "egress.json";

/// Writes the configuration, if a test asks for one.
pub(crate) fn write(run: &Run, options: &Options) -> Result<()> {
    if let Some(socket) = &options.egress {
        let connection = json!({"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": socket}}});
        let configuration = json!({
            "apiVersion": "apiserver.k8s.io/v1beta1", "kind": "EgressSelectorConfiguration",
            "egressSelections": [{"name": "cluster", "connection": connection}]
        });
        fs::write(run.folder().join(FILE), configuration.to_string())?;
    }
    Ok(())
}

/// The argument of kube-apiserver, if there is a configuration.
pub(crate) fn argument(run: &Run) -> Option<String> {
    let file = run.folder().join(FILE);
    file.exists().then(|| format!("--egress-selector-config-file={}", file.display()))
}
