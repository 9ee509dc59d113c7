//! The list-and-watch loop against an API server played in this process, request by request. What the real API server says to
//! the same requests is seen in the tests of `tests/apiserver`.

mod allow_list;
mod authorities;
mod fake;
mod follow;

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
async fn nothing_is_judged_before_the_lists_of_all_three_and_the_tasks_end_with_their_set() {
    let (client, mut api) = FakeApi::start();
    let knowledge = knowledge();
    let tasks = watch(&client, &knowledge);
    let mut lists = Vec::new();
    for _ in 0..3 {
        lists.push(api.next_list().await);
    }
    let mut open = Vec::new();
    for list in lists {
        assert!(knowledge.ask(jiff::Timestamp::now()).is_err());
        list.list("7", "", &[]);
        open.push(api.next_watch().await.stream());
    }
    eventually("complete", || knowledge.ask(jiff::Timestamp::now()).is_ok()).await;
    drop(tasks);
    for stream in open {
        stream.closed().await;
    }
}
