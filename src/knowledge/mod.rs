//! What a request asks: the facts in force, whether they are complete, and how old they are.
//!
//! Asking costs a few atomic reads: no lock, no I/O. The watches (`cluster`, `standalone`) build new facts beside the requests
//! and swap them in whole.

mod heard;
mod report;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use countersign_decision::allow_list::AllowList;
use countersign_decision::configuration::Configuration;
use countersign_decision::facts::Facts;
use countersign_policy::engine::Evaluator;
use countersign_policy::examined::SeenExaminations;
use jiff::Timestamp;

use self::heard::Heard;
pub use self::report::{Rejected, Report, WatchReport};

/// The namespace that the manifests install into.
pub const HOME: &str = "countersign-system";

/// The facts in force, shared by requests, watches and metrics.
#[derive(Debug)]
pub struct Knowledge {
    facts: ArcSwap<Facts>,
    allow_list: ArcSwap<Standing>,
    /// One for each of [`Watch::ALL`], in its order; none where files are the only source.
    watches: Vec<(Watch, Heard)>,
}

/// How the parts of the allow-list stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// How many `ConfigMap`s there are, rejected ones included.
    pub(crate) config_maps: usize,
    /// Those whose latest version is rejected.
    pub(crate) rejected: Vec<Rejected>,
}

/// What is watched in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// The `ConfigMap`s that make up the allow-list.
    AllowList,
    /// All namespaces.
    Namespaces,
    /// All `RuntimeClass` objects.
    RuntimeClasses,
    /// All nodes.
    Nodes,
}

impl Watch {
    /// Everything that is watched.
    pub const ALL: [Self; 4] = [Self::AllowList, Self::Namespaces, Self::RuntimeClasses, Self::Nodes];

    /// Whether nothing is judged without it. By nodes people are only warned.
    pub const fn is_decisive(self) -> bool {
        match self {
            Self::AllowList | Self::Namespaces | Self::RuntimeClasses => true,
            Self::Nodes => false,
        }
    }

    /// The resource's name, as in RBAC rules and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllowList => "configmaps",
            Self::Namespaces => "namespaces",
            Self::RuntimeClasses => "runtimeclasses",
            Self::Nodes => "nodes",
        }
    }
}

/// Nothing can be judged yet: some first list is not complete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the first complete list from the API server is still missing: {}", Names(.waiting_for))]
pub struct NotComplete {
    /// The watches without a complete list; never empty.
    pub waiting_for: Vec<Watch>,
}

struct Names<'a>(&'a [Watch]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(|watch| watch.name()).collect::<Vec<_>>().join(", "))
    }
}

impl Knowledge {
    /// What is known without a cluster: complete from the start, and never stale.
    pub fn of_files(configuration: Arc<Configuration>) -> Self {
        let facts = Facts::unwatched(configuration, HOME);
        Self { facts: ArcSwap::from_pointee(facts), allow_list: ArcSwap::default(), watches: Vec::new() }
    }

    /// What is known of a cluster before its first word: nothing may be judged yet. `home` is the namespace that holds the
    /// allow-list.
    pub fn of_cluster(configuration: Arc<Configuration>, home: &str) -> Self {
        let facts = Facts {
            namespaces: Some(Arc::default()),
            runtime_classes: Some(Arc::default()),
            ..Facts::unwatched(configuration, home)
        };
        let watches = Watch::ALL.map(|watch| (watch, Heard::default())).into();
        Self { facts: ArcSwap::from_pointee(facts), allow_list: ArcSwap::default(), watches }
    }

    /// The same, with listed policies evaluated there instead of in this process.
    #[must_use]
    pub fn evaluating(self, evaluator: Arc<dyn Evaluator>) -> Self {
        let examined = Arc::new(SeenExaminations::by(evaluator));
        let facts = Facts { examined, ..Facts::clone(&self.facts.load()) };
        Self { facts: ArcSwap::from_pointee(facts), ..self }
    }

    /// The facts for a request at `now`, and since when they are stale, if they are: the oldest of the last words over all
    /// decisive watches was then, and that is longer ago than `limits.factsStaleAfter`.
    pub fn ask(&self, now: Timestamp) -> Result<(Arc<Facts>, Option<Timestamp>), NotComplete> {
        let mut oldest: Option<Timestamp> = None;
        for heard in self.decisive().map(|(_, heard)| heard) {
            let at = heard.at().ok_or_else(|| self.not_complete())?;
            oldest = Some(oldest.map_or(at, |known| known.min(at)));
        }
        let facts = self.facts.load_full();
        let limit = facts.configuration.limits.facts_stale_after;
        // A word from the future says that the clock was set back: how old it is, nobody knows.
        let stale_since = oldest.filter(|at| now.duration_since(*at).abs() > limit);
        Ok((facts, stale_since))
    }

    /// The facts, complete or not: for the watches, which build upon them.
    pub(crate) fn facts(&self) -> Arc<Facts> {
        self.facts.load_full()
    }

    /// Swaps in facts with `change` made to them. It may be called again if another watch swaps at the same time.
    pub(crate) fn change(&self, change: impl Fn(&mut Facts)) {
        self.facts.rcu(|facts| {
            let mut next = Facts::clone(facts);
            change(&mut next);
            next
        });
    }

    /// Swaps in another allow-list.
    pub(crate) fn publish(&self, list: AllowList, standing: Standing) {
        let list = Arc::new(list);
        self.change(|facts| facts.allow_list = Arc::clone(&list));
        self.allow_list.store(Arc::new(standing));
    }

    /// Notes a word from the API server: a complete list, an event or a bookmark, at this resource version. Called after what
    /// it said is in force.
    pub(crate) fn heard(&self, watch: Watch, resource_version: &str, at: Timestamp) {
        if let Some((_, heard)) = self.watches.iter().find(|(known, _)| *known == watch) {
            heard.note(resource_version, at);
        }
    }

    /// Notes that a watch starts over with a list.
    pub(crate) fn restarted(&self, watch: Watch) {
        if let Some((_, heard)) = self.watches.iter().find(|(known, _)| *known == watch) {
            heard.restarted();
        }
    }

    fn decisive(&self) -> impl Iterator<Item = &(Watch, Heard)> {
        self.watches.iter().filter(|(watch, _)| watch.is_decisive())
    }

    fn not_complete(&self) -> NotComplete {
        let missing = self.decisive().filter(|(_, heard)| heard.at().is_none());
        NotComplete { waiting_for: missing.map(|(watch, _)| *watch).collect() }
    }
}

#[cfg(test)]
mod tests;
