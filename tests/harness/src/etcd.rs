//! etcd, on a Unix socket in the run folder: no port to find, and no other run can meet it.

use std::path::Path;

use anyhow::Result;

use crate::place::Place;
use crate::process::Process;
use crate::run::Run;

/// Starts etcd. kube-apiserver waits for it by itself.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start(run: &Run, place: Place<'_>, program: &Path) -> Result<Process> {
    let folder = run.folder().display();
    // Asked for and never dialled: a cluster of one has no peers, and its one client knows the socket, which is not accepted here.
    let advertised = "http://127.0.0.1:1";
    let arguments = [
        format!("--data-dir={folder}/etcd"),
        format!("--listen-client-urls={}", url(run)),
        format!("--advertise-client-urls={advertised}"),
        format!("--listen-peer-urls=unix://{folder}/etcd-peers.sock"),
        format!("--initial-advertise-peer-urls={advertised}"),
        format!("--initial-cluster=default={advertised}"),
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ];
    place.start(run, "etcd", program, &arguments.map(Into::into))
}

/// Where clients reach it.
pub(crate) fn url(run: &Run) -> String {
    format!("unix://{}/etcd.sock", run.folder().display())
}
