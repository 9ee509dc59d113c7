use serde_json::{Value, json};

use super::differences;
use crate::coverage::tests::app;

/// A container of a policy with these arguments.
fn described(arguments: &[&str]) -> Value {
    app(json!({"Process": {"Args": arguments}}))
}

/// A container of a pod, with a variable `A` that its command and arguments may refer to.
fn asking(command: &[&str], args: &[&str]) -> Value {
    json!({"command": command, "args": args, "env": [{"name": "A", "value": "a"}]})
}

#[test]
fn a_command_is_the_whole_list_and_arguments_alone_are_its_end() {
    for (command, args, policy) in [
        (&[][..], &[][..], &["/app", "run"][..]),
        (&["/app"], &["run"], &["/app", "run"]),
        (&[], &["run"], &["sh", "-c", "run"]),
        (&[], &["a", "b"], &["/app", "a", "b"]),
        (&["/app"], &["$(A)"], &["/app", "a"]),
        (&["/app"], &["$$x"], &["/app", "$$x"]),
        (&["/app"], &["$(DATABASE_SERVICE_HOST)"], &["/app", "whatever"]),
        (&["/app"], &["whatever"], &["/app", "$(node-name)"]),
        (&["/app"], &["of app-0"], &["/app", "of $(sandbox-name)"]),
    ] {
        assert_eq!(differences(asking(command, args), &described(policy)), [""; 0], "{command:?}, {args:?}");
    }
}

#[test]
fn another_command_is_named_with_what_the_policy_has_in_its_place() {
    for (command, args, policy, expected) in [
        (&["/app"][..], &[][..], &["/app", "run"][..], r#"command: the pod has ["/app"], the policy has ["/app","run"]"#),
        (
            &["/app", "run"],
            &["now"],
            &["/app", "run"],
            r#"command: the pod has ["/app","run","now"], the policy has ["/app","run"]"#,
        ),
        (&["/other"], &["run"], &["/app", "run"], r#"command: the pod has ["/other","run"], the policy has ["/app","run"]"#),
        (&[], &["go"], &["/app", "run"], r#"args: the pod has ["go"], the policy has ["run"]"#),
        (&[], &["a", "b"], &["b"], r#"args: the pod has ["a","b"], the policy has ["b"]"#),
        (&["$(A)"], &[], &["$(A)"], r#"command: the pod has ["$(A)"], the policy has ["$(A)"]"#),
        (
            &["of other"],
            &[],
            &["of $(sandbox-name)"],
            r#"command: the pod has ["of other"], the policy has ["of $(sandbox-name)"]"#,
        ),
    ] {
        assert_eq!(differences(asking(command, args), &described(policy)), [expected], "{command:?}, {args:?}");
    }
}

#[test]
fn a_guest_that_resolves_references_itself_is_described_with_them() {
    let mut container = app(json!({"Process": {"Args": ["/app", "$(A)"]}}));
    container["env_map"] = json!({});
    assert_eq!(differences(asking(&["/app", "$(A)"], &[]), &container), [""; 0]);
    let both = app(json!({"Process": {"Args": ["/app", "$(A)"], "DeprecatedArgs": ["/app", "a"]}}));
    assert_eq!(differences(asking(&["/app", "$(A)"], &[]), &both), [""; 0]);
}
