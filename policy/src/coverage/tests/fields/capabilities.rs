use serde_json::{Value, json};

use super::differences;
use crate::coverage::tests::app;

/// Where a container with this security context differs from a policy that describes these bounding capabilities.
fn found(security: &Value, bounding: &Value) -> Vec<String> {
    let capabilities = if bounding.is_null() { json!({}) } else { json!({"Bounding": bounding}) };
    differences(json!({"securityContext": security}), &app(json!({"Process": {"Capabilities": capabilities}})))
}

#[test]
fn the_capabilities_are_the_default_ones_with_what_the_pod_adds_and_drops() {
    let with = |add: &[&str], drop: &[&str]| json!({"capabilities": {"add": add, "drop": drop}});
    for (security, bounding) in [
        (json!(null), json!(["$(default_caps)"])),
        (json!(null), json!(["CAP_KILL", "CAP_CHOWN"])),
        (json!({"privileged": false}), json!(["$(default_caps)"])),
        (json!({"privileged": true}), json!(["$(privileged_caps)"])),
        (with(&["NET_ADMIN"], &[]), json!(["CAP_CHOWN", "CAP_KILL", "CAP_NET_ADMIN"])),
        (with(&["CAP_net_admin"], &[]), json!(["CAP_CHOWN", "CAP_KILL", "CAP_NET_ADMIN"])),
        (with(&["cap_net_admin"], &[]), json!(["CAP_CHOWN", "CAP_KILL", "CAP_NET_ADMIN"])),
        (with(&[], &["KILL"]), json!(["CAP_CHOWN"])),
        (with(&["KILL"], &["ALL"]), json!(["CAP_KILL"])),
        (with(&["all"], &[]), json!(["$(privileged_caps)"])),
        (with(&["ALL"], &["KILL"]), json!(["CAP_CHOWN", "CAP_SYS_ADMIN"])),
        (with(&["ALL"], &["ALL"]), json!([])),
        (with(&["NET_ADMIN"], &[]), json!(null)),
    ] {
        assert_eq!(found(&security, &bounding), [""; 0], "{security}, {bounding}");
    }
}

#[test]
fn other_capabilities_are_named_as_the_pod_has_them() {
    for (security, bounding, expected) in [
        (json!(null), json!(["CAP_CHOWN"]), r#"the default ones, add [], drop [], the policy has ["CAP_CHOWN"]"#),
        (
            json!({"capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}}),
            json!(["$(default_caps)"]),
            r#"the default ones, add ["NET_ADMIN"], drop ["ALL"], the policy has ["$(default_caps)"]"#,
        ),
        (
            json!({"privileged": true}),
            json!(["$(default_caps)"]),
            r#"those of a privileged container, the policy has ["$(default_caps)"]"#,
        ),
    ] {
        assert_eq!(found(&security, &bounding), [format!("capabilities: the pod has {expected}")]);
    }
}
