//! What is remembered of judged pods, and what that takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quick_cache::Weighter as _;
use serde_json::{Value, json};

use super::{AskedPod, app, asked, policy, said, written};
use crate::coverage::pod::{AskedContainer, Mount, Variable, Volume};
use crate::coverage::{Coverage, Finding, Weight, weight};
use crate::engine::{Answer, Evaluator, InProcess, OpenPolicy, Unanswered, Unreadable};

/// What is compared with a policy that describes working directory `/policy`, and allows that one alone.
fn coverage() -> Coverage {
    let data = json!({"containers": [app(json!({"Process": {"Cwd": "/policy"}}))]});
    written(&data, &policy(&data, r#"input.OCI.Process.Cwd == "/policy""#))
}

/// A pod whose only container is called `app` and has these fields.
fn pod(mut container: Value) -> AskedPod {
    container["name"] = json!("app");
    asked(&json!({"spec": {"containers": [container]}}), "kafka")
}

#[test]
fn a_pod_that_needs_no_answer_is_judged_at_once_and_another_when_it_comes_again() {
    let coverage = coverage();
    let fitting = pod(json!({"workingDir": "/policy"}));
    assert_eq!(coverage.findings_at_once(&fitting).as_deref().map(said), Some(vec![]));
    coverage.findings(&fitting);
    assert_eq!(coverage.judged.len(), 0, "what is found at once needs no room");

    let differing = pod(json!({"workingDir": "/pod"}));
    let expected = [r#"Refused container app, workingDir: the pod has "/pod", the policy has "/policy""#];
    assert_eq!(coverage.findings_at_once(&differing), None);
    assert_eq!(said(&coverage.findings(&differing)), expected);
    assert_eq!(coverage.findings_at_once(&differing).as_deref().map(said), Some(expected.map(str::to_owned).to_vec()));
}

/// Has no process for the first pod, no time for the second, and a rule that fails for the fourth.
#[derive(Debug, Default)]
struct Busy(AtomicUsize);

struct Open(Result<Box<dyn OpenPolicy>, Unanswered>);

impl Evaluator for Busy {
    fn open(&self, text: &str) -> Result<Box<dyn OpenPolicy>, Unreadable> {
        Ok(Box::new(Open(match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => return Err(Unreadable::Ended("no process can be had".to_owned())),
            1 => Err(Unanswered::TookTooLong(Duration::from_millis(400))),
            2 => Ok(InProcess.open(text)?),
            _ => Err(Unanswered::FailedSomewhere("a conflict".to_owned())),
        })))
    }
}

impl OpenPolicy for Open {
    fn ask(&self, rule: &str, input: &Value) -> Result<Answer, Unanswered> {
        self.0.as_ref().map_err(Clone::clone)?.ask(rule, input)
    }

    fn set_state(&mut self, _: &Value) -> Result<(), Unanswered> {
        Ok(())
    }
}

#[test]
fn what_is_not_known_for_want_of_time_or_of_a_process_is_asked_again() {
    let busy = Arc::new(Busy::default());
    let coverage = Coverage { evaluator: Arc::clone(&busy) as _, ..coverage() };
    let differing = pod(json!({"workingDir": "/pod"}));
    for expected in ["Unknown", "Unknown", "Refused"] {
        assert_eq!(coverage.findings_at_once(&differing), None, "it is asked again");
        let found = said(&coverage.findings(&differing));
        assert!(found[0].starts_with(expected) && found.len() == 1, "{found:?}");
    }
    assert!(coverage.findings_at_once(&differing).is_some(), "there was an answer");
    let other = pod(json!({"workingDir": "/other"}));
    assert!(said(&coverage.findings(&other))[0].starts_with("Unknown"));
    assert!(coverage.findings_at_once(&other).is_some(), "a rule that fails would do so again");
}

#[test]
fn a_judged_pod_weighs_every_text_and_every_element_of_its_lists() {
    let of_pod = |pod: &Value| weight::of(&asked(pod, ""), &[]) - "default".len();
    let (text, variable, mount) = (size_of::<String>(), size_of::<Variable>(), size_of::<Mount>());
    for (fields, expected) in [
        (json!({}), 0),
        (json!({"name": "app", "image": "app:1"}), 8),
        (json!({"command": ["/app", "run"], "args": ["", "--now"]}), 4 * text + 12),
        (json!({"workingDir": "/pod", "terminationMessagePath": "/log"}), 8),
        (json!({"securityContext": {"capabilities": {"add": ["CHOWN"], "drop": ["ALL"]}}}), 2 * text + 8),
        (json!({"env": [{"name": "A", "value": "text"}, {"name": "B"}]}), 2 * variable + 6),
        (json!({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec"}}}]}), variable + 5),
        (json!({"volumeMounts": [{"name": "v", "mountPath": "/v"}]}), mount + 3),
        (json!({"volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "a", "subPathExpr": "$(A)"}]}), mount + 8),
    ] {
        let pod = json!({"spec": {"containers": [fields]}});
        assert_eq!(of_pod(&pod), size_of::<AskedContainer>() + expected, "{pod}");
    }
    for (pod, expected) in [
        (json!({"metadata": {"name": "app-0", "generateName": "app-"}}), 9),
        (json!({"spec": {"securityContext": {"supplementalGroups": [1, 2]}}}), 2 * size_of::<i64>()),
        (json!({"spec": {"volumes": [{"name": "data"}, {"name": "token"}]}}), 2 * size_of::<Volume>() + 9),
    ] {
        assert_eq!(of_pod(&pod), expected, "{pod}");
    }
    let named = AskedPod { namespace: "kafka".to_owned(), service_account: "robot".to_owned(), ..AskedPod::default() };
    assert_eq!(weight::of(&named, &[]), 10);
}

#[test]
fn a_remembered_pod_weighs_itself_and_what_was_found() {
    let pod = pod(json!({"workingDir": "/pod"}));
    let found = coverage().findings(&pod);
    let texts = ["app", "workingDir", r#""/pod""#, r#""/policy""#].map(str::len);
    let expected = weight::of(&pod, &[]) + size_of::<Finding>() + texts.iter().sum::<usize>();
    assert_eq!(usize::try_from(Weight.weight(&pod, &found)).unwrap(), expected);
    assert_eq!(Weight.weight(&AskedPod::default(), &Arc::default()), 1, "what weighs nothing is never put out");
}

#[test]
fn pods_with_long_arguments_put_each_other_out() {
    let coverage = coverage();
    for n in 0..16 {
        coverage.judged.insert(pod(json!({"args": [n.to_string(), "x".repeat(32 * 1024)]})), Arc::default());
    }
    let weight = coverage.judged.weight();
    assert!((128 * 1024..=256 * 1024).contains(&weight), "{weight} bytes are kept");
}
