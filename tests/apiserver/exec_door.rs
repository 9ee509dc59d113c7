//! The exec door, as the component installs it: ways into confidential pods are for those who hold the verb.

use countersign_harness::Options;
use serde_json::{Value, json};

use crate::pods::{create, run};
use crate::site::{Site, apply, block_on, until, without_policies};

const ENTRY: &str = include_str!("../../manifests/components/exec-door/entry.yaml");
const RIGHTS: &str = include_str!("../../manifests/components/exec-door/rights.yaml");
/// May do everything with pods.
const TENANT: &str = "tenant";
/// The same, and holds the verb.
const HOLDER: &str = "holder";
/// What the API server says once admission has let somebody by: no kubelet runs here.
const BEHIND_THE_DOOR: &str = "does not have a host assigned";

fn site() -> Site {
    let options = Options::default().user(TENANT, &["tenants"]).user(HOLDER, &["tenants"]);
    let site = Site::open_with(None, options, &["--exec-door"]);
    let group = "rbac.authorization.k8s.io";
    let bound = |name: &str, role: &str, kind: &str| {
        json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": role},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": group, "kind": kind, "name": name}]})
    };
    let rules =
        json!([{"apiGroups": [""], "verbs": ["*"], "resources": ["pods", "pods/exec", "pods/attach", "pods/portforward"]}]);
    let tenant =
        json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRole", "metadata": {"name": "tenant"}, "rules": rules});
    let mut items = vec![tenant, bound("tenants", "tenant", "Group"), bound(HOLDER, "countersign-confidential-exec", "User")];
    items.extend(crate::pods::documents(RIGHTS));
    apply(&site.server, &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    // What these pods are is not judged here: the door alone is looked at.
    without_policies(&site.server);
    let get = |kind: &str| -> Value {
        serde_json::from_slice(&site.server.kubectl(&["get", kind, "countersign", "-o", "json"]).unwrap().stdout).unwrap()
    };
    let installed = get("validatingwebhookconfiguration");
    let client = &installed["webhooks"][0]["clientConfig"];
    let url = client["url"].as_str().unwrap().replace("/validate/required", "/exec");
    let patch: Vec<Value> = serde_saphyr::from_str(ENTRY).unwrap();
    let mut entry = patch[0]["value"].clone();
    entry["clientConfig"] = json!({"url": url, "caBundle": client["caBundle"]});
    let door = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "door"}, "webhooks": [entry]});
    for kind in ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"] {
        assert!(site.server.kubectl(&["delete", kind, "countersign"]).unwrap().status.success());
    }
    for (namespace, labels) in [("guarded", &[("countersign.dev/exec", "guarded")][..]), ("open", &[])] {
        block_on(site.server.namespace(namespace, labels, &[])).unwrap();
        for (name, class) in [("ordinary", Value::Null), ("confidential", json!("kata-cc-isolation"))] {
            let spec = json!({"runtimeClassName": class, "containers": [{"name": "c", "image": "i"}]});
            let pod =
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec});
            until("the pod is stored", || create(&site.server, &pod, false).stored.ok());
            let running = r#"{"status":{"phase":"Running"}}"#;
            let patch =
                ["patch", "pod", "-n", namespace, name, "--subresource=status", "--type=merge", "-o", "json", "-p", running];
            run(&site.server, &patch, &Value::Null).admitted();
        }
    }
    apply(&site.server, &door.to_string());
    until("the door is there", || into(&site, TENANT, "guarded", "confidential", "exec").contains("exec-door").then_some(()));
    site
}

/// What kubectl says to a way into a pod.
fn into(site: &Site, user: &str, namespace: &str, pod: &str, way: &str) -> String {
    let (source, target) = (format!("{namespace}/{pod}:/etc/x"), site.server.folder().join("copied"));
    let arguments: Vec<&str> = match way {
        "exec" => vec!["exec", "-n", namespace, pod, "--", "true"],
        "attach" => vec!["attach", "-n", namespace, pod],
        "port-forward" => vec!["port-forward", "-n", namespace, pod, "0:80", "--address=127.0.0.1"],
        _ => vec!["cp", &source, target.to_str().unwrap()],
    };
    run(&site.server, &[&["--context", user], &arguments[..]].concat(), &Value::Null).stored.err().unwrap_or_default()
}

#[test]
fn who_does_not_hold_the_verb_gets_into_no_confidential_pod() {
    let site = site();
    // port-forward listens first and connects with its first client, so it is asked for by its path.
    for way in ["exec", "attach", "cp"] {
        let refusal = into(&site, TENANT, "guarded", "confidential", way);
        assert!(refusal.contains("exec-door: pod guarded/confidential is confidential"), "{way}: {refusal}");
        for (user, namespace, pod) in
            [(HOLDER, "guarded", "confidential"), (TENANT, "guarded", "ordinary"), (TENANT, "open", "confidential")]
        {
            let passed = into(&site, user, namespace, pod, way);
            assert!(passed.contains(BEHIND_THE_DOOR), "{way} as {user} into {namespace}/{pod}: {passed}");
        }
    }
    let forward = |user: &str| {
        let path = "/api/v1/namespaces/guarded/pods/confidential/portforward?ports=80";
        run(&site.server, &["--context", user, "create", "--raw", path, "-f", "-"], &json!({})).stored.unwrap_err()
    };
    assert!(
        forward(TENANT).contains("exec-door: pod guarded/confidential is confidential, and pods/portforward leads into it")
    );
    assert!(!forward(HOLDER).contains("exec-door"));
    assert!(site.webhook.get("/metrics").contains("countersign_requests_total{endpoint=\"exec\",outcome=\"refused\"}"));

    // Without the right to look the pod up nobody gets in, and nor with nobody to ask; who holds the verb is not even asked about.
    assert!(site.server.kubectl(&["delete", "clusterrolebinding", "countersign-exec-door"]).unwrap().status.success());
    until("the look-up fails", || {
        let refusal = into(&site, TENANT, "guarded", "ordinary", "exec");
        refusal.contains("exec-door: whether pod guarded/ordinary is confidential could not be found out").then_some(())
    });
    let Site { server, webhook } = site;
    drop(webhook);
    let site = |user: &str, pod: &str| {
        let arguments = ["--context", user, "exec", "-n", "guarded", pod, "--", "true"];
        run(&server, &arguments, &Value::Null).stored.unwrap_err()
    };
    let down = site(TENANT, "ordinary");
    assert!(down.contains("failed calling webhook \"guard.ways-into-confidential-pods.countersign.dev\""), "{down}");
    assert!(site(HOLDER, "confidential").contains(BEHIND_THE_DOOR));
}
