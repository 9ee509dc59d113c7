//! Whom the API server asks about what: the webhook configurations and the policies beside them.

use super::*;

fn entries<'a>(documents: &'a [Value], kind: &str) -> &'a [Value] {
    find(documents, kind)["webhooks"].as_array().unwrap()
}

fn condition<'a>(entry: &'a Value, name: &str) -> Option<&'a str> {
    let conditions = entry["matchConditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    conditions.iter().find(|condition| condition["name"] == name)?["expression"].as_str()
}

#[test]
fn the_webhooks_ask_for_these_operations_on_these_paths_and_fail_closed() {
    let pods = |operations: Value| json!({"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": operations, "scope": "Namespaced"});
    let mut ephemeral = pods(json!(["UPDATE"]));
    ephemeral["resources"] = json!(["pods/ephemeralcontainers"]);
    let expected = [
        ("MutatingWebhookConfiguration", ["/mutate/required", "/mutate"], json!([pods(json!(["CREATE"]))])),
        (
            "ValidatingWebhookConfiguration",
            ["/validate/required", "/validate"],
            json!([pods(json!(["CREATE", "UPDATE"])), ephemeral]),
        ),
    ];
    let documents = built_in();
    for (kind, paths, rules) in expected {
        let entries = entries(&documents, kind);
        for (entry, path) in entries.iter().zip(paths) {
            assert_eq!(entry["clientConfig"]["service"]["path"], path);
            assert_eq!(entry["clientConfig"]["caBundle"], Value::Null, "the administrator's certificate must survive");
            assert_eq!(entry["rules"], rules, "{path}");
            assert_eq!(entry["failurePolicy"], "Fail", "{path}");
            assert_eq!(entry["matchPolicy"], "Equivalent", "{path}");
            assert_eq!(entry["timeoutSeconds"], 5, "{path}");
            assert_eq!(entry["sideEffects"], "NoneOnDryRun", "{path}");
            assert_eq!(entry["admissionReviewVersions"], json!(["v1"]), "{path}");
            let reinvoked = if kind.starts_with("Mutating") { json!("IfNeeded") } else { Value::Null };
            assert_eq!(entry["reinvocationPolicy"], reinvoked, "{path}");
        }
    }
}

#[test]
fn templates_are_only_warned_of() {
    let documents = built_in();
    let warning: Vec<_> = entries(&documents, "ValidatingWebhookConfiguration").iter().skip(2).take(2).collect();
    assert_eq!(warning.len(), 2);
    for entry in warning {
        assert_eq!(entry["clientConfig"]["service"]["path"], "/templates");
        assert_eq!((&entry["failurePolicy"], &entry["sideEffects"]), (&json!("Ignore"), &json!("None")));
        assert!(condition(entry, "not-controlled").is_some() && condition(entry, "template-changed").is_some());
    }
}

#[test]
fn edits_of_the_allow_list_are_checked_in_the_chosen_namespace_and_fail_open() {
    let documents = configured();
    let entry = entries(&documents, "ValidatingWebhookConfiguration").last().unwrap();
    assert_eq!(entry["clientConfig"]["service"]["path"], "/allow-list");
    assert_eq!(
        entry["rules"],
        json!([{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE", "UPDATE"], "scope": "Namespaced"}])
    );
    let home = json!([{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["guard"]}]);
    assert_eq!(entry["namespaceSelector"]["matchExpressions"], home);
    assert_eq!(entry["objectSelector"]["matchLabels"], json!({"countersign.dev/allow-list": "true"}));
    assert_eq!((&entry["failurePolicy"], &entry["sideEffects"]), (&json!("Ignore"), &json!("None")));
}

/// Server-side apply cannot take an entry away of which somebody owns the `caBundle` (tests/apiserver/certificates.rs): every
/// release has the entries of those before it. One that is not wanted any more stays, with a condition that is never true.
#[test]
fn no_entry_that_was_ever_released_is_missing() {
    let documents = built_in();
    for (kind, verb) in [("MutatingWebhookConfiguration", "complete"), ("ValidatingWebhookConfiguration", "judge")] {
        for pods in ["pods-in-required-namespaces", "confidential-pods"] {
            let name = format!("{verb}.{pods}.countersign.dev");
            assert!(entries(&documents, kind).iter().any(|entry| entry["name"] == *name), "{name}");
        }
    }
    for rest in ["warn.templates-in-required-namespaces", "warn.confidential-templates", "check.allow-list"] {
        let name = format!("{rest}.countersign.dev");
        assert!(entries(&documents, "ValidatingWebhookConfiguration").iter().any(|entry| entry["name"] == *name), "{name}");
    }
}

#[test]
fn the_sample_patches_of_the_certificate_reach_every_entry() {
    let names = |documents: &[Value], kind: &str| {
        entries(documents, kind).iter().map(|entry| entry["name"].clone()).collect::<Vec<_>>()
    };
    let rendered = built_in();
    let patches: Vec<Value> =
        serde_saphyr::from_multiple(include_str!("../../../manifests/overlays/own-certificate/ca-bundle.yaml")).unwrap();
    for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
        assert_eq!(names(&patches, kind), names(&rendered, kind));
        assert_eq!(find(&patches, kind)["metadata"]["name"], find(&rendered, kind)["metadata"]["name"]);
    }
}

#[test]
fn confidential_pods_are_guarded_in_every_namespace() {
    let documents = configured();
    for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
        let entries = entries(&documents, kind);
        assert_eq!(
            entries[0]["namespaceSelector"]["matchExpressions"],
            json!([
                {"key": "countersign.dev/confidential", "operator": "In", "values": ["required"]},
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "guard"]},
            ])
        );
        assert_eq!(entries[1]["namespaceSelector"], Value::Null, "what the first leaves out is not left out here");
        assert_eq!(condition(&entries[0], "confidential"), None, "every pod of a required namespace is asked about");
    }
    let policies = ["pods-in-required-namespaces.countersign.dev", "confidential-pods.countersign.dev"];
    let [required, pods] = policies.map(|name| &named(&documents, name)["spec"]);
    let selectors = |constraints: &Value| constraints["matchConstraints"]["namespaceSelector"].clone();
    assert_eq!(selectors(required), entries(&documents, "ValidatingWebhookConfiguration")[0]["namespaceSelector"]);
    assert_eq!(selectors(pods), Value::Null);
    let confidential = condition(pods, "confidential").unwrap();
    assert_eq!(
        condition(required, "not-confidential-by-itself"),
        Some(&*format!("!({confidential})")),
        "each pod is judged once"
    );
}

#[test]
fn the_conditions_name_the_classes_and_namespaces_of_the_configuration() {
    let known = "'kata-cc-isolation', 'kata-cc', 'kata-qemu-snp', 'kata-qemu-tdx', 'kata-qemu-coco-dev'";
    let expected = [
        (built_in(), "request.namespace in [] ||", format!("in [{known}] ||")),
        (configured(), "request.namespace in ['payments', '123'] ||", format!("in [{known}, 'kata-other'] ||")),
    ];
    for (documents, namespaces, classes) in &expected {
        let mutating = condition(&entries(documents, "MutatingWebhookConfiguration")[1], "confidential").unwrap();
        let validating = condition(&entries(documents, "ValidatingWebhookConfiguration")[1], "confidential").unwrap();
        assert_eq!(mutating, validating, "both must guard the same pods");
        assert!(mutating.contains(namespaces) && mutating.contains(classes.as_str()), "{mutating}");
    }
}

#[test]
fn the_backstop_wants_what_the_enabled_profiles_measure() {
    let configuration = "{apiVersion: countersign.dev/v1alpha1, kind: Configuration, enabledProfiles: [coco-tdx, aks]}";
    let files = render(&Configuration::parse(configuration).unwrap(), None, NAMESPACE, IMAGE).unwrap();
    let policies = |documents: Vec<Value>| {
        let policy = |document: &Value| document["kind"] == "ValidatingAdmissionPolicy";
        documents.into_iter().filter(policy).map(|policy| policy["spec"].to_string()).collect::<String>()
    };
    let tdx = "kata-qemu-tdx io.katacontainers.config.hypervisor.cc_init_data";
    let aks = "kata-cc-isolation io.katacontainers.config.agent.policy";
    let enabled = policies(documents(&files));
    assert!(enabled.contains(&format!("['{tdx}', '{aks}', 'kata-cc io.")), "{enabled}");
    assert!(!policies(built_in()).contains(tdx), "coco-tdx is known there, and not enabled");
}

#[test]
fn changes_that_do_not_matter_are_not_asked_about() {
    for entry in entries(&built_in(), "ValidatingWebhookConfiguration").iter().take(2) {
        assert!(condition(entry, "not-terminating").is_some_and(|text| text.contains("deletionTimestamp")), "{entry}");
        assert!(condition(entry, "something-changed").is_some_and(|text| text.contains("object.spec != oldObject.spec")));
    }
}
