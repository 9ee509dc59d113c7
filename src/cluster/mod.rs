//! The cluster: facts by list-and-watch of the allow-list's `ConfigMap`s, of namespaces, `RuntimeClass`es and nodes; leadership,
//! and what only the leader writes: authorities, `caBundle`, events.

pub(crate) mod allow_list;
mod authorities;
pub mod ca_secret;
mod connect;
mod events;
mod follow;
mod interrupted;
mod leadership;
pub mod lease;
mod member;
mod namespaces;
mod nodes;
mod readiness;
mod rejections;
mod repairs;
mod replicas;
mod runtime_classes;
mod seen;
pub mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use kube::{Api, Client};
use tokio::task::JoinSet;

use self::allow_list::AllowListConfigMaps;
use self::follow::{Follower, Keeper};
use self::namespaces::Namespaces;
use self::nodes::Nodes;
use self::runtime_classes::RuntimeClasses;
use crate::knowledge::Knowledge;

pub use self::connect::{ConnectError, connect};
pub use self::member::{Member, Part, identity, take_part};
pub use self::seen::Seen;

/// Brings what the cluster says into `knowledge` (made by [`Knowledge::of_cluster`]) until the set is dropped. What goes wrong
/// is logged in words and tried again; no task ends by itself.
pub fn watch(client: &Client, knowledge: &Arc<Knowledge>) -> JoinSet<()> {
    let facts = knowledge.facts();
    let window = window(facts.configuration.limits.facts_stale_after);
    let mut tasks = JoinSet::new();
    let config_maps = Api::namespaced(client.clone(), &facts.home);
    let label = format!("{}=true", countersign_decision::labels::ALLOW_LIST);
    tasks.spawn(Follower::new(config_maps, AllowListConfigMaps::new(knowledge), window).with_label(label).run());
    tasks.spawn(follow(client, Namespaces::new(knowledge), window));
    tasks.spawn(follow(client, RuntimeClasses::new(knowledge), window));
    tasks.spawn(follow(client, Nodes::new(knowledge), window));
    tasks
}

/// Follows objects that are in no namespace.
fn follow<K: Keeper>(client: &Client, keeper: K, window: Duration) -> impl Future<Output = ()> + use<K> {
    Follower::new(Api::all(client.clone()), keeper, window).run()
}

/// How long one watch request lasts: a third of the time after which facts are stale, so that two may fail before that. The API
/// server sends a bookmark two seconds before the end, and about every minute.
/// Source: `nextBookmarkTime` in `staging/src/k8s.io/apiserver/pkg/storage/cacher/cache_watcher.go` of Kubernetes.
fn window(stale_after: SignedDuration) -> Duration {
    let third = Duration::try_from(stale_after).unwrap_or_default() / 3;
    third.clamp(Duration::from_secs(1), Duration::from_secs(290))
}

#[cfg(test)]
mod tests;
