use serde_json::{Value, json};

use super::differences;
use crate::coverage::tests::app;

const NODE: &str = "spec.nodeName";

/// Where a container with one variable differs from a policy with these, and a pattern for `HOSTNAME`.
fn found(variable: &Value) -> Vec<String> {
    let known = ["PLAIN=x", "NAME=$(sandbox-name)", "SPACE=in $(sandbox-namespace)", "HOST=at $(host-name)"];
    differences(json!({"env": [variable]}), &app(json!({"Process": {"Env": known}})))
}

fn known(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

fn made_by_the_node(name: &str) -> Value {
    json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": NODE}}})
}

fn from_a_secret(name: &str) -> Value {
    json!({"name": name, "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}})
}

#[test]
fn a_variable_fits_by_its_value_by_a_placeholder_or_by_a_pattern() {
    for variable in [
        known("PLAIN", "x"),
        known("NAME", "app-0"),
        known("SPACE", "in kafka"),
        known("HOST", "whatever"),
        known("HOSTNAME", "app"),
        made_by_the_node("HOST"),
        made_by_the_node("HOSTNAME"),
        from_a_secret("PLAIN"),
        from_a_secret("HOSTNAME"),
    ] {
        assert_eq!(found(&variable), [""; 0], "{variable}");
    }
}

#[test]
fn another_variable_is_named_with_what_the_policy_has_in_its_place() {
    for (variable, expected) in [
        (known("PLAIN", "y"), r#"env PLAIN: the pod has "y", the policy has "x""#),
        (known("PLAIN", "app-0"), r#"env PLAIN: the pod has "app-0", the policy has "x""#),
        (known("NAME", "other"), r#"env NAME: the pod has "other", the policy has "$(sandbox-name)""#),
        (known("SPACE", "in other"), r#"env SPACE: the pod has "in other", the policy has "in $(sandbox-namespace)""#),
        (known("HOSTNAME", "APP"), r#"env HOSTNAME: the pod has "APP", the policy has no such variable"#),
        (known("OTHER", "x"), r#"env OTHER: the pod has "x", the policy has no such variable"#),
        (made_by_the_node("PLAIN"), r#"env PLAIN: the pod has a value that the node or the cluster makes, the policy has "x""#),
        (
            made_by_the_node("OTHER"),
            "env OTHER: the pod has a value that the node or the cluster makes, the policy has no such variable",
        ),
        (from_a_secret("OTHER"), "env OTHER: the pod has a value from elsewhere, the policy has no such variable"),
    ] {
        assert_eq!(found(&variable), [expected]);
    }
}

#[test]
fn a_policy_that_lists_no_variables_does_not_judge_them() {
    assert_eq!(differences(json!({"env": [known("OTHER", "x")]}), &app(json!({}))), [""; 0]);
}
