use serde_json::{Value, json};

use super::{differences, differences_of_pod};
use crate::coverage::tests::app;
use crate::data::IMAGE_NAME;

#[test]
fn what_the_pod_leaves_to_the_image_is_not_compared_and_what_it_says_is() {
    let policy = app(json!({"Process": {"Cwd": "/policy", "User": {"UID": 1, "GID": 2, "AdditionalGids": [3, 4]}}}));
    let security = |security: Value| json!({"securityContext": security});
    let none = json!({});
    for (spec, container, expected) in [
        (none.clone(), none.clone(), None),
        (none.clone(), json!({"workingDir": ""}), None),
        (none.clone(), json!({"workingDir": "/policy"}), None),
        (none.clone(), json!({"workingDir": "/pod"}), Some(r#"workingDir: the pod has "/pod", the policy has "/policy""#)),
        (security(json!({"runAsUser": 1})), none.clone(), None),
        (security(json!({"runAsUser": 7})), none.clone(), Some("runAsUser: the pod has 7, the policy has 1")),
        (security(json!({"runAsUser": 7})), security(json!({"runAsUser": 1})), None),
        (
            security(json!({"runAsUser": 1})),
            security(json!({"runAsUser": 7})),
            Some("runAsUser: the pod has 7, the policy has 1"),
        ),
        (security(json!({"runAsGroup": 2})), none.clone(), None),
        (security(json!({"runAsGroup": 7})), none.clone(), Some("runAsGroup: the pod has 7, the policy has 2")),
        (security(json!({"runAsGroup": 7})), security(json!({"runAsGroup": 2})), None),
        (
            security(json!({"runAsGroup": 2})),
            security(json!({"runAsGroup": 7})),
            Some("runAsGroup: the pod has 7, the policy has 2"),
        ),
        (security(json!({"supplementalGroups": [4], "fsGroup": 3})), none.clone(), None),
        (
            security(json!({"supplementalGroups": [5], "fsGroup": 3})),
            none.clone(),
            Some("supplementalGroups and fsGroup: the pod has [5,3], the policy has [3,4]"),
        ),
        (
            security(json!({"fsGroup": 7})),
            none.clone(),
            Some("supplementalGroups and fsGroup: the pod has [7], the policy has [3,4]"),
        ),
    ] {
        let found = differences_of_pod(spec.clone(), container.clone(), &policy);
        assert_eq!(found, Vec::from_iter(expected), "{spec}, {container}");
    }
    let found = differences(security(json!({"runAsUser": 7})), &app(json!({})));
    assert_eq!(found, ["runAsUser: the pod has 7, the policy has nothing"]);
}

#[test]
fn what_is_on_or_off_is_so_on_both_sides_and_nothing_said_is_the_default() {
    let read_only = |value: Value| json!({"securityContext": {"readOnlyRootFilesystem": value}});
    let escalation = |value: Value| json!({"securityContext": {"allowPrivilegeEscalation": value}});
    let terminal = |value: Value| json!({"tty": value});
    let root = |value: bool| json!({"Root": {"Readonly": value}});
    let no_new = |value: bool| json!({"Process": {"NoNewPrivileges": value}});
    let with_terminal = |value: bool| json!({"Process": {"Terminal": value}});
    for (container, policy, expected) in [
        (read_only(json!(null)), root(false), None),
        (read_only(json!(false)), root(false), None),
        (read_only(json!(true)), root(true), None),
        (read_only(json!(null)), root(true), Some("readOnlyRootFilesystem: the pod has false, the policy has true")),
        (read_only(json!(true)), root(false), Some("readOnlyRootFilesystem: the pod has true, the policy has false")),
        (escalation(json!(null)), no_new(false), None),
        (escalation(json!(true)), no_new(false), None),
        (escalation(json!(false)), no_new(true), None),
        (escalation(json!(null)), no_new(true), Some("allowPrivilegeEscalation: the pod has true, the policy has false")),
        (escalation(json!(false)), no_new(false), Some("allowPrivilegeEscalation: the pod has false, the policy has true")),
        (terminal(json!(null)), with_terminal(false), None),
        (terminal(json!(true)), with_terminal(true), None),
        (terminal(json!(null)), with_terminal(true), Some("tty: the pod has false, the policy has true")),
        (terminal(json!(true)), with_terminal(false), Some("tty: the pod has true, the policy has false")),
        (json!({"tty": true, "securityContext": {"readOnlyRootFilesystem": true}}), json!({}), None),
    ] {
        let found = differences(container.clone(), &app(policy.clone()));
        assert_eq!(found, Vec::from_iter(expected), "{container}, {policy}");
    }
}

#[test]
fn containers_see_each_others_processes_on_both_sides_or_on_none() {
    for (pod, policy, expected) in [
        (json!(null), json!(false), None),
        (json!(true), json!(true), None),
        (json!(null), json!(true), Some("shareProcessNamespace: the pod has false, the policy has true")),
        (json!(true), json!(false), Some("shareProcessNamespace: the pod has true, the policy has false")),
        (json!(true), json!(null), None),
    ] {
        let mut container = app(json!({}));
        container["sandbox_pidns"] = policy.clone();
        let found = differences_of_pod(json!({"shareProcessNamespace": pod}), json!({}), &container);
        assert_eq!(found, Vec::from_iter(expected), "{pod}, {policy}");
    }
}

#[test]
fn the_image_is_the_one_that_the_policy_names_as_far_as_it_names_one() {
    let policy = app(json!({"Annotations": {IMAGE_NAME: "registry.example/app:1"}}));
    for (image, policy, expected) in [
        ("registry.example/app:1", &policy, None),
        (
            "registry.example/app:2",
            &policy,
            Some(r#"image: the pod has "registry.example/app:2", the policy has "registry.example/app:1""#),
        ),
        ("other", &policy, Some(r#"image: the pod has "other", the policy has "registry.example/app:1""#)),
        ("other", &app(json!({})), None),
    ] {
        assert_eq!(differences(json!({"image": image}), policy), Vec::from_iter(expected), "{image}");
    }
}
