//! The parts of a pod that changes and rules read, borrowed from the request's JSON.
//!
//! Nothing here is ever encoded again: patches are made from what is read, so fields that this build does not know survive.
//! Source: Kubernetes API, core/v1 Pod.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

use crate::text::{Pairs, Text};

/// A pod, or the template of one.
#[derive(Debug, serde::Deserialize)]
pub struct Pod<'a> {
    /// `metadata`.
    #[serde(borrow, default)]
    pub metadata: Metadata<'a>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Spec<'a>,
}

impl<'a> Pod<'a> {
    /// Reads a pod from its JSON. The error says what is wrong and where, in the words of the JSON reader.
    pub fn from_json(json: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }
}

/// The parts of `metadata`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata<'a> {
    /// Whether the field is there at all: the template of a Job may have none, and a patch has to make it first.
    #[serde(skip, default = "there")]
    pub there: bool,
    /// Empty while a generated name is not made yet.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The prefix of a generated name.
    #[serde(borrow)]
    pub generate_name: Text<'a>,
    /// Empty in templates.
    #[serde(borrow)]
    pub namespace: Text<'a>,
    /// Labels; `None` where the field is absent, so that a patch knows whether to make the map.
    #[serde(borrow)]
    pub labels: Option<Pairs<'a>>,
    /// Annotations, likewise.
    #[serde(borrow)]
    pub annotations: Option<Pairs<'a>>,
    /// Set when the pod is being deleted.
    #[serde(borrow)]
    pub deletion_timestamp: Option<Text<'a>>,
}

const fn there() -> bool {
    true
}

impl Metadata<'_> {
    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.as_ref()?.value(key)
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.value(key)
    }
}

/// The parts of `spec`.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec<'a> {
    /// The runtime class, if the pod names one.
    #[serde(borrow, default)]
    pub runtime_class_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    service_account_name: Text<'a>,
    /// The older name of the same field.
    #[serde(borrow, default)]
    service_account: Text<'a>,
    /// The main containers, in order.
    #[serde(borrow, default)]
    pub containers: Option<Vec<Container<'a>>>,
    /// The init containers, in order.
    #[serde(borrow, default)]
    pub init_containers: Option<Vec<Container<'a>>>,
    /// Containers added to a running pod, as their JSON.
    #[serde(borrow, default)]
    pub ephemeral_containers: Option<Vec<&'a RawValue>>,
    /// The volumes, in order.
    #[serde(borrow, default)]
    pub volumes: Option<Vec<Named<'a>>>,
    /// Labels that the node must have.
    #[serde(borrow, default)]
    pub node_selector: Option<Pairs<'a>>,
    /// Which nodes the pod needs or prefers.
    #[serde(borrow, default)]
    pub affinity: Option<Affinity<'a>>,
    /// Whether the pod shares the node's network.
    #[serde(default)]
    pub host_network: Option<bool>,
    /// Whether the pod sees the node's processes.
    #[serde(default, rename = "hostPID")]
    pub host_pid: Option<bool>,
    /// Whether the pod shares the node's inter-process communication.
    #[serde(default, rename = "hostIPC")]
    pub host_ipc: Option<bool>,
    /// The node that the pod runs on: what the scheduler writes, or an author who passes it by.
    #[serde(borrow, default)]
    pub node_name: Text<'a>,
    /// The operating system that the pod says it needs.
    #[serde(borrow, default)]
    pub os: Option<Os<'a>>,
    /// `securityContext`, as its JSON.
    #[serde(borrow, default)]
    pub security_context: Option<&'a RawValue>,
    /// Whether the containers see each other's processes.
    #[serde(default)]
    pub share_process_namespace: Option<bool>,
}

impl Spec<'_> {
    /// The service account that the pod runs as: the API server calls it `default` where the pod names none.
    pub fn service_account(&self) -> &str {
        [&*self.service_account_name, &*self.service_account].into_iter().find(|name| !name.is_empty()).unwrap_or("default")
    }

    /// The name of the runtime class; an empty name counts as none.
    pub fn runtime_class(&self) -> Option<&str> {
        self.runtime_class_name.as_deref().filter(|name| !name.is_empty())
    }
}

/// `spec.os`.
#[derive(Debug, serde::Deserialize)]
pub struct Os<'a> {
    /// `linux` or `windows`.
    #[serde(borrow, default)]
    pub name: Text<'a>,
}

/// The parts of `spec.affinity` that matter here.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Affinity<'a> {
    /// `nodeAffinity`.
    #[serde(borrow)]
    pub node_affinity: Option<NodeAffinity<'a>>,
}

/// `spec.affinity.nodeAffinity`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeAffinity<'a> {
    /// The terms of which a node must meet one.
    #[serde(borrow, rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub required: Option<RequiredNodes<'a>>,
    /// The preferences, as their JSON.
    #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
    pub preferred: Option<Vec<serde_json::Value>>,
}

/// `requiredDuringSchedulingIgnoredDuringExecution`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequiredNodes<'a> {
    /// The terms; one that a node meets is enough.
    #[serde(borrow)]
    pub node_selector_terms: Option<Vec<NodeSelectorTerm<'a>>>,
}

/// A term: a node must meet every expression.
#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSelectorTerm<'a> {
    /// The expressions over node labels.
    #[serde(borrow)]
    pub match_expressions: Option<Vec<NodeExpression<'a>>>,
}

/// An expression over one node label.
#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default)]
pub struct NodeExpression<'a> {
    /// The label's key.
    #[serde(borrow)]
    pub key: Text<'a>,
    /// `In`, `NotIn`, `Exists` and so on.
    #[serde(borrow)]
    pub operator: Text<'a>,
    /// The values that it compares with.
    #[serde(borrow)]
    pub values: Option<Vec<Text<'a>>>,
}

/// A container: its name and image, and the whole of it as JSON.
#[derive(Debug)]
pub struct Container<'a> {
    /// The container's name.
    pub name: Text<'a>,
    /// The container's image.
    pub image: Text<'a>,
    /// The whole container.
    pub json: &'a RawValue,
}

impl<'de: 'a, 'a> Deserialize<'de> for Container<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Head<'a> {
            #[serde(borrow, default)]
            name: Text<'a>,
            #[serde(borrow, default)]
            image: Text<'a>,
        }
        let json = <&'a RawValue>::deserialize(deserializer)?;
        let Head { name, image } = serde_json::from_str(json.get()).map_err(D::Error::custom)?;
        Ok(Self { name, image, json })
    }
}

/// A volume: its name, and the whole of it as JSON.
#[derive(Debug)]
pub struct Named<'a> {
    /// The volume's name.
    pub name: Text<'a>,
    /// The whole volume.
    pub json: &'a RawValue,
}

impl<'de: 'a, 'a> Deserialize<'de> for Named<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Container { name, json, .. } = Container::deserialize(deserializer)?;
        Ok(Self { name, json })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_read_with_its_unknown_fields_left_aside() {
        let pod = Pod::from_json(
            r#"{"metadata":{"labels":{"a":"b"},"new":1},"spec":{"containers":[{"name":"x","image":"i","later":{}}],"future":[]}}"#,
        )
        .unwrap();
        assert_eq!(pod.metadata.label("a"), Some("b"));
        let containers = pod.spec.containers.unwrap();
        assert_eq!(&*containers[0].name, "x");
        assert_eq!(containers[0].json.get(), r#"{"name":"x","image":"i","later":{}}"#);
    }

    #[test]
    fn absent_metadata_is_told_from_empty_metadata() {
        assert!(!Pod::from_json(r#"{"spec":{}}"#).unwrap().metadata.there);
        assert!(Pod::from_json(r#"{"metadata":{},"spec":{}}"#).unwrap().metadata.there);
    }

    #[test]
    fn a_field_that_stands_twice_is_refused() {
        let error = Pod::from_json(r#"{"spec":{"runtimeClassName":"a","runtimeClassName":"b"}}"#).unwrap_err();
        assert!(error.to_string().starts_with("duplicate field `runtimeClassName`"), "{error}");
    }

    #[test]
    fn the_service_account_may_stand_under_its_older_name() {
        let account = |spec: &str| Pod::from_json(&format!(r#"{{"spec":{spec}}}"#)).unwrap().spec.service_account().to_owned();
        assert_eq!(account(r#"{"serviceAccountName":"a","serviceAccount":"b"}"#), "a");
        assert_eq!(account(r#"{"serviceAccount":"b"}"#), "b");
        assert_eq!(account("{}"), "default");
    }
}
