//! What a pod asks of its guest: the fields that end up in the requests which a policy judges.
//!
//! Two pods that are equal here are judged alike. Absent and null are the same, as the API server reads them.
//! Source: Kubernetes API, core/v1 Pod.

use std::collections::HashMap;

use serde::Deserialize;

/// The pod, with what is known of it when it is admitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AskedPod {
    /// The pod's name; empty while a generated one is not made yet.
    pub name: String,
    /// The prefix of a generated name.
    pub generate_name: String,
    /// The namespace.
    pub namespace: String,
    /// The service account.
    pub service_account: String,
    /// `spec.securityContext`.
    pub security: PodSecurity,
    /// `spec.shareProcessNamespace`.
    pub shares_processes: bool,
    /// Init containers and containers, in the order of the pod.
    pub containers: Vec<AskedContainer>,
    /// `spec.volumes`.
    pub volumes: Vec<Volume>,
}

impl AskedPod {
    /// The volumes by their names.
    pub(super) fn volumes_by_name(&self) -> HashMap<&str, &Volume> {
        self.volumes.iter().map(|volume| (&*volume.name, volume)).collect()
    }
}

/// The parts of `spec.securityContext`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSecurity {
    pub(super) run_as_user: Option<i64>,
    pub(super) run_as_group: Option<i64>,
    pub(super) fs_group: Option<i64>,
    pub(super) supplemental_groups: Option<Vec<i64>>,
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskedContainer {
    /// Its name.
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub(super) image: String,
    pub(super) command: Option<Vec<String>>,
    pub(super) args: Option<Vec<String>>,
    pub(super) working_dir: Option<String>,
    pub(super) env: Option<Vec<Variable>>,
    pub(super) env_from: Option<Vec<Anything>>,
    pub(super) volume_mounts: Option<Vec<Mount>>,
    pub(super) security_context: Option<ContainerSecurity>,
    pub(super) tty: Option<bool>,
    pub(super) termination_message_path: Option<String>,
}

impl AskedContainer {
    /// `securityContext`; where there is none, one that says nothing.
    pub(super) fn security(&self) -> &ContainerSecurity {
        static SILENT: ContainerSecurity = ContainerSecurity {
            run_as_user: None,
            run_as_group: None,
            privileged: None,
            read_only_root_filesystem: None,
            allow_privilege_escalation: None,
            capabilities: None,
        };
        self.security_context.as_ref().unwrap_or(&SILENT)
    }
}

/// The parts of a container's `securityContext`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContainerSecurity {
    pub(super) run_as_user: Option<i64>,
    pub(super) run_as_group: Option<i64>,
    pub(super) privileged: Option<bool>,
    pub(super) read_only_root_filesystem: Option<bool>,
    pub(super) allow_privilege_escalation: Option<bool>,
    pub(super) capabilities: Option<Capabilities>,
}

/// `securityContext.capabilities`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub(super) struct Capabilities {
    pub(super) add: Option<Vec<String>>,
    pub(super) drop: Option<Vec<String>>,
}

/// An environment variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) value_from: Option<ValueFrom>,
}

/// Where a variable's value comes from, beside the field: a Secret, a ConfigMap or a file, whose content nobody knows here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ValueFrom {
    pub(super) field_ref: Option<FieldRef>,
}

/// A field of the pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub(super) struct FieldRef {
    #[serde(rename = "fieldPath")]
    pub(super) path: String,
}

/// A volume mount.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mount {
    pub(super) name: String,
    #[serde(rename = "mountPath")]
    pub(super) path: String,
    pub(super) read_only: Option<bool>,
    pub(super) sub_path: Option<String>,
    pub(super) sub_path_expr: Option<String>,
}

/// A volume: its name and its kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    pub(super) name: String,
    config_map: Option<Anything>,
    secret: Option<Anything>,
    projected: Option<Anything>,
    #[serde(rename = "downwardAPI")]
    downward_api: Option<Anything>,
    empty_dir: Option<Anything>,
    host_path: Option<Anything>,
}

/// What kind of volume it is, as far as its mounts depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Files that the kubelet writes: always mounted read-only.
    Files,
    /// `emptyDir`.
    EmptyDir,
    /// `hostPath`.
    HostPath,
    /// Any other.
    Other,
}

impl Volume {
    /// The kind.
    ///
    /// Source: Kubernetes, the volume plugins of configMap, secret, projected and downwardAPI (attribute read-only since 1.9.6).
    pub(super) fn kind(&self) -> Kind {
        let files = [&self.config_map, &self.secret, &self.projected, &self.downward_api];
        match self {
            _ if files.iter().any(|source| source.is_some()) => Kind::Files,
            Self { empty_dir: Some(_), .. } => Kind::EmptyDir,
            Self { host_path: Some(_), .. } => Kind::HostPath,
            _ => Kind::Other,
        }
    }
}

/// Something that is there, whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Anything;

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}
