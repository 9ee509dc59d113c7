//! A profile: what one platform needs of a confidential pod.

use countersign_policy::Measured;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::names::Name;
use crate::sidecar::Stored;

/// What one platform needs of a confidential pod.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// The name that pods and namespaces choose it by.
    pub name: Name,
    /// The runtime class that an opted-in pod gets.
    pub runtime_class: Name,
    /// The runtime classes that the platform accepts, with their handlers.
    pub accepts: Vec<AcceptedClass>,
    /// The one annotation that the platform's runtime measures.
    pub policy_annotation: PolicyAnnotation,
    /// Other annotations `io.katacontainers.*` that a pod may carry.
    #[serde(default)]
    pub permitted_annotations: Vec<String>,
    /// The attestation sidecar; without it, pods need none.
    #[serde(default)]
    pub sidecar: Option<Sidecar>,
    /// Which trusted-launch nodes the pods need.
    #[serde(default)]
    pub trusted_launch: TrustedLaunch,
    /// What becomes of a policy that does not cover its pod.
    #[serde(default, skip_serializing_if = "is_default")]
    pub coverage: Coverage,
}

impl Profile {
    /// The runtime class of this name, if the profile accepts it.
    pub fn accepted(&self, class: &str) -> Option<&AcceptedClass> {
        self.accepts.iter().find(|accepted| accepted.runtime_class == *class)
    }

    /// The names of the accepted runtime classes, as a sentence has them.
    pub fn accepted_names(&self) -> String {
        self.accepts.iter().map(|accepted| &*accepted.runtime_class).collect::<Vec<_>>().join(", ")
    }

    /// Whether the pods need or prefer trusted-launch nodes.
    pub fn needs_trusted_launch(&self) -> bool {
        self.trusted_launch != TrustedLaunch::default()
    }
}

/// A runtime class that a profile accepts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptedClass {
    /// The name of the RuntimeClass object.
    pub runtime_class: Name,
    /// The handlers that the object may name.
    pub handlers: Vec<Name>,
}

/// The annotation that carries the measured policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum PolicyAnnotation {
    /// The base64 of the Rego text; the hardware reports its SHA-256.
    #[serde(rename = "io.katacontainers.config.agent.policy")]
    AgentPolicy,
    /// The base64 of the gzip of an initdata document; the hardware reports its digest by the algorithm that it names.
    #[serde(rename = "io.katacontainers.config.hypervisor.cc_init_data")]
    Initdata,
    /// The same under its earlier key, for runtimes that read that one.
    #[serde(rename = "io.katacontainers.config.runtime.cc_init_data")]
    EarlierInitdata,
}

impl PolicyAnnotation {
    /// How the annotation's text is read and measured.
    pub const fn measured(self) -> Measured {
        match self {
            Self::AgentPolicy => Measured::AgentPolicy,
            Self::Initdata => Measured::Initdata,
            Self::EarlierInitdata => Measured::EarlierInitdata,
        }
    }

    /// The annotation's key.
    pub const fn key(self) -> &'static str {
        self.measured().annotation()
    }
}

/// The attestation sidecar of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sidecar {
    /// The container, whole, as it is put first into the pod. Its `name` and `image` are required.
    pub container: Map<String, Value>,
    /// The volumes that the container mounts.
    #[serde(default)]
    pub volumes: Vec<Map<String, Value>>,
    /// Whether the sidecar is a native one: the first init container, with `restartPolicy: Always`.
    #[serde(default)]
    pub native: bool,
    /// What other webhooks may add to the container, each once.
    #[serde(default)]
    pub additions: Additions,
    /// The container as pods are compared with it.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) stored: Stored,
}

impl Sidecar {
    /// The container's name.
    pub fn name(&self) -> &str {
        self.container.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// The list of the pod that the sidecar comes first in.
    pub const fn list(&self) -> &'static str {
        if self.native { "initContainers" } else { "containers" }
    }
}

/// What other webhooks may add to the sidecar.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Additions {
    /// The names of environment variables with a plain value.
    pub env: Vec<String>,
    /// Volume mounts, whole volumes only.
    pub volume_mounts: Vec<AddedMount>,
}

/// A volume mount that another webhook may add.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddedMount {
    /// The name of the volume.
    pub name: String,
    /// Where it is mounted.
    pub mount_path: String,
}

/// What becomes of a policy that does not cover its pod. What it has beyond the pod is a warning in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Coverage {
    /// What the guest certainly refuses is refused; what nobody can know before the pod runs is a warning.
    #[default]
    Refuse,
    /// What nobody can know is refused too.
    Strict,
    /// Everything is a warning.
    Warn,
}

/// Whether a field goes without saying: the built-in profiles do not name it.
fn is_default<T: Default + PartialEq>(field: &T) -> bool {
    *field == T::default()
}

/// How much a pod needs a property of its node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Demand {
    /// A node selector: the pod runs on no other node.
    Require,
    /// A preferred node affinity: other nodes will do.
    Prefer,
    /// Nothing is added or checked.
    #[default]
    Off,
}

/// Which trusted-launch nodes a profile's pods need.
///
/// Source: AKS, "Trusted Launch" (node labels `kubernetes.azure.com/trusted-launch` and `kubernetes.azure.com/secure-boot`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TrustedLaunch {
    /// Nodes with a virtual TPM.
    pub vtpm: Demand,
    /// Nodes with Secure Boot.
    pub secure_boot: Demand,
}

impl TrustedLaunch {
    /// Each node label with how much it is needed. Its value is the string `"true"`.
    pub const fn labels(self) -> [(&'static str, Demand); 2] {
        [("kubernetes.azure.com/trusted-launch", self.vtpm), ("kubernetes.azure.com/secure-boot", self.secure_boot)]
    }
}
