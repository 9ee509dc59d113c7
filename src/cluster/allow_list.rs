//! The `ConfigMap`s that make up the allow-list.

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign_decision::allow_list::{AllowList, ConfigMapText, RejectedConfigMap, Sources};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ConfigMap;
use tokio::task::{JoinError, spawn_blocking};

use super::follow::{Keeper, News};
use crate::knowledge::{Knowledge, Rejected, Standing, Watch};

/// Reads them, and keeps the last good version of each.
pub(super) struct AllowListConfigMaps {
    knowledge: Arc<Knowledge>,
    state: State,
}

#[derive(Clone, Default)]
struct State {
    sources: Sources,
    names: BTreeSet<String>,
}

impl AllowListConfigMaps {
    pub(super) fn new(knowledge: &Arc<Knowledge>) -> Self {
        Self { knowledge: Arc::clone(knowledge), state: State::default() }
    }
}

impl Keeper for AllowListConfigMaps {
    type Object = ConfigMap;
    type Kept = ConfigMapText;

    fn keep(&self, object: ConfigMap) -> ConfigMapText {
        text(object)
    }

    /// Reading and indexing ten thousand entries takes a while: it is done on a thread of its own, beside the requests.
    async fn take(&mut self, news: News<ConfigMapText>) -> Result<(), JoinError> {
        let mut state = self.state.clone();
        let last_good_for = self.knowledge.facts().configuration.limits.last_good_for;
        let (state, list) = spawn_blocking(move || {
            state.take(news, Timestamp::now(), last_good_for);
            let list = AllowList::of(&state.sources);
            (state, list)
        })
        .await?;
        self.state = state;
        tracing::info!(config_maps = self.state.names.len(), entries = list.len(), "another allow-list is in force");
        self.knowledge.publish(list, self.state.standing());
        Ok(())
    }

    fn name(&self) -> &'static str {
        Watch::AllowList.name()
    }

    fn heard(&self, resource_version: &str, at: Timestamp) {
        self.knowledge.heard(Watch::AllowList, resource_version, at);
    }

    fn restarted(&self) {
        self.knowledge.restarted(Watch::AllowList);
    }
}

/// What is read of a `ConfigMap` of the allow-list.
pub(crate) fn text(config_map: ConfigMap) -> ConfigMapText {
    ConfigMapText {
        name: config_map.metadata.name.unwrap_or_default(),
        data: config_map.data.unwrap_or_default(),
        binary_keys: config_map.binary_data.unwrap_or_default().into_keys().collect(),
    }
}

impl State {
    fn take(&mut self, news: News<ConfigMapText>, now: Timestamp, last_good_for: SignedDuration) {
        let changes = match news {
            News::Changes(changes) => changes,
            News::All(all) => {
                self.names = all.iter().map(|(name, _)| name.clone()).collect();
                let Self { sources, names } = self;
                sources.retain(|name| names.contains(name));
                all.into_iter().map(|(name, text)| (name, Some(text))).collect()
            }
        };
        for (name, text) in changes {
            let Some(text) = text else {
                self.sources.remove(&name);
                self.names.remove(&name);
                continue;
            };
            self.names.insert(name);
            if let Err(rejected) = self.sources.take(&text, now, last_good_for) {
                tracing::error!(
                    "allow-list rejected: {rejected}; its last good version, if there was one, stays in force for {last_good_for:#}"
                );
            }
        }
    }

    fn standing(&self) -> Standing {
        let rejected = self.sources.rejected().map(|rejected| {
            let (RejectedConfigMap::Text { config_map, .. } | RejectedConfigMap::Binary { config_map, .. }) = rejected;
            Rejected { name: config_map.clone(), message: rejected.to_string() }
        });
        Standing { config_maps: self.names.len(), rejected: rejected.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_count_in_their_order() {
        let text = |name: &str, list: &str| ConfigMapText {
            name: name.to_owned(),
            data: [("list.yaml".to_owned(), list.to_owned())].into(),
            ..ConfigMapText::default()
        };
        let there = |name: &str| (name.to_owned(), Some(text(name, "[]")));
        let wrong = |name: &str| (name.to_owned(), Some(text(name, "- x")));
        let gone = |name: &str| (name.to_owned(), None);
        let mut state = State::default();
        let mut take = |news| {
            state.take(news, Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1));
            let standing = state.standing();
            (standing.config_maps, standing.rejected.into_iter().map(|rejected| rejected.name).collect::<Vec<_>>())
        };
        let changes = vec![there("a"), gone("a"), wrong("b"), gone("b"), there("c"), wrong("c"), gone("d"), wrong("d")];
        assert_eq!(take(News::Changes(changes)), (2, vec!["c".to_owned(), "d".to_owned()]));
        assert_eq!(take(News::Changes(vec![wrong("c"), there("c"), there("d"), gone("d")])), (1, vec![]));
        let all = vec![("e".to_owned(), text("e", "- x"))];
        assert_eq!(take(News::All(all)), (1, vec!["e".to_owned()]));
    }
}
