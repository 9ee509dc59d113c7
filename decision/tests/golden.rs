//! Every golden case: the pod of a folder gets the answer of the folder, and what holds of every completed pod holds of it.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use countersign_decision::changes::CHANGES;
use countersign_decision::facts::{Facts, Known};
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_decision::rules::RULES;
use countersign_decision::verdict::{Decision, Refusal, Verdict};
use countersign_decision::warnings::WARNINGS;
use countersign_decision::{mutate, validate};
use countersign_golden::{
    Case, ExpectedPod, ExpectedVerdict, Given, NAMESPACE, Reason, change_cases, missing, rule_cases, warning_cases,
};
use serde_json::{Value, json};

/// The changes that nothing can stand in the way of.
const WITHOUT_CONFLICT: [&str; 2] = ["profile", "countersigned"];

struct Asking<'a> {
    given: &'a Given,
    facts: Facts,
}

impl<'a> Asking<'a> {
    fn of<E>(case: &'a Case<E>) -> Self {
        let given = &case.given;
        Self { given, facts: given.facts().unwrap_or_else(|error| panic!("{}/{}: {error}", case.row, case.name)) }
    }

    fn ask(&self, by: fn(&PodRequest<'_>, &Known<'_>) -> Verdict, pod: &Value, old: Option<&Value>) -> Verdict {
        let (pod, old) = (pod.to_string(), old.map(Value::to_string));
        let request = PodRequest {
            operation: if old.is_some() { Operation::Update } else { Operation::Create },
            namespace: NAMESPACE,
            required: false,
            groups: self.given.groups.iter().map(String::as_str).collect(),
            pod: Pod::from_json(&pod).unwrap(),
            old: old.as_deref().map(|old| Pod::from_json(old).unwrap()),
        };
        let now = "2027-01-01T00:00:00Z".parse().unwrap();
        by(&request, &Known { facts: &self.facts, now, stale_since: self.given.stale_since })
    }

    /// As the API server asks: /mutate when the pod is made, /validate when it is made or updated.
    fn through_both(&self, pod: &Value, old: Option<&Value>) -> Verdict {
        let completed = self.ask(mutate, old.unwrap_or(pod), None);
        if !completed.allowed() {
            return completed;
        }
        let patched = |pod: &Value| {
            let mut pod = pod.clone();
            json_patch::patch(&mut pod, &completed.patch).unwrap();
            pod
        };
        let mut verdict = self.ask(validate, &patched(pod), old.map(patched).as_ref());
        if old.is_none() {
            verdict.warnings.splice(0..0, completed.warnings);
        }
        verdict.warnings.dedup();
        verdict
    }
}

fn reasons(refusals: &[Refusal]) -> Vec<Reason> {
    let reason =
        |refusal: &Refusal| Reason { id: refusal.id.to_owned(), because: refusal.because.clone(), next: refusal.next.clone() };
    refusals.iter().map(reason).collect()
}

/// What was answered, for whoever compares it with the folder.
fn shown(decision: &str, refused: &[Reason], more: &Value) -> String {
    let refused: Vec<_> =
        refused.iter().map(|reason| json!({"id": reason.id, "because": reason.because, "next": reason.next})).collect();
    json!({"decision": decision, "refused": refused, "more": more}).to_string()
}

/// Runs `check` over every case and shows all that fail.
fn each<E>(cases: &[Case<E>], check: impl Fn(&Case<E>) -> Result<(), String>) {
    let failed = cases.iter().filter_map(|case| check(case).err().map(|why| format!("{}/{}: {why}", case.row, case.name)));
    let failed: Vec<_> = failed.collect();
    assert!(failed.is_empty(), "{} of {} cases fail:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

#[test]
fn every_case_of_a_rule_or_a_warning_gets_the_verdict_of_its_folder() {
    let cases: Vec<_> = rule_cases().unwrap().into_iter().chain(warning_cases().unwrap()).collect();
    each(&cases, |case| {
        let asking = Asking::of(case);
        let verdict = match case.expected.as_stored {
            Some(_) => asking.ask(validate, &case.pod, case.old.as_ref()),
            None => asking.through_both(&case.pod, case.old.as_ref()),
        };
        let found = (verdict.decision.name(), reasons(&verdict.refusals), &verdict.warnings);
        let expected = (&*case.expected.decision, case.expected.refused.clone(), &case.expected.warnings);
        (found == expected).then_some(()).ok_or_else(|| shown(found.0, &found.1, &json!({"warnings": found.2})))
    });
}

#[test]
fn every_case_of_a_change_gets_the_pod_of_its_folder() {
    each(&change_cases().unwrap(), |case| {
        let verdict = Asking::of(case).ask(mutate, &case.pod, None);
        let mut pod = case.pod.clone();
        json_patch::patch(&mut pod, &verdict.patch).map_err(|error| error.to_string())?;
        let found = reasons(&verdict.refusals);
        let as_expected = match &case.expected {
            ExpectedPod::Refused(expected) => *expected == found && !verdict.allowed(),
            ExpectedPod::Unchanged => verdict.patch.0.is_empty() && verdict.allowed(),
            ExpectedPod::Completed(expected) => *expected == pod && verdict.decision == Decision::Patched,
        };
        as_expected.then_some(()).ok_or_else(|| shown(verdict.decision.name(), &found, &json!({"pod": pod})))
    });
}

#[test]
fn every_rule_has_a_case_that_it_refuses_itself_and_one_that_passes() {
    let cases = rule_cases().unwrap();
    each(&cases, |case| RULES.iter().any(|rule| rule.id == case.row).then_some(()).ok_or("there is no such rule".to_owned()));
    for rule in &RULES {
        let of_rule: Vec<_> = cases.iter().filter(|case| case.row == rule.id).collect();
        let refused_by_validate = of_rule.iter().any(|case| {
            let completed = Asking::of(case).ask(mutate, case.old.as_ref().unwrap_or(&case.pod), None);
            let reaches_validate = case.expected.as_stored.is_some() || completed.allowed();
            reaches_validate
                && case.expected.decision == "refused"
                && case.expected.refused.iter().any(|reason| reason.id == rule.id)
        });
        assert!(refused_by_validate, "rule {} has no case that /validate refuses", rule.id);
        let passing = of_rule.iter().any(|case| case.expected.refused.is_empty() && case.expected.warnings.is_empty());
        assert!(passing, "rule {} has no case that passes", rule.id);
    }
}

#[test]
fn every_warning_has_a_case_where_it_is_said_and_one_where_it_is_not() {
    let cases = warning_cases().unwrap();
    each(&cases, |case| {
        WARNINGS.iter().any(|warning| warning.id == case.row).then_some(()).ok_or("there is no such warning".to_owned())
    });
    for warning in &WARNINGS {
        let begins = format!("{}: ", warning.id);
        let says = |case: &&Case<ExpectedVerdict>| case.expected.warnings.iter().any(|line| line.starts_with(&begins));
        let (said, silent): (Vec<_>, Vec<_>) = cases.iter().filter(|case| case.row == warning.id).partition(says);
        assert!(!said.is_empty() && !silent.is_empty(), "warning {}: {} and {}", warning.id, said.len(), silent.len());
    }
}

#[test]
fn every_change_has_a_case_where_it_is_made_one_where_it_is_not_needed_and_one_where_it_cannot_be() {
    let cases = change_cases().unwrap();
    each(&cases, |case| {
        CHANGES.iter().any(|change| change.id == case.row).then_some(()).ok_or("there is no such change".to_owned())
    });
    for change in &CHANGES {
        let answers = || {
            cases.iter().filter(|case| case.row == change.id).map(|case| {
                let verdict = Asking::of(case).ask(mutate, &case.pod, None);
                let made = verdict.audit.iter().any(|(key, ids)| *key == "changes" && ids.split(',').any(|id| id == change.id));
                (verdict, made)
            })
        };
        assert!(answers().any(|(_, made)| made), "change {} is made in no case", change.id);
        let needless = answers().any(|(verdict, made)| verdict.refusals.is_empty() && !made);
        assert!(needless, "change {} is there already in no case", change.id);
        let conflict = answers().any(|(verdict, _)| verdict.refusals.iter().any(|refusal| refusal.id == change.id));
        assert_eq!(conflict, !WITHOUT_CONFLICT.contains(&change.id), "a case with a conflict of change {}", change.id);
    }
}

#[test]
fn completing_a_pod_is_stable_additive_and_done_once() {
    let rules = rule_cases().unwrap().into_iter().map(|case| (case.row, case.name, case.pod, case.given));
    let changes = change_cases().unwrap().into_iter().map(|case| (case.row, case.name, case.pod, case.given));
    let mut completed_pods = 0;
    for (row, name, pod, given) in rules.chain(changes) {
        let asking = Asking { facts: given.facts().unwrap(), given: &given };
        for pod in [with_unknown_fields(&pod), pod] {
            let verdict = asking.ask(mutate, &pod, None);
            if verdict.patch.0.is_empty() {
                continue;
            }
            completed_pods += 1;
            let patch = serde_json::to_string(&verdict.patch).unwrap();
            let again = serde_json::to_string(&asking.ask(mutate, &pod, None).patch).unwrap();
            assert_eq!(patch, again, "{row}/{name}: the same pod gets two patches");
            let mut completed = pod.clone();
            json_patch::patch(&mut completed, &verdict.patch).unwrap();
            let second = asking.ask(mutate, &completed, None);
            assert_eq!(second.decision, Decision::Untouched, "{row}/{name}: {second:?}");
            let mut told = pod;
            if let Some(annotations) = told.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
                annotations.remove("countersign.dev/injected");
            }
            assert_eq!(missing(&told, &completed), None, "{row}/{name}: something was taken away");
        }
    }
    assert!(completed_pods > 20, "only {completed_pods} pods were completed");
}

/// The pod with fields that no build knows, at every level that is not compared with the profile.
fn with_unknown_fields(pod: &Value) -> Value {
    let mut pod = pod.clone();
    let unknown = json!({"deep": [1, {"er": null}], "text": "<&>"});
    for level in ["", "/metadata", "/spec", "/spec/affinity", "/spec/affinity/nodeAffinity"] {
        if let Some(object) = pod.pointer_mut(level).and_then(Value::as_object_mut) {
            object.insert("fromTheFuture".to_owned(), unknown.clone());
        }
    }
    for list in ["/spec/containers", "/spec/volumes"] {
        for element in pod.pointer_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if element["name"] != "skr" && element["name"] != "endor-loc" {
                element["fromTheFuture"] = unknown.clone();
            }
        }
    }
    pod
}
