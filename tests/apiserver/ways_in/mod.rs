//! The ways past Countersign that somebody with rights in a namespace tries: each attempt is a row of a table, made with kubectl as a
//! user with RBAC against a real API server, and held to the reason of its answer. docs/threat-model.md says which test closes which way.

mod after_admission;
mod annotations;
mod entries;
mod later_webhooks;
mod mirror_pods;
mod namespaces;
mod opt_in;
mod other_webhook;
mod profiles;
mod readings;

use std::sync::OnceLock;

use countersign_harness::Options;
use serde_json::{Value, json};

use crate::allow_list::{list, unlist};
use crate::pods::{Answer, run};
use crate::site::{Site, apply, block_on, runtime_class, until};

/// The annotation that profile `aks` measures.
const KEY: &str = "io.katacontainers.config.agent.policy";
/// May do everything with pods, in every namespace; has no right under `countersign.dev`.
const TENANT: &str = "tenant";
/// Everything that can be done with pods.
const PODS: [&str; 9] = [
    "pods",
    "pods/status",
    "pods/binding",
    "bindings",
    "pods/ephemeralcontainers",
    "pods/resize",
    "pods/exec",
    "pods/attach",
    "pods/portforward",
];
/// A node.
const KUBELET: &str = "system:node:n";
/// Enables a profile beside `aks`, knows one that is not enabled, and holds a namespace to confidential pods whatever its labels say.
const CONFIGURATION: &str = "
apiVersion: countersign.dev/v1alpha1
kind: Configuration
profiles:
- {name: lab, runtimeClass: kata-lab, accepts: [{runtimeClass: kata-lab, handlers: [kata-lab]}], policyAnnotation: io.katacontainers.config.agent.policy}
- {name: dev, runtimeClass: kata-dev, accepts: [{runtimeClass: kata-dev, handlers: [kata-dev]}], policyAnnotation: io.katacontainers.config.agent.policy}
enabledProfiles: [aks, lab]
requiredNamespaces: [payments]
";

/// The site that these tests share: Countersign whole, its policies and its webhooks, and a tenant.
fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let options = Options::default().user(TENANT, &["tenants"]).user(KUBELET, &["system:nodes"]);
        let site = Site::open_for(Some(CONFIGURATION), options);
        let everything_with_pods = json!({"apiGroups": [""], "verbs": ["*"], "resources": PODS});
        let role = |kind: &str, rules: Value| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "tenant"}, "rules": rules});
        let bound = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "tenant"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "tenant"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": TENANT}]});
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}});
        let classes = ["kata-lab", "kata-dev"].map(|name| runtime_class(name, name));
        let role = role("ClusterRole", json!([everything_with_pods]));
        let items = [&[role, bound, node][..], &classes].concat();
        apply(&site.server, &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
        until("the tenant may create pods", || tried(&site, TENANT, &ordinary("kafka", "rights")).stored.ok());
        site
    })
}

/// An ordinary pod.
fn ordinary(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "app", "image": "registry.example/app:1"}]}})
}

/// A policy as its annotation has it, and its digest.
fn policy(text: &str) -> (String, String) {
    use base64::Engine as _;
    let annotation = base64::engine::general_purpose::STANDARD.encode(text);
    (annotation, countersign_policy::Digest::sha256_of(text.as_bytes()).to_string())
}

/// A pod with a policy that nobody listed, and no other sign of a confidential one.
fn unlisted(namespace: &str, name: &str) -> Value {
    let mut pod = ordinary(namespace, name);
    pod["metadata"]["annotations"] = json!({KEY: policy("package agent_policy\n# nobody_listed_this\n").0});
    pod
}

/// An opted-in pod whose policy is listed, under the pod's name, by the ConfigMap of that name.
fn countersigned(site: &Site, namespace: &str, name: &str) -> Value {
    let (annotation, digest) = policy(&format!("package agent_policy\n# {}\n", name.replace('-', "_")));
    let entry = json!([{"digest": digest, "namespaces": [namespace], "name": name}]);
    list(&site.server, &site.webhook, &config_map(name, &entry));
    let mut pod = ordinary(namespace, name);
    pod["metadata"]["labels"] = json!({"countersign.dev/confidential": "true"});
    pod["metadata"]["annotations"] = json!({KEY: annotation});
    pod
}

/// An allow-list with these entries.
fn config_map(name: &str, entries: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"team.yaml": entries.to_string()},
        "metadata": {"name": name, "namespace": "countersign-system", "labels": {"countersign.dev/allow-list": "true"}}})
}

/// Takes the allow-list of this name away, and waits until the webhook has seen it: a pod that it lists is refused then.
fn unlisted_again(site: &Site, name: &str, pod: &Value) {
    unlist(&site.server, name);
    until("the entry is gone", || tried(site, TENANT, pod).stored.err());
}

/// Creates an object as a user; nothing is stored.
fn tried(site: &Site, user: &str, object: &Value) -> Answer {
    run(&site.server, &["--context", user, "create", "--dry-run=server", "-o", "json", "-f", "-"], object)
}

/// Makes a namespace with these labels that the webhook knows.
fn namespace(site: &Site, name: &str, labels: &[(&str, &str)]) {
    block_on(site.server.namespace(name, labels, &[])).unwrap();
    let output = site.server.kubectl(&["get", "namespace", name, "-o", "json"]).unwrap();
    site.webhook.has_seen("namespaces", &serde_json::from_slice(&output.stdout).unwrap());
}

/// The pod after `edit`.
fn edited(mut pod: Value, edit: impl FnOnce(&mut Value)) -> Value {
    edit(&mut pod);
    pod
}

/// What becomes of an attempt.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// Refused, with all of these words.
    Refused(&'static [&'static str]),
    /// Let through: nothing that a rule reads is in it.
    Passes,
}

/// Shows every attempt whose answer is another than the expected one.
fn hold(answers: impl IntoIterator<Item = (String, Expected, Answer)>) {
    let wrong = |(what, expected, answer): (String, Expected, Answer)| match (expected, answer.stored) {
        (Expected::Passes, Ok(_)) => None,
        (Expected::Passes, Err(refusal)) => Some(format!("{what}: refused: {refusal}")),
        (Expected::Refused(_), Ok(_)) => Some(format!("{what}: let through")),
        (Expected::Refused(words), Err(refusal)) => {
            let missing = words.iter().find(|word| !refusal.contains(**word))?;
            Some(format!("{what}: {missing:?} is not in: {refusal}"))
        }
    };
    let answers: Vec<_> = answers.into_iter().collect();
    let count = answers.len();
    let wrong: Vec<_> = answers.into_iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{} of {count} attempts:\n{}", wrong.len(), wrong.join("\n"));
}
