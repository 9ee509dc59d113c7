//! The labels of nodes.

use serde_json::{Value, json};

use super::fake::FakeApi;
use super::*;

fn node(name: &str, resource_version: &str, labels: &Value) -> Value {
    let metadata = json!({"name": name, "resourceVersion": resource_version, "labels": labels});
    json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": metadata})
}

#[tokio::test(start_paused = true)]
async fn what_some_node_has_is_known_and_forgotten_when_the_watch_breaks() {
    let (client, mut api) = FakeApi::start();
    let knowledge = knowledge();
    let mut tasks = JoinSet::new();
    tasks.spawn(follow(&client, Nodes::new(&knowledge), Duration::from_secs(200)));
    let lacks = |key: &str| knowledge.facts().node_labels.as_ref().map(|labels| labels.lack(key, "true"));
    assert_eq!(lacks("a"), None);
    let list = api.next_list().await;
    assert!(list.accept.contains("PartialObjectMetadata"), "{}", list.accept);
    list.list("5", "", &[node("n1", "3", &json!({"a": "true"})), node("n2", "4", &json!({"b": "true"}))]);
    let stream = api.next_watch().await.stream();
    eventually("the list", || lacks("a").is_some()).await;
    assert_eq!((lacks("a"), lacks("b"), lacks("c")), (Some(false), Some(false), Some(true)));
    stream.event("DELETED", &node("n1", "6", &json!({"a": "true"})));
    eventually("the deletion", || lacks("a") == Some(true)).await;
    assert_eq!(lacks("b"), Some(false), "another node still has it");
    stream.error(410, "too old");
    eventually("nothing is known any more", || lacks("b").is_none()).await;
    api.next_list().await.list("9", "", &[node("n2", "4", &json!({"b": "true"}))]);
    eventually("the next list", || lacks("b") == Some(false)).await;
    assert_eq!(lacks("a"), Some(true));
}
