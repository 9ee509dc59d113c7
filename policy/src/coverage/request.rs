//! The request that the guest gets for a container, as the policy itself describes it.
//!
//! What a pod does not say (the image's command, namespaces, paths, layers) is taken from the policy, with one sample for each
//! pattern. A policy that allows this request and refuses the same one with a single field of the pod's in it refuses that field.
//! Sources: Kata Containers, `libs/protocols/protos/agent.proto` (`CreateContainerRequest`), `oci.proto`, and genpolicy's `rules.rego`
//! for the forms of paths and storages; the AKS line's requests with `base` and `env_map`.

use serde_json::{Value, json};

use super::described::Described;
use super::sample;
use super::storages;
use crate::data::{CONTAINER_TYPE, SANDBOX_NAME, SANDBOX_NAMESPACE};

/// The identifiers of the bundle and the sandbox in a sample request.
pub(super) const BUNDLE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const SANDBOX: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

/// One field of a request that is not what the policy describes.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// The part at a JSON pointer has this value.
    Part(&'static str, Value),
    /// The list at a JSON pointer has this element too.
    Added(&'static str, Value),
    /// The environment has this variable.
    Variable(String, String),
    /// An annotation has this value.
    Annotation(&'static str, String),
}

/// The name and namespace of the pod in a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sandbox<'a> {
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    body: Value,
    /// The arguments and the variables in the form of the AKS line that resolves references in the guest.
    resolved: Option<(Value, serde_json::Map<String, Value>)>,
}

impl Request {
    /// The request for a container that the policy describes, with no mounts and no variables: each is judged for itself.
    pub(super) fn described(by: Described<'_>, sandbox: Sandbox<'_>) -> Self {
        let arguments = |pointer: &str| -> Option<Vec<Value>> {
            Some(by.texts(pointer)?.into_iter().map(|argument| plain(argument, sandbox).into()).collect())
        };
        let written = arguments("/OCI/Process/Args");
        let taken = arguments("/OCI/Process/DeprecatedArgs").or_else(|| written.clone());
        let resolved = by.part("/env_map").map(|_| (json!(written), serde_json::Map::new()));
        let part = |pointer: &str| by.part(pointer).cloned().unwrap_or(Value::Null);
        let list = |pointer: &str| by.part(pointer).cloned().unwrap_or_else(|| json!([]));
        let body = json!({
            "container_id": BUNDLE,
            "string_user": null,
            "shared_mounts": [],
            "devices": [],
            "sandbox_pidns": by.part("/sandbox_pidns").is_some_and(|shared| shared == &json!(true)),
            "storages": storages::described(by),
            "OCI": {
                "Version": part("/OCI/Version"),
                "Annotations": annotations(by, sandbox),
                "Hooks": null, "Solaris": null, "Windows": null,
                "Root": {"Path": path(by, by.text("/OCI/Root/Path").unwrap_or_default()), "Readonly": part("/OCI/Root/Readonly")},
                "Mounts": [],
                "Process": {
                    "Args": taken, "Env": [], "Cwd": part("/OCI/Process/Cwd"), "User": part("/OCI/Process/User"),
                    "Terminal": part("/OCI/Process/Terminal"), "SelinuxLabel": "",
                    "NoNewPrivileges": part("/OCI/Process/NoNewPrivileges"), "Capabilities": capabilities(by),
                },
                "Linux": {
                    "Namespaces": list("/OCI/Linux/Namespaces"), "MaskedPaths": list("/OCI/Linux/MaskedPaths"),
                    "ReadonlyPaths": list("/OCI/Linux/ReadonlyPaths"), "Devices": [], "Sysctl": {}, "Seccomp": null,
                    "IntelRdt": null, "MountLabel": "", "RootfsPropagation": "", "UIDMappings": [], "GIDMappings": [],
                    "Resources": {"Devices": [], "BlockIO": null, "Network": null, "Pids": null},
                },
            },
        });
        Self { body, resolved }
    }

    /// The same request with one change.
    pub(super) fn with(mut self, change: &Change) -> Self {
        match change {
            Change::Part(pointer, value) => {
                if let Some(part) = self.body.pointer_mut(pointer) {
                    *part = value.clone();
                }
                if let Some((arguments, _)) = self.resolved.as_mut().filter(|_| *pointer == "/OCI/Process/Args") {
                    *arguments = value.clone();
                }
            }
            Change::Added(pointer, value) => self.add(pointer, value.clone()),
            Change::Variable(name, value) => {
                self.add("/OCI/Process/Env", json!(format!("{name}={value}")));
                if let Some((arguments, variables)) = &mut self.resolved {
                    let reference = format!("$({name})");
                    for argument in arguments.as_array_mut().into_iter().flatten() {
                        *argument = json!(argument.as_str().unwrap_or_default().replace(&reference, value));
                    }
                    variables.insert(name.clone(), json!(value));
                }
            }
            Change::Annotation(key, value) => {
                if let Some(annotations) = self.body.pointer_mut("/OCI/Annotations").and_then(Value::as_object_mut) {
                    annotations.insert((*key).to_owned(), json!(value));
                }
            }
        }
        self
    }

    fn add(&mut self, pointer: &str, value: Value) {
        if let Some(list) = self.body.pointer_mut(pointer).and_then(Value::as_array_mut) {
            list.push(value);
        }
    }

    /// The forms in which a runtime may send it: the plain one, and where the policy knows it the one with the variables beside it.
    pub(super) fn forms(&self) -> Vec<Value> {
        let mut forms = vec![self.body.clone()];
        if let Some((arguments, variables)) = &self.resolved {
            let mut base = self.body.clone();
            if let Some(part) = base.pointer_mut("/OCI/Process/Args") {
                *part = arguments.clone();
            }
            forms.push(json!({"base": base, "env_map": variables}));
        }
        forms
    }
}

/// A mount of the policy as the guest would be asked for it; `None` where no source can be made up.
pub(super) fn mount(by: Described<'_>, mount: &Value) -> Option<Value> {
    let pattern = mount.get("source").and_then(Value::as_str).filter(|source| !source.is_empty())?;
    let mut sampled = mount.clone();
    *sampled.get_mut("source")? = json!(path(by, pattern)?);
    Some(sampled)
}

/// A mount that the policy does not have, of a file or folder that the host shares.
pub(super) fn shared_mount(destination: &str, access: &str) -> Value {
    let name = destination.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    json!({
        "destination": destination, "type_": "bind", "options": ["rbind", "rprivate", access],
        "source": format!("/run/kata-containers/shared/containers/{BUNDLE}-0123456789abcdef-{name}"),
    })
}

/// A path of the guest that a pattern of the policy matches.
pub(super) fn path(by: Described<'_>, pattern: &str) -> Option<String> {
    sample::matching(&by.filled(pattern, &[("bundle-id", BUNDLE), ("sandbox-id", SANDBOX)]))
}

/// The capabilities, with the lists that the policy names in their place.
fn capabilities(by: Described<'_>) -> Value {
    let mut capabilities = by.part("/OCI/Process/Capabilities").cloned().unwrap_or_else(|| json!({}));
    for set in capabilities.as_object_mut().into_iter().flat_map(|sets| sets.values_mut()) {
        let named = match set.as_array().map(Vec::as_slice) {
            Some([only]) => only.as_str().and_then(|only| only.strip_prefix("$(")).and_then(|rest| rest.strip_suffix(')')),
            _ => None,
        };
        if let Some(named) = named {
            *set = json!(by.common_list(named));
        }
    }
    capabilities
}

/// The annotations, with a sample where the policy has a pattern.
fn annotations(by: Described<'_>, sandbox: Sandbox<'_>) -> Value {
    let known = by.part("/OCI/Annotations").and_then(Value::as_object);
    let known = known.into_iter().flatten().filter_map(|(key, value)| {
        let value = value.as_str()?.replace("$(sandbox-name)", sandbox.name).replace("$(sandbox-namespace)", sandbox.namespace);
        let value = value.replace("$(bundle-id)", BUNDLE);
        let value = if value.starts_with('^') { sample::matching(&value)? } else { value };
        Some((key.clone(), Value::from(value)))
    });
    let mut annotations: serde_json::Map<String, Value> = known.collect();
    let kind = if by.is_sandbox() { "sandbox" } else { "container" };
    let always = [
        (SANDBOX_NAME, sandbox.name.to_owned()),
        (SANDBOX_NAMESPACE, sandbox.namespace.to_owned()),
        ("io.kubernetes.cri.sandbox-id", SANDBOX.to_owned()),
        (CONTAINER_TYPE, kind.to_owned()),
        ("io.katacontainers.pkg.oci.container_type", format!("pod_{kind}")),
        ("io.katacontainers.pkg.oci.bundle_path", format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{BUNDLE}")),
    ];
    annotations.extend(always.map(|(key, value)| (key.to_owned(), value.into())));
    Value::Object(annotations)
}

/// An argument as the guest gets it: the generator doubles dollar signs as Kubernetes does.
fn plain(argument: &str, sandbox: Sandbox<'_>) -> String {
    argument.replace("$$", "$").replace("$(sandbox-name)", sandbox.name).replace("$(node-name)", "node")
}
