//! The service account may do what the code does, and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::fleet::fleet;
use crate::site::ACCOUNT;

/// Something that the code asks of the API server.
struct Use {
    group: &'static str,
    resource: &'static str,
    /// Where it is one object of a known name.
    name: &'static str,
    verbs: &'static [&'static str],
}

const fn uses(group: &'static str, resource: &'static str, name: &'static str, verbs: &'static [&'static str]) -> Use {
    Use { group, resource, name, verbs }
}

/// Everything that the code asks of the API server. Who makes it ask for more adds that here and in
/// `src/manifests/templates/rbac.yaml`.
const USED: [Use; 10] = [
    // cluster::namespaces, cluster::runtime_classes
    uses("", "namespaces", "", &["list", "watch"]),
    uses("node.k8s.io", "runtimeclasses", "", &["list", "watch"]),
    // cluster::nodes
    uses("", "nodes", "", &["list", "watch"]),
    // cluster::webhooks
    uses(WEBHOOKS, "mutatingwebhookconfigurations", "countersign", &["get", "list", "patch", "watch"]),
    uses(WEBHOOKS, "validatingwebhookconfigurations", "countersign", &["get", "list", "patch", "watch"]),
    // From here on in its own namespace alone. cluster::allow_list
    uses("", "configmaps", "", &["list", "watch"]),
    // cluster::ca_secret
    uses("", "secrets", "countersign-ca", &["get", "list", "update", "watch"]),
    // cluster::lease
    uses("coordination.k8s.io", "leases", "countersign", &["get", "update"]),
    // cluster::replicas
    uses("discovery.k8s.io", "endpointslices", "", &["list"]),
    // cluster::events
    uses("events.k8s.io", "events", "", &["create"]),
];
const WEBHOOKS: &str = "admissionregistration.k8s.io";
const EVERYWHERE: usize = 5;

/// Group, resource, name, verb.
type Right = (String, String, String, String);

fn used(rows: &[Use]) -> BTreeSet<Right> {
    let each = rows.iter().flat_map(|row| row.verbs.iter().map(move |verb| (row, *verb)));
    let texts =
        |(row, verb): (&Use, &str)| (row.group.to_owned(), row.resource.to_owned(), row.name.to_owned(), verb.to_owned());
    each.map(texts).collect()
}

/// What the API server says that a user may do in a namespace. Source: `SelfSubjectRulesReview`, which `kubectl auth can-i --list`
/// asks too.
fn rights(user: &str, namespace: &str) -> BTreeSet<Right> {
    let fleet = fleet();
    let review =
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}});
    // Raw, because kubectl would look for schemas first, which not everybody may.
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let arguments = ["--context", user, "create", "--raw", path, "-f", "-"];
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
    assert_eq!(beyond("kube-system"), used(&USED[..EVERYWHERE]), "elsewhere");
}
