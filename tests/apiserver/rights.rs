//! The service account may do what the code does, and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::fleet::fleet;
use crate::site::ACCOUNT;

/// Everything that the code asks of the API server: group, resource, name, verbs, and where. Who makes the code ask for more adds
/// it here and in `src/manifests/templates/rbac.yaml`.
const USED: [(&str, &str, Option<&str>, &[&str], &str); 9] = [
    ("", "namespaces", None, &["list", "watch"], "cluster::namespaces"),
    ("node.k8s.io", "runtimeclasses", None, &["list", "watch"], "cluster::runtime_classes"),
    (WEBHOOKS, "mutatingwebhookconfigurations", COUNTERSIGN, &["get", "list", "patch", "watch"], "cluster::webhooks"),
    (WEBHOOKS, "validatingwebhookconfigurations", COUNTERSIGN, &["get", "list", "patch", "watch"], "cluster::webhooks"),
    ("", "configmaps", None, &["list", "watch"], "cluster::allow_list"),
    ("", "secrets", Some("countersign-ca"), &["get", "list", "update", "watch"], "cluster::ca_secret"),
    ("coordination.k8s.io", "leases", COUNTERSIGN, &["get", "update"], "cluster::lease"),
    ("discovery.k8s.io", "endpointslices", None, &["list"], "cluster::replicas"),
    ("events.k8s.io", "events", None, &["create"], "cluster::events"),
];
const WEBHOOKS: &str = "admissionregistration.k8s.io";
const COUNTERSIGN: Option<&str> = Some("countersign");

type Right = (String, String, String, String);

fn used(rows: &[(&str, &str, Option<&str>, &[&str], &str)]) -> BTreeSet<Right> {
    let each = rows.iter().flat_map(|(group, resource, name, verbs, _)| {
        verbs
            .iter()
            .map(|verb| ((*group).to_owned(), (*resource).to_owned(), name.unwrap_or_default().to_owned(), (*verb).to_owned()))
    });
    each.collect()
}

/// What the API server says that a user may do in a namespace. Source: `SelfSubjectRulesReview`, which `kubectl auth can-i --list`
/// asks too.
fn rights(user: &str, namespace: &str) -> BTreeSet<Right> {
    let fleet = fleet();
    let review =
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}});
    let arguments = ["--context", user, "create", "-o", "json", "-f", "-"];
    let output = fleet.server.kubectl_with_input(&arguments, &review.to_string()).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let review: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(review["status"]["incomplete"], false);
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in review["status"]["resourceRules"].as_array().unwrap() {
        let names = Some(texts(&rule["resourceNames"])).filter(|names| !names.is_empty()).unwrap_or(vec![String::new()]);
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for name in &names {
                    for verb in texts(&rule["verbs"]) {
                        rights.insert((group.clone(), resource.clone(), name.clone(), verb));
                    }
                }
            }
        }
    }
    rights
}

#[test]
fn the_service_account_may_do_what_the_code_does_and_nothing_else() {
    let everybodys = rights("anybody", "countersign-system");
    assert!(!everybodys.is_empty(), "every authenticated user may ask for its own rights");
    let beyond = |namespace: &str| -> BTreeSet<Right> { &rights(ACCOUNT, namespace) - &everybodys };
    assert_eq!(beyond("countersign-system"), used(&USED), "in its own namespace");
    assert_eq!(beyond("kube-system"), used(&USED[..4]), "elsewhere");
}
