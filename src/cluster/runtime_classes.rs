//! `RuntimeClass`es: the handler behind each name.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::node::v1::RuntimeClass;
use tokio::task::JoinError;

use super::follow::{Keeper, News};
use super::namespaces::merge;
use crate::knowledge::{Knowledge, Watch};

/// Reads them.
pub(super) struct RuntimeClasses {
    knowledge: Arc<Knowledge>,
}

impl RuntimeClasses {
    pub(super) fn new(knowledge: &Arc<Knowledge>) -> Self {
        Self { knowledge: Arc::clone(knowledge) }
    }
}

impl Keeper for RuntimeClasses {
    type Object = RuntimeClass;
    type Kept = String;

    fn keep(&self, object: RuntimeClass) -> String {
        object.handler
    }

    async fn take(&mut self, news: News<String>) -> Result<(), JoinError> {
        let current = self.knowledge.facts().runtime_classes.clone().unwrap_or_default();
        if let Some(next) = merge(&current, news) {
            let next = Arc::new(next);
            self.knowledge.change(|facts| facts.runtime_classes = Some(Arc::clone(&next)));
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        Watch::RuntimeClasses.name()
    }

    fn heard(&self, resource_version: &str, at: Timestamp) {
        self.knowledge.heard(Watch::RuntimeClasses, resource_version, at);
    }

    fn restarted(&self) {
        self.knowledge.restarted(Watch::RuntimeClasses);
    }
}
