//! What is said of a pod as a whole: when it is created, completed or not, and when somebody wants to get into it.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use countersign_decision::exec::exec;
use countersign_decision::facts::{Facts, Known};
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_decision::verdict::Decision;
use countersign_decision::{creation, mutate};
use countersign_golden::{Given, NAMESPACE, POLICY};
use serde_json::{Value, json};

/// The facts of a namespace that enforces a level of Pod Security.
fn facts(level: &str) -> Facts {
    let label = ("pod-security.kubernetes.io/enforce".to_owned(), level.to_owned());
    Given { namespace_labels: [label].into(), ..Given::default() }.facts().unwrap()
}

fn known(facts: &Facts) -> Known<'_> {
    Known { facts, now: "2027-01-01T00:00:00Z".parse().unwrap(), stale_since: None }
}

fn request(pod: &str) -> PodRequest<'_> {
    let pod = Pod::from_json(pod).unwrap();
    PodRequest { operation: Operation::Create, namespace: NAMESPACE, required: false, groups: Vec::new(), pod, old: None }
}

/// An opted-in pod with a listed policy.
fn consumer() -> Value {
    json!({
        "metadata": {
            "name": "consumer", "labels": {"countersign.dev/confidential": "true"},
            "annotations": {"io.katacontainers.config.agent.policy": POLICY}
        },
        "spec": {"containers": [{"name": "app", "image": "registry.example/app:1"}]}
    })
}

/// The pod as /mutate leaves it.
fn completed(facts: &Facts) -> Value {
    let mut pod = consumer();
    let text = pod.to_string();
    json_patch::patch(&mut pod, &mutate(&request(&text), &known(facts)).patch).unwrap();
    pod
}

#[test]
fn a_pod_is_completed_and_then_judged_and_each_warning_is_said_once() {
    let facts = facts("restricted");
    let verdict = creation(&consumer(), NAMESPACE, &known(&facts)).unwrap();
    assert_eq!(verdict.decision, Decision::Admitted, "{}", verdict.message());
    let said = |id: &str| verdict.warnings.iter().filter(|warning| warning.starts_with(id)).count();
    assert_eq!(said("pod-security"), 1, "{:?}", verdict.warnings);
    let mut unique = verdict.warnings.clone();
    unique.dedup();
    assert_eq!(unique, verdict.warnings);
}

#[test]
fn what_validate_warns_of_is_said_beside_what_mutate_warns_of() {
    let facts = facts("restricted");
    let without_opt_in = |mut pod: Value| {
        pod["metadata"]["labels"] = json!({});
        pod["spec"]["nodeSelector"] = json!({});
        pod
    };
    let verdict = creation(&without_opt_in(completed(&facts)), NAMESPACE, &known(&facts)).unwrap();
    assert!(verdict.warnings.iter().any(|warning| warning.starts_with("node-selectors")), "{:?}", verdict.warnings);
}

#[test]
fn a_conflict_is_the_whole_answer() {
    let mut pod = consumer();
    pod["spec"]["runtimeClassName"] = json!("other");
    pod["metadata"]["annotations"]["io.katacontainers.config.agent.policy"] = json!("no base64!");
    let facts = facts("privileged");
    let verdict = creation(&pod, NAMESPACE, &known(&facts)).unwrap();
    let ids: Vec<_> = verdict.refusals.iter().map(|refusal| refusal.id).collect();
    assert_eq!((verdict.decision, ids), (Decision::Refused, vec!["runtime-class"]));
}

#[test]
fn a_pod_that_is_complete_is_left_as_it_is_and_warned_of_all_the_same() {
    let facts = facts("restricted");
    let text = completed(&facts).to_string();
    let verdict = mutate(&request(&text), &known(&facts));
    assert!(verdict.patch.0.is_empty() && verdict.decision == Decision::Untouched);
    assert!(verdict.warnings.iter().any(|warning| warning.starts_with("pod-security")), "{:?}", verdict.warnings);
}

#[test]
fn the_exec_door_is_closed_for_confidential_pods_and_for_no_others() {
    let facts = facts("privileged");
    let confidential = completed(&facts).to_string();
    let verdict = exec(&request(&confidential), "portforward", &known(&facts));
    assert!(!verdict.allowed());
    let because = "pod kafka/consumer is confidential, and pods/portforward leads into it past what was measured";
    assert_eq!((verdict.refusals[0].id, &*verdict.refusals[0].because), ("exec-door", because));
    let ordinary = json!({"metadata": {"name": "p"}, "spec": {"containers": []}}).to_string();
    let verdict = exec(&request(&ordinary), "exec", &known(&facts));
    assert_eq!((verdict.allowed(), verdict.decision, verdict.refusals.len()), (true, Decision::Untouched, 0));
}
