//! Which pods a file has, and where.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use countersign_manifest::{ManifestFile, PodInFile};
use serde_json::json;

fn pods(text: &str) -> Vec<PodInFile> {
    ManifestFile::parse("pods.yaml", text).unwrap().pods().unwrap()
}

#[test]
fn every_kind_with_a_pod_template_is_known() {
    for (version, kind, path) in [
        ("v1", "PodTemplate", vec!["template"]),
        ("v1", "ReplicationController", vec!["spec", "template"]),
        ("apps/v1", "Deployment", vec!["spec", "template"]),
        ("apps/v1", "ReplicaSet", vec!["spec", "template"]),
        ("apps/v1", "StatefulSet", vec!["spec", "template"]),
        ("apps/v1", "DaemonSet", vec!["spec", "template"]),
        ("batch/v1", "Job", vec!["spec", "template"]),
        ("batch/v1", "CronJob", vec!["spec", "jobTemplate", "spec", "template"]),
    ] {
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}});
        let mut object = path.iter().rev().fold(template.clone(), |inner, key| json!({*key: inner}));
        object["apiVersion"] = json!(version);
        object["kind"] = json!(kind);
        object["metadata"] = json!({"name": "web", "namespace": "shop"});
        let found = &pods(&object.to_string())[0];
        assert_eq!((found.kind.as_str(), found.name.as_str()), (kind, "web"));
        assert_eq!(found.namespace.as_deref(), Some("shop"), "{kind}");
        assert!(found.template, "{kind}");
        assert_eq!(found.pod, template, "{kind}");
    }
}

#[test]
fn a_pod_is_read_as_it_stands_in_the_file() {
    let found = pods("# head\n---\nkind: Pod\nmetadata: {generateName: web-}\nextra: 0644\n");
    assert_eq!(found[0].name, "web-*");
    assert_eq!(found[0].namespace, None);
    assert!(!found[0].template);
    assert_eq!((found[0].document, found[0].line), (1, 3));
    assert_eq!(found[0].pod, json!({"kind": "Pod", "metadata": {"generateName": "web-"}, "extra": 420}));
}

#[test]
fn pods_come_in_the_order_of_the_file_with_their_places() {
    let text = "kind: Pod\nmetadata: {name: a}\n---\nkind: Service\n---\n---\nkind: List\nitems:\n- kind: Service\n- kind: Pod\n  metadata: {name: b}\n- kind: Pod\n  metadata: {name: c}\n";
    let places: Vec<_> = pods(text).into_iter().map(|pod| (pod.name, pod.document, pod.line)).collect();
    assert_eq!(places, [("a".to_owned(), 1, 1), ("b".to_owned(), 4, 10), ("c".to_owned(), 4, 12)]);
}

#[test]
fn aliases_and_merge_keys_are_read_through() {
    let text = "kind: Pod\nmetadata: {labels: &l {a: b}, annotations: *l}\nspec: {<<: [*l, {a: c, d: e}], f: g}\n";
    let pod = &pods(text)[0].pod;
    assert_eq!(pod["metadata"]["annotations"], json!({"a": "b"}));
    assert_eq!(pod["spec"], json!({"a": "b", "d": "e", "f": "g"}));
}

#[test]
fn a_pointer_leads_to_its_place_in_the_file() {
    let text = "kind: Service\n---\napiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    metadata:\n      annotations:\n        a/b: c\n    spec:\n      containers:\n      - name: x\n      - image: y\n";
    let file = ManifestFile::parse("web.yaml", text).unwrap();
    let pod = &file.pods().unwrap()[0];
    let place = |pointer| file.position(pod, pointer).map(|position| position.to_string());
    assert_eq!(place("").as_deref(), Some("web.yaml:7:5 (document 2)"));
    assert_eq!(place("/metadata/annotations/a~1b").as_deref(), Some("web.yaml:9:14 (document 2)"));
    assert_eq!(place("/spec/containers").as_deref(), Some("web.yaml:12:7 (document 2)"));
    assert_eq!(place("/spec/containers/1/image").as_deref(), Some("web.yaml:13:16 (document 2)"));
    assert_eq!(place("/spec/containers/2"), None);
    assert_eq!(place("/spec/hostNetwork"), None);
}
