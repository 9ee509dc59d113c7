//! Who is opted in, and what becomes of a pod that is opted in too late.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use countersign_decision::configuration::{Configuration, Mode};
use countersign_decision::facts::{Facts, Known, NamespaceFacts};
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_decision::verdict::{Decision, Verdict};
use countersign_decision::{mutate, validate};

const ORDINARY: &str = r#"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"app","image":"registry.example/app:1"}]}}"#;

fn facts() -> Facts {
    Facts {
        namespaces: Some(Arc::default()),
        ..Facts::unwatched(Arc::new(Configuration::built_in().unwrap()), "countersign-system")
    }
}

fn ask(by: fn(&PodRequest<'_>, &Known<'_>) -> Verdict, pod: &str, required: bool, facts: &Facts) -> Verdict {
    let pod = Pod::from_json(pod).unwrap();
    let request = PodRequest { operation: Operation::Create, namespace: "kafka", required, groups: Vec::new(), pod, old: None };
    by(&request, &Known { facts, now: "2027-01-01T00:00:00Z".parse().unwrap(), stale_since: None })
}

#[test]
fn the_path_of_required_namespaces_opts_in_before_the_namespace_is_known() {
    assert_eq!(ask(mutate, ORDINARY, false, &facts()).decision, Decision::Untouched);
    assert_eq!(ask(mutate, ORDINARY, true, &facts()).decision, Decision::Patched);
    assert_eq!(ask(validate, ORDINARY, false, &facts()).decision, Decision::Untouched);
    assert_eq!(ask(validate, ORDINARY, true, &facts()).decision, Decision::Refused);
}

#[test]
fn a_pod_that_was_opted_in_too_late_is_told_so() {
    let labelled = ORDINARY.replace(r#""name":"p""#, r#""name":"p","labels":{"countersign.dev/confidential":"true"}"#);
    let verdict = ask(validate, &labelled, false, &facts());
    let told: Vec<_> = verdict.refusals.iter().filter(|refusal| refusal.next.contains("may come too late")).collect();
    assert_eq!(told.iter().map(|refusal| refusal.id).collect::<Vec<_>>(), ["runtime-class", "sidecar", "sidecar-volume"]);
}

#[test]
fn a_pod_that_asks_for_trusted_launch_alone_needs_an_enabled_profile_too() {
    let mut facts = facts();
    let narrowed = NamespaceFacts { profile: Some("other".to_owned()), ..NamespaceFacts::default() };
    facts.namespaces = Some(Arc::new([("kafka".to_owned(), narrowed)].into()));
    let labelled = ORDINARY.replace(r#""name":"p""#, r#""name":"p","labels":{"countersign.dev/trusted-launch":"true"}"#);
    for by in [mutate, validate] {
        let verdict = ask(by, &labelled, false, &facts);
        assert_eq!(verdict.refusals[0].id, "profile-not-enabled");
        assert!(!verdict.allowed());
    }
    assert_eq!(ask(validate, ORDINARY, false, &facts).decision, Decision::Untouched);
}

#[test]
fn a_pod_without_metadata_is_completed_too_whatever_is_added_to_it() {
    let bare = r#"{"spec":{"containers":[{"name":"app","image":"registry.example/app:1"}]}}"#;
    for mode in [Mode::Enforce, Mode::Warn] {
        let mut facts = facts();
        facts.namespaces = Some(Arc::new([("kafka".to_owned(), NamespaceFacts { mode, ..NamespaceFacts::default() })].into()));
        let mut pod: serde_json::Value = serde_json::from_str(bare).unwrap();
        json_patch::patch(&mut pod, &ask(mutate, bare, true, &facts).patch).unwrap();
        assert_eq!(pod["metadata"]["annotations"]["countersign.dev/profile"], "aks");
        // The label is a claim that holds in mode enforce alone.
        assert_eq!(pod["metadata"].get("labels").is_some(), mode == Mode::Enforce);
    }
}
