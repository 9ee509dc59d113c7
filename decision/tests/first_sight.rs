//! The first sight of a listed policy takes its time, and is not asked of who has none.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use countersign_decision::facts::{Facts, Known};
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_decision::{validate, validate_at_once};
use countersign_golden::{NAMESPACE, rule_cases};

/// What is said at once of the pod of a golden case, before and after it was judged with patience.
fn at_once(row: &str, name: &str) -> [Option<String>; 2] {
    let cases = rule_cases().unwrap();
    let case = cases.iter().find(|case| case.row == row && case.name == name).expect("the case");
    let facts: Facts = case.given.facts().unwrap();
    let known = Known { facts: &facts, now: "2027-01-01T00:00:00Z".parse().unwrap(), stale_since: None };
    let json = case.pod.to_string();
    let request = PodRequest {
        operation: Operation::Create,
        namespace: NAMESPACE,
        required: false,
        groups: Vec::new(),
        pod: Pod::from_json(&json).unwrap(),
        old: None,
    };
    let said = || validate_at_once(&request, &known).map(|verdict| verdict.message());
    let before = said();
    let judged = validate(&request, &known).message();
    let after = said();
    assert_eq!(after.as_ref(), Some(&judged), "with patience and without it the same is said");
    [before, after]
}

#[test]
fn a_listed_policy_that_was_never_seen_is_not_judged_at_once_and_then_is() {
    let [before, after] = at_once("policy-is-permissive", "any_command");
    assert_eq!(before, None);
    assert!(after.unwrap().contains("policy-is-permissive"));
}

#[test]
fn a_strangers_policy_is_refused_at_once_and_never_examined() {
    let [before, after] = at_once("policy-is-permissive", "not_listed_is_not_evaluated");
    assert_eq!(before, after);
    assert!(before.unwrap().contains("policy-not-allowed"));
}
