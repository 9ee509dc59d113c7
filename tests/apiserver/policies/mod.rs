//! The policies that need no webhook: here none runs, and none is registered.

mod confidential_pods;
mod countersigned_label;
mod default_mode;
mod enabled_profiles;
mod handlers;
mod namespace_labels;
mod unchanging_keys;
mod webhook_configurations;

use std::sync::OnceLock;

use countersign_harness::{ApiServer, Options};
use serde_json::{Value, json};

use crate::pods::{Answer, create, run};
use crate::site::{apply, block_on, manifests, runtime_class, shipped, until, without_webhooks};

/// The annotation that profile `aks` measures.
const KEY: &str = "io.katacontainers.config.agent.policy";
/// A user with every right on pods, namespaces and runtime classes, and none under `countersign.dev`.
const TENANT: &str = "tenant";
/// The same with the role `countersign-mode-setter`.
const OPENER: &str = "opener";
const KUBELET: &str = "system:node:n";
const SCHEDULER: &str = "system:kube-scheduler";
const NAMESPACE_CONTROLLER: &str = "system:serviceaccount:kube-system:namespace-controller";
const GARBAGE_COLLECTOR: &str = "system:serviceaccount:kube-system:generic-garbage-collector";

/// The server that these tests share: everything of the shipped installation but the webhook configurations.
fn server() -> &'static ApiServer {
    static SERVER: OnceLock<ApiServer> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = boot(&shipped());
        in_force(&server);
        server
    })
}

/// The manifests that are printed for a configuration.
fn rendered_for(configuration: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("configuration.yaml");
    std::fs::write(&file, configuration).unwrap();
    manifests(Some(&file))
}

/// Boots an API server with the policies of an installation and the users of the tests.
fn boot(manifests: &[Value]) -> ApiServer {
    let options = Options::default()
        .user(TENANT, &["tenants"])
        .user(OPENER, &["tenants"])
        .user(KUBELET, &["system:nodes"])
        .user(SCHEDULER, &[])
        .user(NAMESPACE_CONTROLLER, &["system:serviceaccounts"])
        .user(GARBAGE_COLLECTOR, &["system:serviceaccounts"]);
    let server = ApiServer::boot(&options).unwrap();
    apply(&server, &without_webhooks(manifests));
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "tenant"}, "rules": [
        {"apiGroups": [""], "verbs": ["*"], "resources": ["pods", "pods/status", "pods/binding", "bindings", "namespaces", "namespaces/status", "namespaces/finalize"]},
        {"apiGroups": ["node.k8s.io"], "verbs": ["*"], "resources": ["runtimeclasses"]},
    ]});
    let bound = |name: &str, role: &str, subject: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}, "subjects": [subject]})
    };
    let subject = |kind: &str, name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        role,
        bound("tenants", "tenant", subject("Group", "tenants")),
        bound("openers", "countersign-mode-setter", subject("User", OPENER)),
        runtime_class("kata-cc-isolation", "kata-cc"),
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}},
    ]});
    apply(&server, &objects.to_string());
    server
}

/// Waits until every policy refuses what it is there to refuse: the API server compiles them in its own time.
fn in_force(server: &ApiServer) {
    block_on(server.namespace("probe", &[], &[])).unwrap();
    block_on(server.namespace("required", &[("countersign.dev/confidential", "required")], &[])).unwrap();
    create(server, &pod("probe", "probe", json!({})), false).admitted();
    let mut unprotected = pod("probe", "p", json!({}));
    unprotected["metadata"]["annotations"] = json!({KEY: "cA=="});
    let mut claiming = pod("probe", "p", json!({}));
    claiming["metadata"]["labels"] = json!({"countersign.dev/countersigned": "true"});
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "q", "labels": {"countersign.dev/x": "y"}}});
    let refuses = |policy: &str, object: &Value| {
        until(&format!("{policy} is in force"), || {
            create(server, object, true).stored.err().filter(|error| error.contains(&format!("'{policy}.countersign.dev'")))
        });
    };
    refuses("confidential-pods", &unprotected);
    refuses("pods-in-required-namespaces", &pod("required", "p", json!({})));
    refuses("countersigned-label", &claiming);
    refuses("confidential-handlers", &runtime_class("q", "kata-cc"));
    refuses("namespace-labels", &namespace);
    until("unchanging-keys is in force", || {
        patch("admin", server, "probe", "probe", "status", &json!({"metadata": {"labels": {"countersign.dev/x": "y"}}}))
            .stored
            .err()
    });
}

/// A pod with this spec beside its container.
fn pod(namespace: &str, name: &str, spec: Value) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}});
    pod["spec"] = spec;
    pod["spec"]["containers"] = json!([{"name": "c", "image": "i"}]);
    pod
}

/// A pod that the backstop lets in.
fn protected(namespace: &str, name: &str) -> Value {
    let mut pod = pod(namespace, name, json!({"runtimeClassName": "kata-cc-isolation"}));
    pod["metadata"]["annotations"] = json!({KEY: "cGFja2FnZSBwCg=="});
    pod
}

/// Creates an object as a user; nothing is stored.
fn tried(user: &str, object: &Value) -> Answer {
    run(server(), &["--context", user, "create", "--dry-run=server", "-o", "json", "-f", "-"], object)
}

/// Patches a pod through one of its subresources, as a user.
fn patch(user: &str, server: &ApiServer, namespace: &str, name: &str, subresource: &str, change: &Value) -> Answer {
    let (flag, change) = (format!("--subresource={subresource}"), change.to_string());
    let arguments =
        ["--context", user, "patch", "pod", "-n", namespace, name, &flag, "-o", "json", "--type=merge", "-p", &change];
    run(server, &arguments, &Value::Null)
}

#[test]
fn the_api_server_finds_nothing_to_say_about_the_policies_when_they_are_applied() {
    let objects: Vec<Value> = shipped()
        .into_iter()
        .filter(|object| object["kind"].as_str().unwrap().starts_with("ValidatingAdmissionPolicy"))
        .collect();
    assert_eq!(objects.len(), 20, "seven policies, two of them with four bindings");
    for object in objects {
        let arguments =
            ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-"];
        let answer = run(server(), &arguments, &object);
        assert_eq!(answer.warnings, "", "{}", object["metadata"]["name"]);
        answer.admitted();
    }
}
