//! What a list says of itself, and what the audit log is told of it.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use countersign_decision::allow_list::AllowList;
use countersign_decision::facts::{Facts, Known};
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_decision::validate;
use countersign_decision::verdict::Verdict;
use countersign_golden::{DIGEST, Given, NAMESPACE, POLICY};
use countersign_policy::Digest;
use serde_json::{Value, json};

/// What is said at a time of a new pod with this metadata.
fn judged(facts: &Facts, now: &str, metadata: &Value) -> Verdict {
    let text = json!({"metadata": metadata, "spec": {"containers": []}}).to_string();
    let pod = Pod::from_json(&text).unwrap();
    let (operation, groups) = (Operation::Create, Vec::new());
    let request = PodRequest { operation, namespace: NAMESPACE, required: false, groups, pod, old: None };
    validate(&request, &Known { facts, now: now.parse().unwrap(), stale_since: None })
}

#[test]
fn a_list_knows_how_many_entries_it_has_and_which_digests_they_name() {
    let (listed, other): (Digest, Digest) = (DIGEST.parse().unwrap(), "1".repeat(64).parse().unwrap());
    let nothing = AllowList::default();
    assert_eq!((nothing.is_empty(), nothing.len(), nothing.names(&listed)), (true, 0, false));
    for says in [json!({"digest": DIGEST, "namespaces": ["a"]}), json!({"digest": DIGEST, "revoked": true})] {
        let list = Given { allow_list: json!([says]), ..Given::default() }.facts().unwrap().allow_list;
        assert_eq!((list.is_empty(), list.len()), (false, 1));
        assert!(list.names(&listed) && !list.names(&other));
    }
}

#[test]
fn the_audit_log_is_told_the_digest_and_the_entry_that_lists_it() {
    let told = |entries: serde_json::Value, annotations: serde_json::Value| {
        let facts = Given { allow_list: entries, ..Given::default() }.facts().unwrap();
        let mut audit = judged(&facts, "2027-01-01T00:00:00Z", &json!({"annotations": annotations})).audit;
        audit.retain(|(key, _)| !matches!(*key, "decision" | "refused-by"));
        audit
    };
    let policy = json!({"io.katacontainers.config.agent.policy": POLICY});
    let digest = ("digest", DIGEST.to_owned());
    let named = json!([{"digest": DIGEST, "namespaces": [NAMESPACE], "name": "consumer 1"}]);
    assert_eq!(told(json!([]), policy.clone()), std::slice::from_ref(&digest));
    let [first, (key, entry)] = <[_; 2]>::try_from(told(named.clone(), policy)).unwrap();
    assert_eq!((first, key), (digest, "entry"));
    assert!(entry.contains("consumer 1"), "{entry}");
    assert_eq!(told(named, json!({})), []);
}

#[test]
fn an_entry_ends_by_the_webhooks_clock_and_no_time_that_a_pod_carries_delays_it() {
    let entries = json!([{"digest": DIGEST, "namespaces": [NAMESPACE], "notAfter": "2027-01-01T00:00:00Z"}]);
    let facts = Given { allow_list: entries, ..Given::default() }.facts().unwrap();
    let said = |now: &str, carried: &str| {
        let metadata = json!({
            "creationTimestamp": carried, "managedFields": [{"manager": "m", "operation": "Apply", "time": carried}],
            "annotations": {"io.katacontainers.config.agent.policy": POLICY}
        });
        judged(&facts, now, &metadata).message()
    };
    let [before, after] = ["2026-12-31T23:59:59Z", "2027-01-01T00:00:01Z"];
    for carried in ["1970-01-01T00:00:00Z", before, after, "9999-12-31T23:59:59Z"] {
        assert!(!said(before, carried).contains("policy-not-allowed"), "a clock of the pod's author that is ahead: {carried}");
        let refused = said(after, carried);
        assert!(refused.contains("expired 2027-01-01T00:00:00Z)"), "a clock of the pod's author that is behind: {refused}");
    }
}
