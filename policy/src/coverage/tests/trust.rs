//! What the guest's answers are worth.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{app, policy};
use crate::coverage::fields::{Difference, Proof};
use crate::coverage::guest::Guest;
use crate::coverage::request::{Change, Request, Sandbox};
use crate::coverage::{Cause, Certainty, Described};
use crate::engine::{Answer, Evaluator, InProcess, OpenPolicy, Unanswered, Unreadable};

const CWD: &str = "/OCI/Process/Cwd";

/// What a guest whose rule meets `conditions` makes of working directory `/pod`, where the policy describes `/policy`, and the request
/// that has to be allowed first has `own`.
fn certainty(conditions: &str, own: Option<&str>) -> Option<Certainty> {
    let data = data();
    certainties(&Guest::new(&policy(&data, conditions), &InProcess), &data, own, 1).first().copied()
}

/// What a policy describes.
fn data() -> Value {
    json!({"containers": [app(json!({"Process": {"Cwd": "/policy"}}))]})
}

/// What the guest makes of so many differences of that kind.
fn certainties(guest: &Guest<'_>, data: &Value, own: Option<&str>, count: usize) -> Vec<Certainty> {
    let by = Described::all(data).next().unwrap();
    let usual = || Request::described(by, Sandbox { name: "app-0", namespace: "kafka" });
    let change = |value: &str| Change::Part(CWD, json!(value));
    let difference = || {
        let proof = Proof::Rule { usual: own.map(change), change: change("/pod") };
        Difference { field: String::new(), pod: String::new(), policy: String::new(), cause: Cause::Changed, proof }
    };
    let differences = std::iter::repeat_with(difference).take(count).collect();
    guest.findings(None, usual, differences).iter().map(|found| found.certainty).collect()
}

#[test]
fn a_refusal_counts_where_the_rule_allows_what_its_policy_describes() {
    let allowing = |directories: &[&str]| format!("input.OCI.Process.Cwd in {}", json!(directories));
    for (allowed, own, expected) in [
        (&["/policy"][..], None, Some(Certainty::Refused)),
        (&[], None, Some(Certainty::Unknown)),
        (&["/policy", "/pod"], None, None),
        (&["/pod"], None, None),
        (&["/policy", "/own"], Some("/own"), Some(Certainty::Refused)),
        (&["/policy"], Some("/own"), Some(Certainty::Unknown)),
        (&["/own"], Some("/own"), Some(Certainty::Unknown)),
        (&["/policy", "/own", "/pod"], Some("/own"), None),
    ] {
        assert_eq!(certainty(&allowing(allowed), own), expected, "{allowed:?}, first {own:?}");
    }
}

#[test]
fn a_rule_that_cannot_be_asked_refuses_nothing() {
    assert_eq!(certainty("input.OCI.Process.Cwd == ", None), Some(Certainty::Unknown));
}

/// Gives one answer to every question, and counts them.
#[derive(Clone, Debug)]
struct Counting {
    answer: Result<Answer, Unanswered>,
    questions: &'static AtomicUsize,
}

impl Counting {
    fn answering(answer: Result<Answer, Unanswered>) -> Self {
        Self { answer, questions: Box::leak(Box::default()) }
    }
}

impl Evaluator for Counting {
    fn open(&self, _: &str) -> Result<Box<dyn OpenPolicy>, Unreadable> {
        Ok(Box::new(self.clone()))
    }
}

impl OpenPolicy for Counting {
    fn ask(&self, _: &str, _: &Value) -> Result<Answer, Unanswered> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        self.answer.clone()
    }

    fn set_state(&mut self, _: &Value) -> Result<(), Unanswered> {
        Ok(())
    }
}

#[test]
fn a_pod_takes_96_questions_at_most_and_one_where_the_rule_fails() {
    let no = Answer { value: Some(json!(false)), prints: Vec::new() };
    for (answer, expected) in [(Ok(no), 96), (Err(Unanswered::Crashed), 1)] {
        let counting = Counting::answering(answer);
        let found = certainties(&Guest::new("", &counting), &data(), None, 200);
        assert_eq!(found, [Certainty::Unknown; 200], "{counting:?}");
        assert_eq!(counting.questions.load(Ordering::Relaxed), expected, "{counting:?}");
    }
}
