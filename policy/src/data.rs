//! `policy_data`: what a generator knew of the pod, as its rules compare it with what the guest is asked for.
//!
//! Strict on what Countersign relies on, lenient on what it does not know: a field that a newer generator adds is passed over, one
//! of another type is an error that names it.
//! Source: genpolicy of kata-containers 3.x to 4.1 and of microsoft/kata-containers 3.2 (`src/tools/genpolicy/src/policy.rs`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The annotation with a container's name; the pause container has none.
pub const CONTAINER_NAME: &str = "io.kubernetes.cri.container-name";
/// The annotation with a container's image, its tag written out.
pub const IMAGE_NAME: &str = "io.kubernetes.cri.image-name";
/// The annotation that says `sandbox` of the pause container and `container` of all others.
pub const CONTAINER_TYPE: &str = "io.kubernetes.cri.container-type";
/// The annotation with the pattern of the pod's name.
pub const SANDBOX_NAME: &str = "io.kubernetes.cri.sandbox-name";
/// The annotation with the pod's namespace; empty where the manifest had none.
pub const SANDBOX_NAMESPACE: &str = "io.kubernetes.cri.sandbox-namespace";

/// What a policy's rules compare with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PolicyData {
    /// The pause container, the init containers in reverse order, then the containers.
    pub containers: Vec<Container>,
    /// Patterns and lists that the rules share.
    #[serde(default)]
    pub common: BTreeMap<String, Value>,
    /// What belongs to the sandbox as a whole.
    #[serde(default)]
    pub sandbox: Value,
    /// What is permitted by request, whatever the container.
    #[serde(default)]
    pub request_defaults: RequestDefaults,
    /// What upstream's generator knew of the cluster.
    #[serde(default)]
    pub cluster_config: Value,
    /// Devices that upstream permits.
    #[serde(default)]
    pub devices: Value,
}

/// A container that the guest may be asked to create.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Container {
    /// The OCI specification that its request is compared with.
    #[serde(rename = "OCI")]
    pub oci: Oci,
    /// What is mounted inside the guest for it.
    #[serde(default)]
    pub storages: Vec<Value>,
    /// Devices; upstream alone.
    #[serde(default)]
    pub devices: Vec<Value>,
    /// Whether it shares the process namespace of the sandbox.
    #[serde(default)]
    pub sandbox_pidns: bool,
    /// The commands that may be run in it later: of probes and of the generator's settings.
    #[serde(default)]
    pub exec_commands: Vec<Command>,
}

impl Container {
    /// One of the container's annotations.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.oci.annotations.get(key).map(String::as_str)
    }

    /// Its name in the pod; `None` for the pause container.
    pub fn name(&self) -> Option<&str> {
        self.annotation(CONTAINER_NAME)
    }

    /// Its image.
    pub fn image(&self) -> Option<&str> {
        self.annotation(IMAGE_NAME)
    }

    /// Whether this is the pause container.
    pub fn is_sandbox(&self) -> bool {
        self.annotation(CONTAINER_TYPE) == Some("sandbox")
    }
}

/// A command: one string in the AKS line, which splits it at spaces, a list of arguments upstream.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Command {
    /// The arguments, joined by spaces.
    Joined(String),
    /// The arguments.
    Arguments(Vec<String>),
}

impl Command {
    /// The arguments joined by spaces, for people and as the AKS line compares them.
    pub fn joined(&self) -> String {
        match self {
            Self::Joined(command) => command.clone(),
            Self::Arguments(arguments) => arguments.join(" "),
        }
    }
}

/// The part of an OCI specification that rules compare.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Oci {
    /// The version of the specification.
    #[serde(default)]
    pub version: String,
    /// The process that is started.
    #[serde(default)]
    pub process: Process,
    /// The root file system; a policy by hand may leave it open.
    #[serde(default)]
    pub root: Option<Root>,
    /// Its mounts.
    #[serde(default)]
    pub mounts: Vec<Mount>,
    /// Its annotations, some of them patterns.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Namespaces, masked paths and the like.
    #[serde(default)]
    pub linux: Value,
}

/// A process.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Process {
    /// Whether it has a terminal.
    #[serde(default)]
    pub terminal: bool,
    /// Who runs it.
    #[serde(default)]
    pub user: User,
    /// Command and arguments, with the generator's placeholders.
    #[serde(default)]
    pub args: Vec<String>,
    /// The environment as `NAME=value`, with the generator's placeholders.
    #[serde(default)]
    pub env: Vec<String>,
    /// The working directory.
    #[serde(default)]
    pub cwd: String,
    /// The capabilities by set, or the placeholder of a set.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// Whether it may not gain privileges.
    #[serde(default)]
    pub no_new_privileges: bool,
}

/// Who runs a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct User {
    /// The user.
    #[serde(rename = "UID", default)]
    pub uid: u32,
    /// The group.
    #[serde(rename = "GID", default)]
    pub gid: u32,
    /// Further groups.
    #[serde(default)]
    pub additional_gids: Vec<u32>,
}

/// Capabilities by set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Capabilities {
    /// The ambient set.
    pub ambient: Vec<String>,
    /// The bounding set.
    pub bounding: Vec<String>,
    /// The effective set.
    pub effective: Vec<String>,
    /// The inheritable set.
    pub inheritable: Vec<String>,
    /// The permitted set.
    pub permitted: Vec<String>,
}

/// A root file system.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Root {
    /// Where it is.
    #[serde(default)]
    pub path: String,
    /// Whether it is read-only.
    pub readonly: bool,
}

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Mount {
    /// Where it is mounted.
    pub destination: String,
    /// What is mounted, with the generator's placeholders.
    #[serde(default)]
    pub source: String,
    /// The type of the file system.
    #[serde(default)]
    pub type_: String,
    /// The options.
    #[serde(default)]
    pub options: Vec<String>,
}

/// What is permitted by request, whatever the container; the guest's rules read it, and Countersign asks those.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RequestDefaults {
    /// Environment that any container may have.
    #[serde(rename = "CreateContainerRequest")]
    pub create_container: CreateContainerDefaults,
    /// Commands that may be run in any container.
    #[serde(rename = "ExecProcessRequest")]
    pub exec_process: ExecDefaults,
}

/// Environment that any container may have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CreateContainerDefaults {
    /// Patterns of `NAME=value`, with the placeholders of `common`.
    pub allow_env_regex: Vec<String>,
    /// Patterns of values by name; the AKS line alone.
    pub allow_env_regex_map: BTreeMap<String, String>,
}

/// Commands that may be run in any container: `commands` in the AKS line, `allowed_commands` upstream, patterns in both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ExecDefaults {
    /// The commands.
    #[serde(alias = "allowed_commands")]
    pub commands: Vec<Command>,
    /// Patterns of commands, their arguments joined by spaces.
    pub regex: Vec<String>,
}

impl PolicyData {
    /// Reads what rule `policy_data` gives; the error names the field, as `containers[1].OCI.Process`.
    pub fn read(value: &Value) -> Result<Self, String> {
        serde_path_to_error::deserialize(value).map_err(|error| format!("{}: {}", error.path(), error.inner()))
    }

    /// The container of that name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.name() == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_container_is_known_by_its_annotations() {
        let container = |annotations: Value| json!({"OCI": {"Annotations": annotations}});
        let data = PolicyData::read(&json!({"containers": [
            container(json!({CONTAINER_TYPE: "sandbox", SANDBOX_NAMESPACE: "kafka"})),
            container(json!({CONTAINER_TYPE: "container", CONTAINER_NAME: "app", IMAGE_NAME: "registry.example/app:1"})),
        ]}))
        .unwrap();
        let [sandbox, app] = &*data.containers else { panic!("two containers") };
        assert_eq!((sandbox.is_sandbox(), sandbox.name(), sandbox.image()), (true, None, None));
        assert_eq!(sandbox.annotation(SANDBOX_NAMESPACE), Some("kafka"));
        assert_eq!((app.is_sandbox(), app.name(), app.image()), (false, Some("app"), Some("registry.example/app:1")));
        assert_eq!(app.annotation(SANDBOX_NAMESPACE), None);
        assert_eq!(data.container("app"), Some(app));
        assert_eq!(data.container("other"), None);
    }

    #[test]
    fn both_spellings_of_a_command_are_read() {
        let commands: Vec<Command> = serde_json::from_value(json!(["ls -l", ["ls", "-l"]])).unwrap();
        assert_eq!(commands.iter().map(Command::joined).collect::<Vec<_>>(), ["ls -l", "ls -l"]);
    }

    #[test]
    fn another_shape_is_refused_by_its_field_and_an_unknown_field_is_passed_over() {
        let container = |root: Value| json!({"containers": [{"OCI": {"Process": {}, "Root": root, "Newer": 1}}], "newer": 2});
        assert!(PolicyData::read(&container(json!({"Readonly": true}))).is_ok());
        assert_eq!(
            PolicyData::read(&container(json!({"Readonly": "yes"}))).unwrap_err(),
            "containers[0].OCI.Root.Readonly: invalid type: string \"yes\", expected a boolean"
        );
        assert_eq!(PolicyData::read(&json!({})).unwrap_err(), ".: missing field `containers`");
    }
}
