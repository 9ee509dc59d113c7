//! kubelet and kube-proxy: make the namespaces a node.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::node::{NODE, containerd};
use crate::process::Process;
use crate::run::Run;
use crate::space::{NODE_ADDRESS, Space};

/// What AKS's confidential nodes bear, and what the profile and the RuntimeClass select.
const LABELS: &str = "kubernetes.azure.com/kata-cc-isolation=true,kubernetes.azure.com/trusted-launch=true,\
                      kubernetes.azure.com/secure-boot=true";

/// The user that the kubelet is, to the API server's Node authorizer.
pub(crate) const KUBELET: &str = "system:node:node";

/// The user that kube-proxy is.
pub(crate) const KUBE_PROXY: &str = "system:kube-proxy";

/// Writes the kubelet's configuration.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_files(run: &Run) -> Result<()> {
    let configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "healthzBindAddress": "127.0.0.1",
        // Whoever reaches it is in the namespaces of the run, which end with it.
        "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": format!("unix://{}", containerd::SOCKET),
        "podLogsDir": run.folder().join("pod-logs"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", run.name()),
        "enforceNodeAllocatable": [],
        "failCgroupV1": false,
        "failSwapOn": false,
        "resolvConf": "/dev/null",
        "localStorageCapacityIsolation": false,
        "serializeImagePulls": false,
        // The disk and the memory of the machine are not this cluster's to guard.
        "evictionHard": {"memory.available": "1Mi", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "nodeStatusReportFrequency": "10s",
    });
    fs::write(run.folder().join("kubelet.json"), configuration.to_string())?;
    Ok(())
}

/// Starts the kubelet.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start(run: &Run, space: &Space, program: &Path) -> Result<Process> {
    let folder = run.folder().display();
    let arguments = [
        format!("--config={folder}/kubelet.json"),
        format!("--kubeconfig={folder}/{KUBELET}.kubeconfig"),
        format!("--root-dir={folder}/kubelet"),
        format!("--cert-dir={folder}/kubelet-pki"),
        format!("--hostname-override={NODE}"),
        format!("--node-ip={NODE_ADDRESS}"),
        format!("--node-labels={LABELS}"),
    ];
    space.start(run, "kubelet", program, &arguments.map(Into::into))
}

/// Starts kube-proxy, which makes the addresses of Services work, for the API server too.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start_proxy(run: &Run, space: &Space, program: &Path) -> Result<Process> {
    let folder = run.folder().display();
    let arguments = [
        format!("--kubeconfig={folder}/{KUBE_PROXY}.kubeconfig"),
        format!("--hostname-override={NODE}"),
        "--proxy-mode=iptables".to_owned(),
        // The limit is the kernel's, not the namespace's.
        "--conntrack-max-per-core=0".to_owned(),
        "--conntrack-tcp-timeout-established=0".to_owned(),
        "--conntrack-tcp-timeout-close-wait=0".to_owned(),
    ];
    space.start(run, "kube-proxy", program, &arguments.map(Into::into))
}
