//! kube-controller-manager and kube-scheduler.

use std::path::Path;

use anyhow::Result;

use crate::process::Process;
use crate::run::Run;
use crate::space::Space;

/// The user that the controller manager is.
pub(crate) const CONTROLLER_MANAGER: &str = "system:kube-controller-manager";

/// The user that the scheduler is.
pub(crate) const SCHEDULER: &str = "system:kube-scheduler";

/// Starts the controllers: Deployments, Jobs, endpoints, garbage collection, service accounts and their authority's ConfigMap.
///
/// # Errors
/// When they cannot be started.
pub(crate) fn start(run: &Run, space: &Space, program: &Path) -> Result<Process> {
    let folder = run.folder().display();
    let arguments = [
        format!("--kubeconfig={folder}/{CONTROLLER_MANAGER}.kubeconfig"),
        format!("--root-ca-file={folder}/authority.crt"),
        format!("--service-account-private-key-file={folder}/service-accounts.key"),
        // Each controller has its own rights, as in clusters that people run.
        "--use-service-account-credentials=true".to_owned(),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
    ];
    space.start(run, "kube-controller-manager", program, &arguments.map(Into::into))
}

/// Starts the scheduler.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start_scheduler(run: &Run, space: &Space, program: &Path) -> Result<Process> {
    let arguments = [
        format!("--kubeconfig={}/{SCHEDULER}.kubeconfig", run.folder().display()),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
    ];
    space.start(run, "kube-scheduler", program, &arguments.map(Into::into))
}
