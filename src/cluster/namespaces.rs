//! Namespaces: what their labels say. Only metadata is asked for.

use std::collections::HashMap;
use std::sync::Arc;

use countersign_decision::configuration::Configuration;
use countersign_decision::facts::NamespaceFacts;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use tokio::task::JoinError;

use super::follow::{Keeper, News};
use crate::knowledge::{Knowledge, Watch};

/// Reads them.
pub(super) struct Namespaces {
    knowledge: Arc<Knowledge>,
    configuration: Arc<Configuration>,
}

impl Namespaces {
    pub(super) fn new(knowledge: &Arc<Knowledge>) -> Self {
        Self { knowledge: Arc::clone(knowledge), configuration: Arc::clone(&knowledge.facts().configuration) }
    }
}

impl Keeper for Namespaces {
    type Object = PartialObjectMeta<Namespace>;
    type Kept = NamespaceFacts;

    fn keep(&self, object: Self::Object) -> NamespaceFacts {
        let labels = object.metadata.labels.unwrap_or_default();
        NamespaceFacts::of_labels(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())), &self.configuration)
    }

    async fn take(&mut self, news: News<NamespaceFacts>) -> Result<(), JoinError> {
        let current = self.knowledge.facts().namespaces.clone().unwrap_or_default();
        if let Some(next) = merge(&current, news) {
            let next = Arc::new(next);
            self.knowledge.change(|facts| facts.namespaces = Some(Arc::clone(&next)));
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        Watch::Namespaces.name()
    }

    fn heard(&self, resource_version: &str, at: Timestamp) {
        self.knowledge.heard(Watch::Namespaces, resource_version, at);
    }

    fn restarted(&self) {
        self.knowledge.restarted(Watch::Namespaces);
    }
}

/// What is known after the news, by name; `None` where nothing that matters changed, so that the map is not copied for it.
pub(super) fn merge<V: Clone + PartialEq>(current: &HashMap<String, V>, news: News<V>) -> Option<HashMap<String, V>> {
    match news {
        News::All(all) => Some(all.into_iter().collect()),
        News::Changes(changes) => {
            if changes.iter().all(|(name, value)| current.get(name) == value.as_ref()) {
                return None;
            }
            let mut next = current.clone();
            for (name, value) in changes {
                match value {
                    Some(value) => next.insert(name, value),
                    None => next.remove(&name),
                };
            }
            Some(next)
        }
    }
}
