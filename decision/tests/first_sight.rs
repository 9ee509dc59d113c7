//! What takes its time is not judged at once, is judged once, and is not asked of who has no listed policy.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_decision::facts::{Facts, Known};
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_decision::{validate, validate_at_once};
use countersign_golden::{Case, ExpectedVerdict, NAMESPACE, rule_cases};
use countersign_policy::engine::{Evaluator, InProcess, OpenPolicy, Unreadable};
use countersign_policy::examined::SeenExaminations;
use serde_json::{Value, json};

fn case(row: &str, name: &str) -> Case<ExpectedVerdict> {
    rule_cases().unwrap().into_iter().find(|case| case.row == row && case.name == name).expect("the case")
}

fn request(pod: &str) -> PodRequest<'_> {
    PodRequest {
        operation: Operation::Create,
        namespace: NAMESPACE,
        required: false,
        groups: Vec::new(),
        pod: Pod::from_json(pod).unwrap(),
        old: None,
    }
}

fn known(facts: &Facts) -> Known<'_> {
    Known { facts, now: "2027-01-01T00:00:00Z".parse().unwrap(), stale_since: None }
}

/// What is said of the case's pod at once, before and after it was judged with patience.
fn at_once(case: &Case<ExpectedVerdict>, facts: &Facts) -> [Option<String>; 2] {
    let known = known(facts);
    let json = case.pod.to_string();
    let request = request(&json);
    let said = || validate_at_once(&request, &known).map(|verdict| verdict.message());
    let before = said();
    let judged = validate(&request, &known).message();
    let after = said();
    assert_eq!(after.as_ref(), Some(&judged), "with patience and without it the same is said");
    [before, after]
}

#[test]
fn a_listed_policy_that_was_never_seen_is_not_judged_at_once_and_then_is() {
    let case = case("policy-is-permissive", "any_command");
    let [before, after] = at_once(&case, &case.given.facts().unwrap());
    assert_eq!(before, None);
    assert!(after.unwrap().contains("policy-is-permissive"));
}

#[test]
fn a_strangers_policy_is_refused_at_once_and_never_examined() {
    let case = case("policy-is-permissive", "not_listed_is_not_evaluated");
    let [before, after] = at_once(&case, &case.given.facts().unwrap());
    assert_eq!(before, after);
    assert!(before.unwrap().contains("policy-not-allowed"));
}

/// Counts how often a policy is opened, and lets it be.
#[derive(Debug, Default)]
struct Counted(AtomicUsize);

impl Evaluator for Counted {
    fn open(&self, text: &str) -> Result<Box<dyn OpenPolicy>, Unreadable> {
        self.0.fetch_add(1, Ordering::Relaxed);
        InProcess.open(text)
    }
}

/// The case's facts, and how often a policy is opened by them.
fn counting(case: &Case<ExpectedVerdict>) -> (Arc<Counted>, Facts) {
    let counted = Arc::new(Counted::default());
    let examined = Arc::new(SeenExaminations::by(Arc::clone(&counted) as _));
    (counted, Facts { examined, ..case.given.facts().unwrap() })
}

#[test]
fn a_policy_that_runs_out_of_time_does_so_once_for_a_request_however_many_rules_ask_about_it() {
    let case = case("policy-unreadable", "loop");
    let (counted, facts) = counting(&case);
    let known = known(&facts);
    let json = case.pod.to_string();
    let request = request(&json);
    for times in 1..=2 {
        let judged = validate(&request, &known).message();
        assert!(judged.contains("took longer than 400 ms"), "{judged}");
        assert_eq!(counted.0.load(Ordering::Relaxed), times, "another request tries it again");
    }
}

#[test]
fn an_update_that_leaves_pod_and_policy_as_they_were_is_judged_at_once_and_examines_nothing() {
    let case = case("policy-covers-the-pod", "covered");
    let (counted, facts) = counting(&case);
    let known = known(&facts);
    let judged_at_once = |before: &dyn Fn(&mut Value), after: &dyn Fn(&mut Value)| {
        let mut old = case.pod.clone();
        before(&mut old);
        let mut pod = old.clone();
        after(&mut pod);
        let (old, pod) = (old.to_string(), pod.to_string());
        let old = Some(Pod::from_json(&old).unwrap());
        let request = PodRequest { operation: Operation::Update, old, groups: vec!["system:nodes"], ..request(&pod) };
        validate_at_once(&request, &known).is_some()
    };
    let as_it_was = |_: &mut Value| {};
    let finalized = |pod: &mut Value| pod["metadata"]["finalizers"] = json!(["a.b/c"]);
    // No guest is asked for it.
    let resized = |pod: &mut Value| pod["spec"]["containers"][0]["resizePolicy"] = json!([]);
    assert!(judged_at_once(&as_it_was, &finalized) && judged_at_once(&as_it_was, &resized));
    let asks_for_more = |pod: &mut Value| pod["spec"]["shareProcessNamespace"] = true.into();
    let terminating = |pod: &mut Value| pod["metadata"]["deletionTimestamp"] = "2027-01-01T00:00:00Z".into();
    let mirror = |pod: &mut Value| pod["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "x".into();
    assert!(judged_at_once(&terminating, &asks_for_more), "of a terminating pod no rule is asked");
    assert!(judged_at_once(&mirror, &asks_for_more), "of a mirror pod no rule is asked");
    assert_eq!(counted.0.load(Ordering::Relaxed), 0);
    let of_another = |pod: &mut Value| pod["spec"]["serviceAccountName"] = "another".into();
    for (what, anew) in [("guest", &asks_for_more as &dyn Fn(&mut Value)), ("service account", &of_another)] {
        assert!(!judged_at_once(&as_it_was, anew), "another {what} is judged anew");
    }
}

#[test]
fn only_a_pod_that_the_policy_has_to_be_asked_about_is_not_judged_at_once_when_the_policy_is_known() {
    let (covered, differs) = (case("policy-covers-the-pod", "covered"), case("policy-covers-the-pod", "another_command"));
    let facts = covered.given.facts().unwrap();
    let [never_seen, covers] = at_once(&covered, &facts);
    assert_eq!(never_seen, None);
    assert!(!covers.unwrap().contains("policy-covers-the-pod"));
    let [before, after] = at_once(&differs, &facts);
    assert_eq!(before, None, "the policy is known, the question is new");
    assert!(after.unwrap().contains("policy-covers-the-pod"));
    let [same_pod_again, _] = at_once(&differs, &facts);
    assert!(same_pod_again.unwrap().contains("policy-covers-the-pod"));
    let [fits, _] = at_once(&covered, &facts);
    assert!(!fits.expect("a pod that fits needs no question").contains("policy-covers-the-pod"));
}
