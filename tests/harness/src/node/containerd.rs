//! containerd: runs the pods, with runc in the place of the virtual machine.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::process::Process;
use crate::run::Run;
use crate::space::Space;

/// In the run's own /run: forgotten when the machine is, as on a real one.
pub(crate) const SOCKET: &str = "/run/containerd/containerd.sock";

/// The image of the container that holds a pod's namespaces.
pub(crate) const PAUSE: &str = "countersign.test/pause:1";

/// The last that containerd says before it takes the kubelet's requests.
const SERVES: &str = "Start streaming server";

/// How long that may take.
const SERVES_WITHIN: Duration = Duration::from_mins(1);

/// Where the mirror of all registries listens, inside the namespace.
pub(crate) const REGISTRY: &str = "127.0.0.1:5000";

/// Writes the configuration.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write_files(run: &Run) -> Result<()> {
    let folder = run.folder();
    fs::write(folder.join("containerd.toml"), configuration(folder))?;
    let everywhere = folder.join("registries/_default");
    fs::create_dir_all(&everywhere)?;
    fs::write(
        everywhere.join("hosts.toml"),
        format!("server = \"http://{REGISTRY}\"\n[host.\"http://{REGISTRY}\"]\ncapabilities = [\"pull\", \"resolve\"]\n"),
    )?;
    fs::create_dir_all(folder.join("cni"))?;
    fs::write(folder.join("cni/pods.conflist"), network(folder).to_string())?;
    Ok(())
}

/// Starts containerd and waits until it serves: the kubelet gives up when it comes first, and after a stop containerd takes its
/// time with the pods that it remembers.
///
/// # Errors
/// When it ends, or does not serve in time, with the end of its log.
pub(crate) fn start(run: &Run, space: &Space) -> Result<Process> {
    let arguments: [OsString; 2] = ["--config".into(), run.folder().join("containerd.toml").into()];
    let mut containerd = space.start(run, "containerd", Path::new("containerd"), &arguments)?;
    let deadline = Instant::now() + SERVES_WITHIN;
    while !containerd.log().contains(SERVES) {
        if let Some(status) = containerd.ended() {
            return Err(containerd.failure(&format!("ended with {status}")));
        }
        if Instant::now() > deadline {
            return Err(containerd.failure("does not serve in time"));
        }
        sleep(Duration::from_millis(50));
    }
    // The word is given just before the first request is taken.
    sleep(Duration::from_millis(200));
    Ok(containerd)
}

/// Handler `kata-cc` is what AKS's RuntimeClass names: scheduling, overhead and admission of its pods are the real ones, only
/// the virtual machine is missing.
fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"version = 2
root = "{folder}/containerd"
state = "/run/containerd/state"
[grpc]
address = "{SOCKET}"
[plugins."io.containerd.internal.v1.opt"]
path = "{folder}/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
# Without it runc may not lower the score of the sandbox, and dies.
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{folder}/cni"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{folder}/registries"
[plugins."io.containerd.grpc.v1.cri".containerd]
# The images are small, and plain copies work on every file system.
snapshotter = "native"
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata-cc]
runtime_type = "io.containerd.runc.v2"
"#
    )
}

/// Pods hang on a bridge of their own; the node routes.
fn network(folder: &Path) -> serde_json::Value {
    serde_json::json!({
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "pods",
                "isGateway": true,
                "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "dataDir": folder.join("pod-addresses"),
                    "ranges": [[{"subnet": "10.244.0.0/16"}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
}
