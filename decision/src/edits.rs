//! What changes add to a pod, and the JSON Patch that comes of it.
//!
//! Changes say what is to be there; how far the way to it exists in the pod (a map that has to be made first, a list that is
//! absent) is known here alone.

use std::collections::BTreeMap;

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, Patch, PatchOperation, ReplaceOperation};
use serde_json::{Map, Value, json};

use crate::pod::Pod;

/// What is to be added to one pod.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    node_selector: BTreeMap<String, String>,
    runtime_class: Option<String>,
    first_container: Option<(&'static str, Map<String, Value>)>,
    volumes: Vec<Map<String, Value>>,
    preferences: Vec<Value>,
}

impl Edits {
    /// Adds a label.
    pub(crate) fn label(&mut self, key: &str, value: &str) {
        self.labels.insert(key.to_owned(), value.to_owned());
    }

    /// Adds an annotation, or changes one of our own.
    pub(crate) fn annotation(&mut self, key: &str, value: &str) {
        self.annotations.insert(key.to_owned(), value.to_owned());
    }

    /// Adds a node selector.
    pub(crate) fn node_selector(&mut self, key: &str, value: &str) {
        self.node_selector.insert(key.to_owned(), value.to_owned());
    }

    /// Sets the runtime class.
    pub(crate) fn runtime_class(&mut self, name: &str) {
        self.runtime_class = Some(name.to_owned());
    }

    /// Puts a container first into `list` (`containers` or `initContainers`).
    pub(crate) fn first_container(&mut self, list: &'static str, container: Map<String, Value>) {
        self.first_container = Some((list, container));
    }

    /// Adds a volume.
    pub(crate) fn volume(&mut self, volume: Map<String, Value>) {
        self.volumes.push(volume);
    }

    /// Adds a preferred node affinity.
    pub(crate) fn preference(&mut self, term: Value) {
        self.preferences.push(term);
    }

    /// How many edits there are: a change that raises the number did something.
    pub(crate) fn count(&self) -> usize {
        let Self { labels, annotations, node_selector, runtime_class, first_container, volumes, preferences } = self;
        labels.len()
            + annotations.len()
            + node_selector.len()
            + usize::from(runtime_class.is_some())
            + usize::from(first_container.is_some())
            + volumes.len()
            + preferences.len()
    }

    /// The patch that puts the edits into `pod`. The same edits and pod give the same patch, byte for byte.
    pub(crate) fn into_patch(self, pod: &Pod<'_>) -> Patch {
        let Self { labels, annotations, node_selector, runtime_class, first_container, volumes, preferences } = self;
        let mut patch = Vec::new();
        if let Some(name) = runtime_class {
            patch.push(add(["spec", "runtimeClassName"], Value::String(name)));
        }
        if let Some((list, container)) = first_container {
            let there =
                if list == "initContainers" { pod.spec.init_containers.is_some() } else { pod.spec.containers.is_some() };
            patch.push(if there {
                add(["spec", list, "0"], Value::Object(container))
            } else {
                add(["spec", list], Value::Array(vec![Value::Object(container)]))
            });
        }
        if !volumes.is_empty() {
            let volumes = volumes.into_iter().map(Value::Object);
            if pod.spec.volumes.is_some() {
                patch.extend(volumes.map(|volume| add(["spec", "volumes", "-"], volume)));
            } else {
                patch.push(add(["spec", "volumes"], volumes.collect()));
            }
        }
        let selector = pod.spec.node_selector.is_some().then_some(|_: &str| false);
        map_entries(&mut patch, ["spec", "nodeSelector"], node_selector, selector);
        if !preferences.is_empty() {
            patch.extend(prefer(pod, preferences));
        }
        if !(pod.metadata.there || labels.is_empty() && annotations.is_empty()) {
            patch.push(add(["metadata"], json!({})));
        }
        let has_label = pod.metadata.labels.as_ref().map(|labels| |key: &str| labels.value(key).is_some());
        map_entries(&mut patch, ["metadata", "labels"], labels, has_label);
        let has_annotation = pod.metadata.annotations.as_ref().map(|annotations| |key: &str| annotations.value(key).is_some());
        map_entries(&mut patch, ["metadata", "annotations"], annotations, has_annotation);
        Patch(patch)
    }
}

/// Adds entries to a map; `exists` is `None` where the pod has no such map, else it says whether a key is there.
fn map_entries(
    patch: &mut Vec<PatchOperation>,
    [parent, field]: [&str; 2],
    entries: BTreeMap<String, String>,
    exists: Option<impl Fn(&str) -> bool>,
) {
    if entries.is_empty() {
        return;
    }
    let Some(exists) = exists else {
        let entries = entries.into_iter().map(|(key, value)| (key, Value::String(value)));
        patch.push(add([parent, field], entries.collect()));
        return;
    };
    for (key, value) in entries {
        let path = PointerBuf::from_tokens([parent, field, &key]);
        patch.push(if exists(&key) {
            PatchOperation::Replace(ReplaceOperation { path, value: Value::String(value) })
        } else {
            PatchOperation::Add(AddOperation { path, value: Value::String(value) })
        });
    }
}

fn prefer(pod: &Pod<'_>, terms: Vec<Value>) -> Vec<PatchOperation> {
    const LIST: &str = "preferredDuringSchedulingIgnoredDuringExecution";
    let affinity = pod.spec.affinity.as_ref();
    let node = affinity.and_then(|affinity| affinity.node_affinity.as_ref());
    match (affinity, node, node.and_then(|node| node.preferred.as_ref())) {
        (None, ..) => vec![add(["spec", "affinity"], json!({"nodeAffinity": {LIST: terms}}))],
        (_, None, _) => vec![add(["spec", "affinity", "nodeAffinity"], json!({LIST: terms}))],
        (.., None) => vec![add(["spec", "affinity", "nodeAffinity", LIST], json!(terms))],
        (.., Some(_)) => terms.into_iter().map(|term| add(["spec", "affinity", "nodeAffinity", LIST, "-"], term)).collect(),
    }
}

fn add<const N: usize>(path: [&str; N], value: Value) -> PatchOperation {
    PatchOperation::Add(AddOperation { path: PointerBuf::from_tokens(path), value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_an_edit_is_made_where_it_is_missing() {
        for before in [
            json!({"spec": {}}),
            json!({"metadata": {"labels": null, "annotations": null}, "spec": {"containers": null, "volumes": null, "affinity": null}}),
            json!({"metadata": {"annotations": {}}, "spec": {"affinity": {"nodeAffinity": null}, "nodeSelector": {}, "volumes": []}}),
        ] {
            let text = before.to_string();
            let pod = Pod::from_json(&text).unwrap();
            let mut edits = Edits::default();
            edits.label("l/l", "1");
            edits.annotation("a", "2");
            edits.node_selector("n", "3");
            edits.runtime_class("r");
            edits.first_container("containers", Map::new());
            edits.volume(Map::new());
            edits.preference(json!({"weight": 1}));
            let mut after = before.clone();
            json_patch::patch(&mut after, &edits.into_patch(&pod)).unwrap();
            assert_eq!(after["metadata"], json!({"labels": {"l/l": "1"}, "annotations": {"a": "2"}}), "{before}");
            let preferred = json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}});
            let spec = json!({"runtimeClassName": "r", "containers": [{}], "volumes": [{}], "nodeSelector": {"n": "3"},
                "affinity": preferred});
            assert_eq!(after["spec"], spec, "{before}");
        }
    }
}
