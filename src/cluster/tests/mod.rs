//! The list-and-watch loop against an API server played in this process, request by request. What the real API server says to
//! the same requests is seen in the tests of `tests/apiserver`.

mod allow_list;
mod authorities;
mod fake;
mod follow;
mod nodes;

use std::sync::Arc;

use countersign_decision::configuration::Configuration;
use jiff::SignedDuration;

use super::*;
use crate::knowledge::{HOME, Watch};
use fake::FakeApi;

fn knowledge() -> Arc<Knowledge> {
    Arc::new(Knowledge::of_cluster(Arc::new(Configuration::built_in().unwrap()), HOME))
}

/// Waits until `condition` holds. Time is paused in these tests: the wait takes no longer than what it waits for.
async fn eventually(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..20_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("in vain: {what}");
}

fn last_heard(knowledge: &Knowledge, watch: Watch) -> u64 {
    knowledge.report().watches.iter().find(|report| report.watch == watch).unwrap().resource_version
}

#[test]
fn a_watch_request_lasts_a_third_of_the_time_to_staleness() {
    assert_eq!(window(SignedDuration::from_mins(10)), Duration::from_secs(200));
    assert_eq!(window(SignedDuration::from_hours(10)), Duration::from_secs(290));
    assert_eq!(window(SignedDuration::from_secs(1)), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_judged_before_the_decisive_lists_and_the_tasks_end_with_their_set() {
    let (client, mut api) = FakeApi::start();
    let knowledge = knowledge();
    let tasks = watch(&client, &knowledge);
    let mut lists = Vec::new();
    for _ in Watch::ALL {
        lists.push(api.next_list().await);
    }
    let decisive = |list: &fake::Asked| !list.uri.contains("/nodes");
    assert_eq!(lists.iter().filter(|list| decisive(list)).count(), 3);
    // Nodes come last here, so that the others alone make it complete.
    lists.sort_by_key(|list| !decisive(list));
    let mut open = Vec::new();
    for list in lists {
        assert_eq!(knowledge.ask(jiff::Timestamp::now()).is_err(), decisive(&list));
        list.list("7", "", &[]);
        open.push(api.next_watch().await.stream());
    }
    eventually("complete", || knowledge.ask(jiff::Timestamp::now()).is_ok()).await;
    drop(tasks);
    for stream in open {
        stream.closed().await;
    }
}
