//! Name, namespace and user of the pod as a whole.

use serde_json::json;

use super::{AskedPod, app, asked, policy, said, written};
use crate::coverage::patterns::Patterns;
use crate::coverage::{Cause, Described, sandbox};
use crate::data::{CONTAINER_TYPE, SANDBOX_NAME, SANDBOX_NAMESPACE};

/// What is found where a policy names its pod by `pattern` and `namespace`, and the pod is this: the name and namespace with which
/// everything else is judged, then for each difference its field, both values and the cause.
fn found(pattern: &str, namespace: &str, pod: &AskedPod) -> (String, String, Vec<(String, Cause)>) {
    let container = app(json!({"Annotations": {SANDBOX_NAME: pattern, SANDBOX_NAMESPACE: namespace}}));
    let data = json!({"containers": [container]});
    let by = Described::all(&data).next().unwrap();
    let (name, namespace, differences) = sandbox::of(pod, by, &Patterns::of(&data));
    let found = differences.into_iter().map(|found| (format!("{}: {}, {}", found.field, found.pod, found.policy), found.cause));
    (name, namespace, found.collect())
}

#[test]
fn the_namespace_is_the_policys_where_it_names_one() {
    for (policy, pod, judged_with, difference) in [
        ("kafka", "kafka", "kafka", None),
        ("", "kafka", "kafka", None),
        ("default", "default", "default", None),
        ("kafka", "other", "kafka", Some((r#"metadata.namespace: "other", "kafka""#, Cause::OtherNamespace))),
        ("kafka", "default", "kafka", Some((r#"metadata.namespace: "default", "kafka""#, Cause::OtherNamespace))),
        ("default", "kafka", "default", Some((r#"metadata.namespace: "kafka", "default""#, Cause::NoNamespace))),
    ] {
        let pod = AskedPod { name: "app-0".to_owned(), namespace: pod.to_owned(), ..AskedPod::default() };
        let difference: Vec<_> = difference.into_iter().map(|(said, cause)| (said.to_owned(), cause)).collect();
        assert_eq!(
            found("^app-0$", policy, &pod),
            ("app-0".to_owned(), judged_with.to_owned(), difference),
            "{policy:?}, {pod:?}"
        );
    }
}

#[test]
fn the_name_matches_the_policys_pattern_as_it_is_or_as_controllers_complete_it() {
    for (pattern, name, prefix, judged_with, difference) in [
        ("^app-0$", "app-0", "", "app-0", None),
        ("^app-0$", "other", "", "app-0", Some(r#"metadata.name: "other", the pattern ^app-0$"#)),
        ("^app-[bcdf5-9]+-[a-z]{5}$", "", "app-", "app-5d5f8c9b7-bcdfg", None),
        ("^app-[a-z]{5}$", "", "app-", "app-bcdfg", None),
        ("^app-[0-9]+$", "", "app-", "app-0", None),
        ("^app-[0-9]+-[a-z]{5}$", "", "app-", "app-29000000-bcdfg", None),
        ("^app-0$", "", "other-", "app-0", Some(r#"metadata.name: generated from "other-", the pattern ^app-0$"#)),
    ] {
        let pod = AskedPod { name: name.to_owned(), generate_name: prefix.to_owned(), ..AskedPod::default() };
        let difference: Vec<_> = difference.map(|said| (said.to_owned(), Cause::OtherName)).into_iter().collect();
        assert_eq!(
            found(pattern, "", &pod),
            (judged_with.to_owned(), String::new(), difference),
            "{pattern}, {name:?}, {prefix:?}"
        );
    }
}

#[test]
fn the_user_of_the_pod_is_compared_with_the_sandboxs_own_container() {
    let user = |uid: u32| json!({"Process": {"User": {"UID": uid}}});
    let mut pause = user(65535);
    pause["Annotations"] = json!({CONTAINER_TYPE: "sandbox"});
    let data = json!({"containers": [{"OCI": pause}, app(user(1000))]});
    // The rule takes each container with the user that the policy describes for it.
    let conditions = format!(
        "input.OCI.Process.User.UID == {{\"sandbox\": 65535, \"container\": 1000}}[input.OCI.Annotations[\"{CONTAINER_TYPE}\"]]"
    );
    let coverage = written(&data, &policy(&data, &conditions));
    for (of_pod, expected) in [
        (json!(null), &[][..]),
        (json!(65535), &[]),
        (json!(1000), &["Refused securityContext.runAsUser of the pod's sandbox: the pod has 1000, the policy has 65535"]),
    ] {
        let container = json!({"name": "app", "securityContext": {"runAsUser": 1000}});
        let pod = json!({"spec": {"securityContext": {"runAsUser": of_pod}, "containers": [container]}});
        assert_eq!(said(&coverage.findings(&asked(&pod, "kafka"))), expected, "{of_pod}");
    }
}
