//! `countersign review`.

use serde_json::Value;

use crate::called::{countersign, file, fixture};

const CONSUMER: &str = "manifests/samples/consumer.yaml";
const LIST: &str = "manifests/samples/allow-list.yaml";

#[test]
fn a_listed_consumer_is_admitted_and_says_by_which_entry() {
    let printed = countersign(&["review", "-f", CONSUMER, "--allow-list", LIST]).printed();
    assert!(printed.starts_with("admitted  Pod/kafka/kafka-golang-consumer\n  policy sha256:"), "{printed}");
    assert!(printed.contains("Not known here: "), "{printed}");
}

#[test]
fn a_real_consumer_is_admitted_once_allowed_and_refused_with_one_byte_changed_or_elsewhere() {
    let Some(consumer) = fixture("fixtures/consumer-aks.yaml") else { return };
    let folder = tempfile::tempdir().unwrap();
    let list = file(folder.path(), "al.yaml", &countersign(&["allow", "-f", &consumer]).printed());
    assert_eq!(countersign(&["review", "-f", &consumer, "--allow-list", &list]).code, 0);
    let text = std::fs::read_to_string(&consumer).unwrap().replacen("agent.policy: IyBD", "agent.policy: IyBE", 1);
    let changed = file(folder.path(), "changed.yaml", &text);
    let digest = countersign(&["digest", "-f", &changed]).printed();
    let digest = digest.split_whitespace().next().unwrap();
    let refused = countersign(&["review", "-f", &changed, "--allow-list", &list]);
    assert_eq!(refused.code, 1);
    assert!(refused.out.contains(&format!("policy-not-allowed: policy digest {digest} of pod kafka/")), "{}", refused.out);
    let elsewhere = countersign(&["review", "-f", &consumer, "--allow-list", &list, "-n", "other"]);
    assert_eq!(elsewhere.code, 1);
    assert!(elsewhere.out.contains("(it is listed for another namespace)"), "{}", elsewhere.out);
}

#[test]
fn json_lists_refusals_and_warnings_alone() {
    let admitted: Value = serde_json::from_str(
        &countersign(&["review", "-f", CONSUMER, "--allow-list", LIST, "-o", "json", "--as-stored"]).printed(),
    )
    .unwrap();
    assert_eq!(admitted["refusals"], serde_json::json!([]));
    assert!(admitted["warnings"][0]["message"].as_str().unwrap().starts_with("node-selectors: "), "{admitted}");
    let refused = countersign(&["review", "-f", CONSUMER, "--allow-list", LIST, "-o", "json", "-n", "other"]);
    assert_eq!(refused.code, 1);
    let refused: Value = serde_json::from_str(&refused.out).unwrap();
    assert_eq!(refused["refusals"][0]["id"], "policy-not-allowed");
    assert_eq!(refused["refusals"][0]["kind"], "Pod");
    assert_eq!(refused["refusals"][0]["namespace"], "other");
}

#[test]
fn the_time_and_the_labels_of_the_namespace_can_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let list = std::fs::read_to_string(LIST)
        .unwrap()
        .replace("      namespaces: [kafka]", "      notAfter: 2027-01-01T00:00:00Z\n      namespaces: [kafka]");
    assert!(list.contains("notAfter"), "{list}");
    let list = file(folder.path(), "al.yaml", &list);
    let at = |time: &str| countersign(&["review", "-f", CONSUMER, "--allow-list", &list, "--at", time]);
    assert_eq!(at("2027-01-01T00:00:00Z").code, 0, "the last second counts");
    let expired = at("2027-01-01T00:00:01Z");
    assert_eq!(expired.code, 1);
    assert!(expired.out.contains("expired 2027-01-01T00:00:00Z"), "{}", expired.out);
    let required = countersign(&[
        "review",
        "-f",
        "manifests/samples/producer.yaml",
        "--allow-list",
        LIST,
        "--namespace-labels",
        "countersign.dev/confidential=required",
    ]);
    assert_eq!(required.code, 1);
    assert!(required.out.contains("policy-missing: "), "{}", required.out);
}

#[test]
fn an_ordinary_pod_is_left_alone() {
    let printed = countersign(&["review", "-f", "manifests/samples/producer.yaml", "--allow-list", LIST]).printed();
    assert!(printed.contains("not confidential: Countersign leaves it alone"), "{printed}");
}

#[test]
fn a_namespace_that_enforces_pod_security_is_warned_of() {
    let plain = "manifests/samples/consumer-plain-with-policy.yaml";
    let labels = "pod-security.kubernetes.io/enforce=baseline";
    let review = countersign(&["review", "-f", plain, "--allow-list", LIST, "--namespace-labels", labels]).printed();
    let expected = "warning: pod-security: namespace kafka enforces Pod Security \"baseline\", which forbids";
    assert!(review.contains(expected), "{review}");
    let without = countersign(&["review", "-f", plain, "--allow-list", LIST]).printed();
    assert!(!without.contains("pod-security"), "{without}");
}

#[test]
fn the_node_of_a_stored_pod_is_the_schedulers_choice_and_of_a_new_one_its_authors() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(CONSUMER).unwrap().replacen("\nspec:\n", "\nspec:\n  nodeName: node-1\n", 1);
    let pod = file(folder.path(), "pod.yaml", &text);
    let new = countersign(&["review", "-f", &pod, "--allow-list", LIST]).printed();
    assert!(new.contains("scheduling: spec.nodeName is \"node-1\""), "{new}");
    let stored = countersign(&["review", "-f", &pod, "--allow-list", LIST, "--as-stored"]).printed();
    assert!(!stored.contains("scheduling: "), "{stored}");
}

const COCO: &str = "{apiVersion: countersign.dev/v1alpha1, kind: Configuration, enabledProfiles: [aks, coco-snp, coco-tdx]}";

#[test]
fn real_consumers_of_every_platform_are_admitted_once_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = file(folder.path(), "coco.yaml", COCO);
    for name in ["consumer-aks", "consumer-deployment-aks", "consumer-coco-snp", "consumer-coco-tdx"] {
        let Some(consumer) = fixture(&format!("fixtures/{name}.yaml")) else { return };
        let list = file(folder.path(), "al.yaml", &countersign(&["allow", "-f", &consumer]).printed());
        let review = ["review", "-f", &consumer, "--allow-list", &list, "--config", &configuration];
        let printed = countersign(&review).printed();
        assert!(printed.starts_with("admitted  "), "{name}: {printed}");
        let digest = countersign(&["digest", "-f", &consumer]).printed();
        assert!(printed.contains(digest.split(' ').next().unwrap()), "{name}: {printed}");
        assert!(name.contains("aks") || !printed.contains("warning"), "{name}: {printed}");
    }
}

#[test]
fn a_real_consumer_of_another_platform_is_refused_where_its_profile_is_not_enabled() {
    let Some(consumer) = fixture("fixtures/consumer-coco-snp.yaml") else { return };
    let folder = tempfile::tempdir().unwrap();
    let list = file(folder.path(), "al.yaml", &countersign(&["allow", "-f", &consumer]).printed());
    let refused = countersign(&["review", "-f", &consumer, "--allow-list", &list]);
    assert_eq!(refused.code, 1);
    assert!(refused.out.contains("ask the cluster administrator to enable profile coco-snp"), "{}", refused.out);
}
