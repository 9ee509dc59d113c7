//! Lists, events, bookmarks, and everything that can go wrong, seen on namespaces.

use countersign_decision::configuration::Mode;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::fake::namespace;
use super::*;

struct Site {
    api: FakeApi,
    knowledge: Arc<Knowledge>,
    following: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn site() -> Site {
    let (client, api) = FakeApi::start();
    let knowledge = knowledge();
    let following = tokio::spawn(super::follow(&client, Namespaces::new(&knowledge), Duration::from_secs(200)));
    Site { api, knowledge, following }
}

impl Site {
    /// Answers the list with namespaces in mode warn.
    async fn list(&mut self, resource_version: &str, names: &[&str]) {
        let items: Vec<Value> = names.iter().map(|name| warn(name, "1")).collect();
        self.api.next_list().await.list(resource_version, "", &items);
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.knowledge.facts().namespaces.as_ref().unwrap().keys().cloned().collect();
        names.sort();
        names
    }

    fn version(&self) -> u64 {
        last_heard(&self.knowledge, Watch::Namespaces)
    }

    fn restarts(&self) -> u64 {
        self.knowledge.report().watches[1].restarts
    }
}

fn warn(name: &str, resource_version: &str) -> Value {
    namespace(name, resource_version, &json!({"countersign.dev/mode": "warn"}))
}

#[tokio::test(start_paused = true)]
async fn a_list_counts_when_its_last_page_is_in() {
    let mut site = site();
    let asked = site.api.next_list().await;
    assert_eq!(asked.uri.split_once('?').unwrap().0.trim_end_matches('?'), "/api/v1/namespaces");
    assert!(asked.uri.contains("limit=500"), "{}", asked.uri);
    assert!(asked.accept.contains("PartialObjectMetadataList"), "metadata alone is asked for: {}", asked.accept);
    asked.list("9", "next", &[warn("a", "1")]);
    let asked = site.api.next_list().await;
    assert!(asked.uri.contains("continue=next"), "{}", asked.uri);
    assert_eq!(site.version(), 0, "half a list is none");
    assert!(site.names().is_empty());
    asked.list("9", "", &[warn("b", "2")]);
    let asked = site.api.next_watch().await;
    assert_eq!((site.version(), site.names()), (9, vec!["a".to_owned(), "b".to_owned()]));
    for part in ["resourceVersion=9", "allowWatchBookmarks=true", "timeoutSeconds=200"] {
        assert!(asked.uri.contains(part), "{part} in {}", asked.uri);
    }
}

#[tokio::test(start_paused = true)]
async fn events_change_the_facts() {
    let mut site = site();
    site.list("9", &["a"]).await;
    let stream = site.api.next_watch().await.stream();
    stream.event("ADDED", &warn("b", "10"));
    stream.event("MODIFIED", &namespace("a", "11", &json!({"countersign.dev/mode": "audit"})));
    eventually("both", || site.version() == 11).await;
    let facts = site.knowledge.facts();
    assert_eq!((facts.namespace("a").mode, facts.namespace("b").mode), (Mode::Audit, Mode::Warn));
    stream.event("DELETED", &warn("b", "12"));
    eventually("b is gone", || site.names() == ["a"]).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_changes_nothing_that_matters_copies_nothing() {
    let mut site = site();
    site.list("9", &["a"]).await;
    let stream = site.api.next_watch().await.stream();
    let before = site.knowledge.facts();
    stream.event("MODIFIED", &namespace("a", "10", &json!({"countersign.dev/mode": "warn", "team": "b"})));
    eventually("the word", || site.version() == 10).await;
    assert!(Arc::ptr_eq(&before, &site.knowledge.facts()));
}

#[tokio::test(start_paused = true)]
async fn a_bookmark_is_a_word_and_the_next_watch_goes_on_from_it() {
    let mut site = site();
    let before = Timestamp::now();
    site.list("9", &["a"]).await;
    let stream = site.api.next_watch().await.stream();
    stream.bookmark("15");
    eventually("the word", || site.version() == 15).await;
    assert!(site.knowledge.report().watches[1].last_heard.unwrap().as_millisecond() >= before.as_millisecond());
    drop(stream);
    let asked = site.api.next_watch().await;
    assert!(asked.uri.contains("resourceVersion=15"), "{}", asked.uri);
    assert_eq!(site.restarts(), 0, "a watch that ends as it should is no restart");
}

#[tokio::test(start_paused = true)]
async fn what_vanished_while_the_version_was_too_old_is_gone_after_the_new_list() {
    let mut site = site();
    site.list("9", &["a", "b"]).await;
    let stream = site.api.next_watch().await.stream();
    stream.event("ADDED", &warn("c", "10"));
    stream.error(410, "too old resource version: 10 (20)");
    site.list("30", &["b", "d"]).await;
    let asked = site.api.next_watch().await;
    assert!(asked.uri.contains("resourceVersion=30"), "{}", asked.uri);
    assert_eq!(site.names(), ["b", "d"]);
    assert_eq!(site.restarts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_too_old_for_a_watch_is_answered_with_a_list() {
    let mut site = site();
    site.list("9", &["a"]).await;
    site.api.next_watch().await.failure(410, "Expired");
    site.list("30", &["b"]).await;
    site.api.next_watch().await;
    assert_eq!(site.names(), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn what_came_before_a_failure_counts() {
    let mut site = site();
    site.list("9", &["a"]).await;
    let stream = site.api.next_watch().await.stream();
    stream.event("ADDED", &warn("c", "10"));
    stream.error(500, "etcd is away");
    site.api.next_list().await;
    assert_eq!(site.names(), ["a", "c"]);
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_until_there_is_a_list() {
    let mut site = site();
    site.api.next_list().await.failure(403, "namespaces is forbidden");
    site.api.next_list().await.hang_up();
    site.api.next_list().await.failure(401, "Unauthorized");
    let silent = site.api.next_list().await;
    let asked = site.api.next_list().await;
    drop(silent);
    assert!(!site.knowledge.report().watches[1].complete());
    asked.list("9", "", &[warn("a", "1")]);
    site.api.next_watch().await;
    assert!(site.knowledge.report().watches[1].complete());
    assert_eq!(site.restarts(), 4);
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_are_tried_again_ever_more_rarely() {
    let mut site = site();
    let began = Instant::now();
    for _ in 0..20 {
        site.api.next_list().await.failure(500, "etcd is away");
    }
    site.api.next_list().await;
    assert!(began.elapsed() > Duration::from_mins(2), "{:?} for 20 failures", began.elapsed());
    assert!(began.elapsed() < Duration::from_mins(10), "{:?} for 20 failures", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_without_a_word_is_followed_by_a_list() {
    let mut site = site();
    site.list("9", &["a"]).await;
    drop(site.api.next_watch().await.stream());
    site.list("9", &["a"]).await;
    site.api.next_watch().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_went_silent_is_given_up() {
    let mut site = site();
    site.list("9", &["a"]).await;
    let stream = site.api.next_watch().await.stream();
    let began = Instant::now();
    site.list("9", &["a"]).await;
    assert!(began.elapsed() < Duration::from_secs(220), "{:?} is longer than the window", began.elapsed());
    stream.closed().await;
}

#[tokio::test(start_paused = true)]
async fn watches_that_end_right_after_an_event_are_begun_anew_ever_more_rarely() {
    let mut site = site();
    site.list("9", &["a"]).await;
    let began = Instant::now();
    for version in 10..30 {
        let stream = site.api.next_watch().await.stream();
        stream.event("ADDED", &warn("b", &version.to_string()));
    }
    assert!(began.elapsed() > Duration::from_mins(2), "{:?} for 20 watches", began.elapsed());
    assert_eq!(site.restarts(), 0);
    site.api.next_watch().await.stream().bookmark("40");
    eventually("what it says counts", || site.version() == 40).await;
}
