//! Which objects of a manifest hold a pod, and where in them.

use serde_json::Value;

/// A pod, or the template of one, as it stands in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct PodInFile {
    /// The kind of the object that the file has: Pod, Deployment, …
    pub kind: String,
    /// The object's name; `web-*` where the file has only generateName.
    pub name: String,
    /// The object's namespace, where the file says one.
    pub namespace: Option<String>,
    /// The document of the file, the first is 1.
    pub document: usize,
    /// The line in which the object begins, the first is 1.
    pub line: usize,
    /// Whether it is the template of a workload's pods.
    pub template: bool,
    /// The Pod as written, or the template with its metadata and spec. Nothing is added to it.
    pub pod: Value,
    /// Where the pod is in its document, as a JSON pointer.
    pub(crate) pointer: String,
}

impl PodInFile {
    /// Kind and name, as messages say it.
    pub(crate) fn owner(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

/// Where a kind keeps its pod, as a JSON pointer; nothing for kinds that have none.
///
/// Source: the Kubernetes API reference, `PodTemplateSpec` and its users. Kinds of the same name in other API groups are others.
pub(crate) fn pod_pointer(object: &Value) -> Option<&'static str> {
    let kind = object.get("kind")?.as_str()?;
    let version = object.get("apiVersion").and_then(Value::as_str);
    let group = version.map(|version| version.split_once('/').map_or("", |(group, _)| group));
    let (home, pointer) = match kind {
        "Pod" => ("", ""),
        "PodTemplate" => ("", "/template"),
        "ReplicationController" => ("", "/spec/template"),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => ("apps", "/spec/template"),
        "Job" => ("batch", "/spec/template"),
        "CronJob" => ("batch", "/spec/jobTemplate/spec/template"),
        _ => return None,
    };
    (group.unwrap_or(home) == home).then_some(pointer)
}

/// The name that messages give an object.
pub(crate) fn name(object: &Value) -> String {
    let text = |key| object.get("metadata")?.get(key)?.as_str();
    match (text("name"), text("generateName")) {
        (Some(name), _) => name.to_owned(),
        (None, Some(prefix)) => format!("{prefix}*"),
        (None, None) => "without a name".to_owned(),
    }
}
