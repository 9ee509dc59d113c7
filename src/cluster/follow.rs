//! List-and-watch of one kind of object.
//!
//! Why not `kube::runtime::watcher`: it keeps bookmarks to itself, and on a quiet kind of object bookmarks are the only proof
//! that the API server still speaks to us. Watch-list is not used: it is off by default in Kubernetes 1.33.
//! Source: Kubernetes, "API concepts": efficient detection of changes, watch bookmarks, retrieving large result sets in chunks.

use std::convert::Infallible;
use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::StreamExt;
use jiff::Timestamp;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::task::JoinError;
use tokio::time::{Instant, sleep, timeout};

use super::interrupted::Interrupted;
use super::seen::Seen;

/// Objects of one page of a list; what client-go asks for.
const PAGE: u32 = 500;
/// How long a request may take until its answer begins, and a watch beyond its end.
const PATIENCE: Duration = Duration::from_secs(15);
/// Events worked in together, so that a burst makes one swap.
const BATCH: usize = 1024;
/// Between two swaps of one watch, for the same reason.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest rest after failures in a row.
const LONGEST_REST: Duration = Duration::from_secs(15);

/// What a watch has to say.
#[derive(Debug)]
pub(super) enum News<V> {
    /// Everything that there is: what is not in it is gone.
    All(Vec<(String, V)>),
    /// What changed, in its order: the new version, or `None` for what is gone.
    Changes(Vec<(String, Option<V>)>),
}

impl<V> News<V> {
    /// What the news say of the one object of this name; `None` if nothing.
    pub(super) fn of(self, name: &str) -> Option<Seen<V>> {
        match self {
            Self::All(all) => Some(Seen::of(all.into_iter().find(|(known, _)| known == name).map(|(_, value)| value))),
            Self::Changes(changes) => {
                changes.into_iter().rev().find(|(known, _)| known == name).map(|(_, value)| Seen::of(value))
            }
        }
    }
}

/// What becomes of the objects of one kind.
pub(super) trait Keeper: Send + 'static {
    /// The objects.
    type Object: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static;
    /// What is kept of one.
    type Kept: Send + 'static;

    /// What to keep of an object.
    fn keep(&self, object: Self::Object) -> Self::Kept;
    /// Brings news into force; done when requests see them.
    fn take(&mut self, news: News<Self::Kept>) -> impl Future<Output = Result<(), JoinError>> + Send;
    /// What is followed, as logs name it.
    fn name(&self) -> &'static str;
    /// Notes a word from the API server, at this resource version, after what it said is in force.
    fn heard(&self, resource_version: &str, at: Timestamp);
    /// Notes that the watch starts over with a list.
    fn restarted(&self);
}

/// One list-and-watch.
pub(super) struct Follower<K: Keeper> {
    api: Api<K::Object>,
    label: Option<String>,
    field: Option<String>,
    keeper: K,
    window: Duration,
}

impl<K: Keeper> Follower<K> {
    /// A list-and-watch of all objects of `api`; one watch request lasts for `window`.
    pub(super) fn new(api: Api<K::Object>, keeper: K, window: Duration) -> Self {
        Self { api, label: None, field: None, keeper, window }
    }

    /// Only of those that bear this label (a label selector).
    pub(super) fn with_label(self, label: String) -> Self {
        Self { label: Some(label), ..self }
    }

    /// Only the one of this name, which is all that a right by `resourceNames` permits.
    pub(super) fn named(self, name: &str) -> Self {
        Self { field: Some(format!("metadata.name={name}")), ..self }
    }

    /// Lists and watches for ever.
    pub(super) async fn run(mut self) {
        let mut rests = rests();
        loop {
            let began = Instant::now();
            let Err(problem) = self.list_and_watch().await;
            if began.elapsed() >= self.window.min(LONGEST_REST) {
                rests = self::rests();
            }
            let rest = rests.next().unwrap_or(LONGEST_REST);
            let name = self.keeper.name();
            if problem.is_ordinary() {
                tracing::debug!(watch = name, "listing {name} again: {problem}");
            } else {
                tracing::error!(watch = name, "cannot follow {name}: {problem}; trying again in {rest:.1?}");
            }
            sleep(rest).await;
            self.keeper.restarted();
        }
    }

    async fn list_and_watch(&mut self) -> Result<Infallible, Interrupted> {
        let mut version = self.list().await?;
        let mut rests = rests();
        loop {
            let began = Instant::now();
            self.watch_from(&mut version).await?;
            // One that ends early, again and again, is no watch: whoever is in between closes what is young, or idle.
            if began.elapsed() >= self.window.min(LONGEST_REST) / 2 {
                rests = self::rests();
            } else {
                sleep(rests.next().unwrap_or(LONGEST_REST)).await;
            }
        }
    }

    /// Takes a complete list, page by page, and returns its resource version.
    async fn list(&mut self) -> Result<String, Interrupted> {
        let mut parameters = ListParams {
            label_selector: self.label.clone(),
            field_selector: self.field.clone(),
            limit: Some(PAGE),
            ..ListParams::default()
        };
        let mut all = Vec::new();
        let version = loop {
            let page = in_time(self.api.list(&parameters)).await??;
            all.extend(page.items.into_iter().map(|object| (object.name_any(), self.keeper.keep(object))));
            parameters.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if parameters.continue_token.is_none() {
                break page.metadata.resource_version.filter(|version| !version.is_empty()).ok_or(Interrupted::NoVersion)?;
            }
        };
        let heard = Timestamp::now();
        self.keeper.take(News::All(all)).await?;
        self.keeper.heard(&version, heard);
        Ok(version)
    }

    /// Watches from `version` until the request ends as it should. One that brought no word is followed by a list, so that a
    /// server without bookmarks, or one that went silent, is asked in time.
    async fn watch_from(&mut self, version: &mut String) -> Result<(), Interrupted> {
        let seconds = u32::try_from(self.window.as_secs()).unwrap_or(u32::MAX);
        let parameters = WatchParams {
            label_selector: self.label.clone(),
            field_selector: self.field.clone(),
            timeout: Some(seconds),
            bookmarks: true,
            ..WatchParams::default()
        };
        let events = in_time(self.api.watch(&parameters, version)).await??;
        let mut batches = pin!(events.ready_chunks(BATCH));
        let mut heard = false;
        loop {
            match timeout(self.window + PATIENCE, batches.next()).await {
                Ok(Some(batch)) => self.take(batch, version).await?,
                Ok(None) if heard => return Ok(()),
                Ok(None) | Err(_) => return Err(Interrupted::NoWord),
            }
            heard = true;
            sleep(PAUSE).await;
        }
    }

    /// Works in what came together; what came before a failure counts.
    async fn take(&mut self, batch: Vec<kube::Result<WatchEvent<K::Object>>>, version: &mut String) -> Result<(), Interrupted> {
        let now = Timestamp::now();
        let mut changes = Vec::new();
        let mut latest = None;
        let mut failure = None;
        for event in batch {
            match event {
                Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                    latest = object.resource_version();
                    changes.push((object.name_any(), Some(self.keeper.keep(object))));
                }
                Ok(WatchEvent::Deleted(object)) => {
                    latest = object.resource_version();
                    changes.push((object.name_any(), None));
                }
                Ok(WatchEvent::Bookmark(bookmark)) => latest = Some(bookmark.metadata.resource_version),
                Ok(WatchEvent::Error(status)) => failure = Some(Interrupted::Ended(status)),
                Err(error) => failure = Some(Interrupted::Failed(error)),
            }
            if failure.is_some() {
                break;
            }
        }
        if !changes.is_empty() {
            self.keeper.take(News::Changes(changes)).await?;
        }
        if let Some(latest) = latest {
            *version = latest;
            self.keeper.heard(version, now);
        }
        failure.map_or(Ok(()), Err)
    }
}

async fn in_time<T>(asked: impl Future<Output = T>) -> Result<T, Interrupted> {
    timeout(PATIENCE, asked).await.map_err(|_| Interrupted::NoAnswer(PATIENCE))
}

/// The rests after failures in a row: longer and longer, with jitter, so that replicas do not ask all at once.
fn rests() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(LONGEST_REST)
        .without_max_times()
        .with_jitter()
        .build()
}
