//! Requests that no workload makes: what a policy says to them, it says to anything of the kind.
//!
//! Source: Kata Containers, `src/libs/protocols/protos/agent.proto` and `oci.proto`, as the agent serializes them for its policy.

use serde_json::{Value, json};

use crate::data::Container;

/// An id as container runtimes make them.
pub(super) const ID: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";
/// A command that no generator writes into a policy.
const COMMAND: [&str; 2] = ["/countersign/any-command", "any-argument"];

/// The id of the container that the policy describes at this place.
pub(super) fn id(index: usize) -> String {
    format!("{index:064x}")
}

/// Running a command that nothing lists in the container of this `id`, which is `container` where it is known.
pub(super) fn exec(id: &str, container: Option<&Container>, terminal: bool) -> Value {
    let process = container.map(|container| &container.oci.process);
    let user = process.map(|process| process.user.clone()).unwrap_or_default();
    json!({
        "container_id": id,
        "exec_id": id,
        "string_user": null,
        "stdin_port": null,
        "stdout_port": null,
        "stderr_port": null,
        "process": {
            "Terminal": terminal,
            "ConsoleSize": null,
            "User": {"UID": user.uid, "GID": user.gid, "AdditionalGids": user.additional_gids, "Username": ""},
            "Args": COMMAND,
            "Env": [],
            "Cwd": process.map_or("/", |process| &process.cwd),
            "Capabilities": null,
            "Rlimits": [],
            "NoNewPrivileges": process.is_some_and(|process| process.no_new_privileges),
            "ApparmorProfile": "",
            "OOMScoreAdj": 0,
            "SelinuxLabel": "",
        },
    })
}

/// Creating a container that no policy describes.
pub(super) fn create_container() -> Value {
    json!({
        "container_id": ID,
        "exec_id": ID,
        "string_user": null,
        "devices": [],
        "storages": [],
        "shared_mounts": [],
        "sandbox_pidns": false,
        "OCI": {
            "Version": "1.1.0",
            "Hooks": null,
            "Hostname": "any",
            "Solaris": null,
            "Windows": null,
            "Root": {"Path": "/countersign/any-root", "Readonly": false},
            "Mounts": [],
            "Annotations": {
                "io.kubernetes.cri.container-type": "container",
                "io.kubernetes.cri.container-name": "countersign-any-container",
                "io.kubernetes.cri.image-name": "countersign.invalid/any-image:any",
                "io.kubernetes.cri.sandbox-name": "countersign-any-pod",
                "io.kubernetes.cri.sandbox-namespace": "countersign-any-namespace",
                "io.katacontainers.pkg.oci.container_type": "pod_container",
            },
            "Process": exec(ID, None, false).get("process"),
            "Linux": {"Resources": {"Devices": []}, "Namespaces": [], "MaskedPaths": [], "ReadonlyPaths": []},
        },
    })
}

/// Reading what a process prints, or writing to what it reads.
pub(super) fn stream() -> Value {
    json!({"container_id": ID, "exec_id": ID, "len": 4096, "data": []})
}

/// Putting a file where nothing of the pod is.
pub(super) fn copy_file() -> Value {
    json!({
        "path": "/etc/passwd", "file_size": 1, "file_mode": 0o644, "dir_mode": 0o755, "uid": 0, "gid": 0, "offset": 0,
        "data": [], "file_type": "Regular", "symlink_src": "",
    })
}

/// Taking another policy.
pub(super) fn set_policy() -> Value {
    json!({"policy": "package agent_policy"})
}
