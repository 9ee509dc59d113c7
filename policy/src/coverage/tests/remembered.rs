//! What is remembered of judged pods, and what that takes.

use std::sync::Arc;

use quick_cache::Weighter as _;
use serde_json::{Value, json};

use super::{AskedPod, app, asked, policy, said, written};
use crate::coverage::pod::{AskedContainer, Mount, Variable, Volume};
use crate::coverage::{Coverage, Finding, Text};

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

#[test]
fn a_judged_pod_weighs_its_texts_and_what_they_stand_in() {
    let (container, variable) = (size_of::<AskedContainer>(), size_of::<Variable>());
    for (fields, weight) in [
        (json!({}), 0),
        (json!({"command": ["/bin/app", "run"]}), "/bin/app".len() + "run".len()),
        (json!({"args": ["--now"]}), "--now".len()),
        (json!({"env": [{"name": "NAME", "value": "value"}]}), variable + "NAME".len() + "value".len()),
        (json!({"env": [{"name": "NAME"}, {"name": "N"}]}), 2 * variable + "NAME".len() + "N".len()),
        (json!({"volumeMounts": [{"name": "data", "mountPath": "/data"}]}), size_of::<Mount>() + "/data".len()),
    ] {
        assert_eq!(pod(fields.clone()).bytes(), container + weight, "{fields}");
    }
    let volumes = json!({"spec": {"volumes": [{"name": "data"}, {"name": "token"}]}});
    assert_eq!(asked(&volumes, "kafka").bytes(), 2 * size_of::<Volume>() + "data".len() + "token".len());
}

#[test]
fn a_remembered_pod_weighs_itself_and_what_was_found() {
    let pod = pod(json!({"workingDir": "/pod", "tty": true}));
    let weight = |found: &Arc<[Finding]>| usize::try_from(Text.weight(&pod, found)).unwrap();
    let found = coverage().findings(&pod);
    assert_eq!(found.len(), 1);
    assert_eq!(weight(&found), pod.bytes() + size_of::<Finding>());
    assert_eq!(weight(&Arc::default()), pod.bytes());
    assert_eq!(Text.weight(&AskedPod::default(), &Arc::default()), 1, "what weighs nothing is never put out");
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
