//! With the webhook down, nothing of an ordinary pod is stopped, and confidential pods are refused in words; what a confidential
//! pod needs to end (finalizers, deletion) goes on.

use std::net::SocketAddr;

use countersign_harness::{ApiServer, Options};
use serde_json::{Value, json};

use crate::pods::{Answer, create, run};
use crate::site::{apply, block_on, register, runtime_class, shipped};

/// Nobody listens there: port 1 is reserved and below what tests bind.
pub(crate) const NOBODY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

fn pod(namespace: &str, name: &str, confidential: bool) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": {"app": "x"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]}
    });
    if confidential {
        pod["metadata"]["finalizers"] = json!(["example.org/hold"]);
        pod["spec"]["runtimeClassName"] = json!("kata-cc-isolation");
    }
    pod
}

fn succeeds(what: &str, answer: Answer) {
    if let Err(error) = answer.stored {
        panic!("{what}: {error}");
    }
}

#[test]
fn ordinary_pods_go_through_every_operation_and_confidential_ones_are_refused() {
    let server = ApiServer::boot(&Options::default()).unwrap();
    block_on(server.namespace("kafka", &[], &[])).unwrap();
    apply(&server, &runtime_class("kata-cc-isolation", "kata-cc").to_string());
    succeeds("a confidential pod, before the webhooks are registered", create(&server, &pod("kafka", "older", true), false));
    register(&server, &shipped(), NOBODY, b"-----BEGIN CERTIFICATE-----\n");

    for namespace in ["kafka", "kube-system"] {
        block_on(server.namespace(namespace, &[], &[])).unwrap();
        ordinary(&server, namespace);
    }

    let refusal = create(&server, &pod("kafka", "newer", true), false).refused();
    assert!(refusal.contains("failed calling webhook \"complete.confidential-pods.countersign.dev\""), "{refusal}");
    ending(&server);
}

/// Every operation that is done with an ordinary pod.
fn ordinary(server: &ApiServer, namespace: &str) {
    let none = Value::Null;
    let name = "ordinary";
    let raw = |path: &str| format!("/api/v1/namespaces/{namespace}/pods/{name}{path}");
    succeeds("create", create(server, &pod(namespace, name, false), false));
    let patches = [
        ("labels", vec![], json!({"metadata": {"labels": {"app": "y"}, "annotations": {"a": "b"}}})),
        ("image", vec![], json!({"spec": {"containers": [{"name": "c", "image": "j"}]}})),
        ("finalizers", vec![], json!({"metadata": {"finalizers": ["example.org/hold"]}})),
        ("status", vec!["--subresource=status"], json!({"status": {"phase": "Pending", "message": "x"}})),
        ("finalizers away", vec![], json!({"metadata": {"finalizers": null}})),
    ];
    for (what, flags, patch) in patches {
        let patch = patch.to_string();
        let arguments = [&["patch", "pod", "-n", namespace, name, "-o", "json", "-p", &patch][..], &flags].concat();
        succeeds(what, run(server, &arguments, &none));
    }
    let debug = json!({"spec": {"ephemeralContainers": [{"name": "d", "image": "i", "targetContainerName": "c"}]}}).to_string();
    succeeds(
        "ephemeral container",
        run(
            server,
            &["patch", "pod", "-n", namespace, name, "--subresource=ephemeralcontainers", "-o", "json", "-p", &debug],
            &none,
        ),
    );
    let binding =
        json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": {"kind": "Node", "name": "n"}});
    succeeds("binding", run(server, &["create", "--raw", &raw("/binding"), "-f", "-"], &binding));
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}});
    succeeds("eviction", run(server, &["create", "--raw", &raw("/eviction"), "-f", "-"], &eviction));
    succeeds("delete", run(server, &["delete", "pod", "-n", namespace, name, "--grace-period=0", "--force"], &none));
}

/// A confidential pod ends while the webhook is down: deletion, then the finalizer away.
fn ending(server: &ApiServer) {
    let none = Value::Null;
    succeeds("delete", run(server, &["delete", "pod", "-n", "kafka", "older", "--wait=false"], &none));
    succeeds(
        "finalizer away",
        run(
            server,
            &["patch", "pod", "-n", "kafka", "older", "-o", "json", "-p", r#"{"metadata":{"finalizers":null}}"#],
            &none,
        ),
    );
    let gone = server.kubectl(&["get", "pod", "-n", "kafka", "older"]).unwrap();
    assert!(String::from_utf8_lossy(&gone.stderr).contains("NotFound"), "{}", String::from_utf8_lossy(&gone.stderr));
}
