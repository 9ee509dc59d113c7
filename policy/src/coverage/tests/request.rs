//! The request that a policy is asked about.

use serde_json::{Value, json};

use crate::coverage::Described;
use crate::coverage::request::{self, BUNDLE, Change, Request, Sandbox};
use crate::data::{CONTAINER_NAME, CONTAINER_TYPE, SANDBOX_NAME, SANDBOX_NAMESPACE};

/// A policy that describes `container`.
fn policy(container: &Value) -> Value {
    json!({"containers": [container], "common": {"cpath": "/run/kata", "default_caps": ["CAP_CHOWN", "CAP_KILL"]}})
}

fn first(data: &Value) -> Described<'_> {
    Described::all(data).next().unwrap()
}

/// The forms of the request for `container` in pod `app-0` of namespace `kafka`, with these changes.
fn forms(container: &Value, changes: &[Change]) -> Vec<Value> {
    let data = policy(container);
    let usual = Request::described(first(&data), Sandbox { name: "app-0", namespace: "kafka" });
    changes.iter().fold(usual, Request::with).forms()
}

#[test]
fn a_request_is_what_the_policy_describes_with_a_sample_for_each_pattern() {
    let annotations = json!({
        CONTAINER_NAME: "app",
        SANDBOX_NAME: "^app-[0-9]+$",
        "pattern": "^[a-c]+$",
        "no-pattern": "^(",
        "of-pod": "$(sandbox-namespace)/$(sandbox-name)",
        "of-bundle": "^$(bundle-id)$",
    });
    let process = json!({
        "Args": ["/app", "$$x", "$(sandbox-name) on $(node-name)"],
        "Capabilities": {"Bounding": ["$(default_caps)"], "Effective": ["CAP_KILL"], "Permitted": ["$(default_caps)", "CAP_KILL"]},
    });
    let container = json!({
        "OCI": {
            "Annotations": annotations, "Process": process,
            "Root": {"Path": "^$(cpath)/$(bundle-id)/rootfs$", "Readonly": true}, "Linux": {"MaskedPaths": ["/proc/keys"]},
        },
        "sandbox_pidns": true,
    });
    let forms = forms(&container, &[]);
    assert_eq!(forms.len(), 1);
    for (pointer, expected) in [
        ("/sandbox_pidns", json!(true)),
        ("/OCI/Process/Args", json!(["/app", "$x", "app-0 on node"])),
        ("/OCI/Process/Capabilities/Bounding", json!(["CAP_CHOWN", "CAP_KILL"])),
        ("/OCI/Process/Capabilities/Effective", json!(["CAP_KILL"])),
        ("/OCI/Process/Capabilities/Permitted", json!(["$(default_caps)", "CAP_KILL"])),
        ("/OCI/Process/Env", json!([])),
        ("/OCI/Mounts", json!([])),
        ("/OCI/Root", json!({"Path": format!("/run/kata/{BUNDLE}/rootfs"), "Readonly": true})),
        ("/OCI/Linux/MaskedPaths", json!(["/proc/keys"])),
        ("/OCI/Linux/ReadonlyPaths", json!([])),
        ("/OCI/Annotations/pattern", json!("a")),
        ("/OCI/Annotations/of-pod", json!("kafka/app-0")),
        ("/OCI/Annotations/of-bundle", json!(BUNDLE)),
    ] {
        assert_eq!(forms[0].pointer(pointer), Some(&expected), "{pointer}");
    }
    assert_eq!(forms[0].pointer("/OCI/Annotations/no-pattern"), None);
}

#[test]
fn a_request_names_its_pod_and_the_kind_of_its_container() {
    for (kind, expected) in [("sandbox", "sandbox"), ("container", "container"), ("", "container")] {
        let container = json!({"OCI": {"Annotations": {CONTAINER_TYPE: kind, SANDBOX_NAMESPACE: ""}}});
        let annotations = &forms(&container, &[])[0]["OCI"]["Annotations"];
        for (key, expected) in [
            (SANDBOX_NAME, "app-0"),
            (SANDBOX_NAMESPACE, "kafka"),
            (CONTAINER_TYPE, expected),
            ("io.katacontainers.pkg.oci.container_type", &format!("pod_{expected}")),
        ] {
            assert_eq!(annotations[key], expected, "{key} of a container of kind {kind:?}");
        }
    }
}

#[test]
fn where_the_guest_resolves_references_its_form_has_them_and_the_variables_beside_it() {
    let arguments = json!({"Args": ["/app", "$(A)"], "DeprecatedArgs": ["/app", "taken"], "Cwd": "/"});
    let container = json!({"OCI": {"Annotations": {}, "Process": arguments}, "env_map": {}});
    let variable = Change::Variable("A".to_owned(), "a".to_owned());
    let directory = Change::Part("/OCI/Process/Cwd", json!(["/pod"]));
    let arguments = Change::Part("/OCI/Process/Args", json!(["/other"]));
    for (changes, plain, resolved, variables) in [
        (vec![], json!(["/app", "taken"]), json!(["/app", "$(A)"]), json!({})),
        (vec![directory], json!(["/app", "taken"]), json!(["/app", "$(A)"]), json!({})),
        (vec![variable], json!(["/app", "taken"]), json!(["/app", "a"]), json!({"A": "a"})),
        (vec![arguments], json!(["/other"]), json!(["/other"]), json!({})),
    ] {
        let forms = forms(&container, &changes);
        let [first, second] = &*forms else { panic!("two forms") };
        assert_eq!(first["OCI"]["Process"]["Args"], plain, "{changes:?}");
        assert_eq!(second["base"]["OCI"]["Process"]["Args"], resolved, "{changes:?}");
        assert_eq!(second["base"]["OCI"]["Process"]["Cwd"], first["OCI"]["Process"]["Cwd"], "{changes:?}");
        assert_eq!(second["env_map"], variables, "{changes:?}");
    }
}

#[test]
fn a_mount_of_the_policy_is_asked_for_with_a_sample_of_its_source() {
    let data = policy(&json!({}));
    let mount = |source: Value| json!({"destination": "/data", "source": source, "options": ["rw"]});
    for (source, expected) in [
        (json!("^$(cpath)/$(bundle-id)-[a-z]{2}-data$"), Some(format!("/run/kata/{BUNDLE}-aa-data"))),
        (json!("/run/plain"), Some("/run/plain".to_owned())),
        (json!(""), None),
        (json!(null), None),
        (json!("^("), None),
    ] {
        assert_eq!(
            request::mount(first(&data), &mount(source.clone())),
            expected.map(|source| mount(json!(source))),
            "{source}"
        );
    }
    let shared = |name: &str, destination: &str| {
        json!({
            "destination": destination, "type_": "bind", "options": ["rbind", "rprivate", "ro"],
            "source": format!("/run/kata-containers/shared/containers/{BUNDLE}-0123456789abcdef-{name}"),
        })
    };
    for (destination, name) in [("/etc/app/data", "data"), ("/etc/app/", "app"), ("/", "")] {
        assert_eq!(request::shared_mount(destination, "ro"), shared(name, destination));
    }
}
