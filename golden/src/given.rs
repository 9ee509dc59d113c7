//! What is known beside the pod: `facts.yaml`, which says only what differs from the defaults.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use countersign_decision::allow_list::{AllowList, ConfigMapText, Sources};
use countersign_decision::configuration::Configuration;
use countersign_decision::facts::{Facts, NamespaceFacts, NodeLabels};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

/// The namespace of every case.
pub const NAMESPACE: &str = "kafka";
/// The small policy `package agent_policy`, as its annotation has it.
pub const POLICY: &str = "cGFja2FnZSBhZ2VudF9wb2xpY3kK";
/// Its digest: what the allow-list lists by default.
pub const DIGEST: &str = "sha256:45148e88381b22b43595cc1eaf2fadfd3f93998dbbb75bd4f3d69b641fe6153b";

/// What is known beside the pod.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Given {
    /// A whole configuration; by default the built-in one.
    pub configuration: Value,
    /// The entries of the allow-list: key `golden.yaml` of the `ConfigMap` `allow-list`.
    pub allow_list: Value,
    /// The labels of the namespace.
    pub namespace_labels: BTreeMap<String, String>,
    /// The handler of every `RuntimeClass` object.
    pub runtime_classes: HashMap<String, String>,
    /// The labels of every node; nothing where nodes are not watched.
    pub nodes: Option<Vec<BTreeMap<String, String>>>,
    /// The groups of the user who asks.
    pub groups: Vec<String>,
    /// Since when there has been no word from the API server.
    pub stale_since: Option<Timestamp>,
    /// A file under `policies/`: the pod carries that policy, and it is what the allow-list lists by default.
    pub policy: Option<String>,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            configuration: json!({"apiVersion": "countersign.dev/v1alpha1", "kind": "Configuration"}),
            allow_list: json!([{"digest": DIGEST, "namespaces": [NAMESPACE]}]),
            namespace_labels: BTreeMap::new(),
            runtime_classes: ["kata-cc-isolation", "kata-cc"].map(|class| (class.to_owned(), "kata-cc".to_owned())).into(),
            nodes: None,
            groups: Vec::new(),
            stale_since: None,
            policy: None,
        }
    }
}

impl Given {
    /// The same as the functions of `decision` take it. The error says what is wrong with the configuration or the allow-list.
    pub fn facts(&self) -> Result<Facts, String> {
        let configuration = Configuration::parse(&self.configuration.to_string()).map_err(|error| error.to_string())?;
        let config_map = ConfigMapText {
            name: "allow-list".to_owned(),
            data: [("golden.yaml".to_owned(), self.allow_list.to_string())].into(),
            binary_keys: Vec::new(),
        };
        let mut sources = Sources::default();
        sources.take(&config_map, Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1)).map_err(|error| error.to_string())?;
        let labels = self.namespace_labels.iter().map(|(key, value)| (&**key, &**value));
        let node_labels = self
            .nodes
            .as_ref()
            .map(|nodes| NodeLabels::of(nodes.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()))));
        let namespace = NamespaceFacts::of_labels(labels, &configuration);
        Ok(Facts {
            allow_list: Arc::new(AllowList::of(&sources)),
            namespaces: Some(Arc::new([(NAMESPACE.to_owned(), namespace)].into())),
            runtime_classes: Some(Arc::new(self.runtime_classes.clone())),
            node_labels: node_labels.map(Arc::new),
            ..Facts::unwatched(Arc::new(configuration), "countersign-system")
        })
    }
}
