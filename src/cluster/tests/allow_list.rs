//! `ConfigMap`s become the allow-list.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::follow::News;
use super::*;

fn config_map(name: &str, resource_version: &str, entries: &str) -> Value {
    let metadata = json!({"name": name, "namespace": HOME, "resourceVersion": resource_version});
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"team.yaml": entries}})
}

fn entries(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers.into_iter().fold(String::new(), |mut text, number| {
        writeln!(text, "- {{digest: \"sha256:{:064x}\", namespaces: [kafka]}}", number + 1).unwrap();
        text
    })
}

fn follower(client: &Client, knowledge: &Arc<Knowledge>) -> JoinSet<()> {
    let api = Api::namespaced(client.clone(), HOME);
    let mut tasks = JoinSet::new();
    let window = Duration::from_secs(200);
    tasks.spawn(Follower::new(api, AllowListConfigMaps::new(knowledge), window).run());
    tasks
}

#[tokio::test(start_paused = true)]
async fn only_labelled_config_maps_of_the_own_namespace_are_asked_for() {
    let (client, mut api) = FakeApi::start();
    let _tasks = watch(&client, &knowledge());
    let mut asked = Vec::new();
    for _ in 0..3 {
        asked.push(api.next_list().await.uri);
    }
    let config_maps = asked.iter().find(|uri| uri.contains("/configmaps?")).unwrap();
    assert!(config_maps.starts_with("/api/v1/namespaces/countersign-system/configmaps?"), "{config_maps}");
    assert!(config_maps.contains("labelSelector=countersign.dev%2Fallow-list%3Dtrue"), "{config_maps}");
}

#[tokio::test(start_paused = true)]
async fn config_maps_add_up_and_one_that_is_removed_takes_its_entries_away() {
    let (client, mut api) = FakeApi::start();
    let knowledge = knowledge();
    let _tasks = follower(&client, &knowledge);
    let both = [config_map("a", "1", &entries(0..2)), config_map("b", "2", &entries(2..5))];
    api.next_list().await.list("9", "", &both);
    let stream = api.next_watch().await.stream();
    assert_eq!((knowledge.report().entries, knowledge.report().config_maps), (5, 2));
    stream.event("DELETED", &config_map("a", "10", ""));
    eventually("a is gone", || knowledge.report().entries == 3).await;
    stream.error(410, "too old");
    api.next_list().await.list("20", "", &[config_map("a", "11", &entries(0..2))]);
    api.next_watch().await;
    assert_eq!((knowledge.report().entries, knowledge.report().config_maps), (2, 1), "b vanished unseen");
}

#[tokio::test(start_paused = true)]
async fn a_bad_version_is_reported_and_the_last_good_one_stays_in_force() {
    let (client, mut api) = FakeApi::start();
    let knowledge = knowledge();
    let _tasks = follower(&client, &knowledge);
    api.next_list().await.list("9", "", &[config_map("a", "1", &entries(0..2))]);
    let stream = api.next_watch().await.stream();
    stream.event("MODIFIED", &config_map("a", "10", "- digest: none\n"));
    eventually("the word", || last_heard(&knowledge, Watch::AllowList) == 10).await;
    let report = knowledge.report();
    assert_eq!((report.entries, report.config_maps), (2, 1));
    assert_eq!(report.rejected[0].name, "a");
    let message = &report.rejected[0].message;
    assert!(message.starts_with("ConfigMap a, key team.yaml, line 1, column 11: [0].digest: "), "{message}");
    stream.event("MODIFIED", &config_map("a", "11", &entries(0..3)));
    eventually("the good one", || knowledge.report().entries == 3).await;
    assert!(knowledge.report().rejected.is_empty());
}

/// All requests of this test run on the thread that the watch runs on: if the list were built there, none could be answered.
#[tokio::test]
async fn requests_are_answered_while_a_list_of_ten_thousand_entries_is_built() {
    let knowledge = knowledge();
    for watch in Watch::ALL {
        knowledge.heard(watch, "1", Timestamp::now());
    }
    let mut keeper = AllowListConfigMaps::new(&knowledge);
    let text = keeper.keep(serde_json::from_value(config_map("a", "1", &entries(0..10_000))).unwrap());
    let building = tokio::spawn(async move { keeper.take(News::All(vec![("a".to_owned(), text)])).await });
    let mut answered = 0;
    while knowledge.ask(Timestamp::now()).unwrap().0.allow_list.is_empty() {
        answered += 1;
        tokio::task::yield_now().await;
    }
    building.await.unwrap().unwrap();
    assert_eq!(knowledge.report().entries, 10_000, "the list comes whole");
    assert!(answered > 10, "{answered} requests were answered meanwhile");
}
