//! Nodes: which labels they have, all together. Only metadata is asked for.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use countersign_decision::facts::NodeLabels;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Node;
use kube::core::PartialObjectMeta;
use tokio::task::JoinError;

use super::follow::{Keeper, News};
use super::namespaces::merge;
use crate::knowledge::{Knowledge, Watch};

/// Reads them.
pub(super) struct Nodes {
    knowledge: Arc<Knowledge>,
    /// The labels of each by its name: what the others have when one goes.
    labels: HashMap<String, BTreeMap<String, String>>,
}

impl Nodes {
    pub(super) fn new(knowledge: &Arc<Knowledge>) -> Self {
        Self { knowledge: Arc::clone(knowledge), labels: HashMap::new() }
    }

    fn publish(&self, labels: Option<&Arc<NodeLabels>>) {
        if self.knowledge.facts().node_labels.as_ref() != labels {
            self.knowledge.change(|facts| facts.node_labels = labels.cloned());
        }
    }
}

impl Keeper for Nodes {
    type Object = PartialObjectMeta<Node>;
    type Kept = BTreeMap<String, String>;

    fn keep(&self, object: Self::Object) -> Self::Kept {
        object.metadata.labels.unwrap_or_default()
    }

    async fn take(&mut self, news: News<Self::Kept>) -> Result<(), JoinError> {
        if let Some(next) = merge(&self.labels, news) {
            let labels = next.values().flatten().map(|(key, value)| (key.as_str(), value.as_str()));
            self.publish(Some(&Arc::new(NodeLabels::of(labels))));
            self.labels = next;
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        Watch::Nodes.name()
    }

    fn heard(&self, resource_version: &str, at: Timestamp) {
        self.knowledge.heard(Watch::Nodes, resource_version, at);
    }

    /// Nobody is warned by what may have changed meanwhile.
    fn restarted(&self) {
        self.knowledge.restarted(Watch::Nodes);
        self.publish(None);
    }
}
