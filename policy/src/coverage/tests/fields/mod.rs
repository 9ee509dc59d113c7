//! Each field of a container: where it differs from what the policy describes, before any rule is asked.

mod capabilities;
mod command;
mod env;
mod mounts;
mod plain;

use serde_json::{Value, json};

use super::{asked, written};
use crate::coverage::guest::Guest;

/// Where pod `app-0` of namespace `kafka`, with one container and these fields beside it, differs from a policy that describes
/// `container`.
fn differences_of_pod(mut spec: Value, asking: Value, container: &Value) -> Vec<String> {
    let data = json!({
        "containers": [container],
        "common": {"default_caps": ["CAP_CHOWN", "CAP_KILL"], "privileged_caps": ["CAP_CHOWN", "CAP_KILL", "CAP_SYS_ADMIN"]},
        "request_defaults": {"CreateContainerRequest": {"allow_env_regex": ["^HOSTNAME=[a-z]+$"]}},
    });
    let mut app = asking;
    app["name"] = json!("app");
    spec["containers"] = json!([app]);
    let pod = asked(&json!({"metadata": {"name": "app-0"}, "spec": spec}), "kafka");
    let found = written(&data, "").judge(&pod, &Guest::silent());
    found.iter().map(|found| found.to_string().replace("container app, ", "")).collect()
}

/// The same for a pod that says nothing beside its container.
fn differences(asking: Value, container: &Value) -> Vec<String> {
    differences_of_pod(json!({}), asking, container)
}
