//! Namespaces: their labels are not the tenants', and what the configuration requires holds without any label.

use serde_json::{Value, json};

use super::Expected::{Passes, Refused};
use super::{hold, namespace, ordinary, tried};
use crate::pods::run;
use crate::site::{Site, apply, block_on};
use countersign_harness::Options;

/// Owns its namespaces, as tenants of a shared cluster may: it creates, labels and deletes them.
const OWNER: &str = "owner";
/// What the refusal of a label says that it takes.
const RIGHT: &str = "that takes verb set on modes.countersign.dev";

#[test]
fn a_required_namespace_that_is_deleted_and_made_again_without_its_label_is_still_required() {
    let site = owners_site();
    let namespaces = |arguments: &[&str]| run(&site.server, &[&["--context", OWNER], arguments].concat(), &Value::Null);
    for (name, labels, words) in [
        // In requiredNamespaces of the configuration.
        ("payments", &[][..], Refused(&["policy-missing: "])),
        // By its label alone, which went with it: a new namespace is a new one, and the label's right was the administrator's.
        ("labelled", &[("countersign.dev/confidential", "required")][..], Passes),
    ] {
        namespace(&site, name, labels);
        hold([(format!("{name} before"), Refused(&["policy-missing: "]), tried(&site, OWNER, &ordinary(name, "p")))]);
        namespaces(&["delete", "namespace", name, "--wait=false"]).admitted();
        // No controller runs here that would empty and end it.
        let path = format!("/api/v1/namespaces/{name}/finalize");
        let end = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels.iter().copied().collect::<std::collections::BTreeMap<_, _>>()}, "spec": {"finalizers": []}});
        run(&site.server, &["replace", "--raw", &path, "-f", "-"], &end).admitted();
        namespaces(&["create", "namespace", name]).admitted();
        block_on(site.server.namespace(name, &[], &[])).unwrap();
        let output = site.server.kubectl(&["get", "namespace", name, "-o", "json"]).unwrap();
        site.webhook.has_seen("namespaces", &serde_json::from_slice(&output.stdout).unwrap());
        hold([(format!("{name} after"), words, tried(&site, OWNER, &ordinary(name, "p")))]);
    }
}

#[test]
fn the_owner_of_a_namespace_neither_takes_a_label_away_nor_opens_one_in_mode_audit() {
    let site = owners_site();
    namespace(&site, "owned", &[("countersign.dev/confidential", "required"), ("countersign.dev/mode", "enforce")]);
    let label = |label: &str| {
        let arguments =
            ["--context", OWNER, "label", "namespace", "owned", "--overwrite", label, "--dry-run=server", "-o", "json"];
        run(&site.server, &arguments, &Value::Null)
    };
    let made = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "made", "labels": {"countersign.dev/mode": "audit"}}});
    hold([
        (
            "the label away".to_owned(),
            Refused(&["user owner may not change countersign.dev/confidential of namespace owned", RIGHT]),
            label("countersign.dev/confidential-"),
        ),
        (
            "another mode".to_owned(),
            Refused(&["user owner may not change countersign.dev/mode of namespace owned", RIGHT]),
            label("countersign.dev/mode=audit"),
        ),
        ("another profile".to_owned(), Refused(&["countersign.dev/profile", RIGHT]), label("countersign.dev/profile=aks")),
        (
            "a new namespace in mode audit".to_owned(),
            Refused(&["countersign.dev/mode of namespace made", RIGHT]),
            tried(&site, OWNER, &made),
        ),
        ("a label of its own".to_owned(), Passes, label("team=a")),
    ]);
}

/// A site of its own: these tests end namespaces that others use.
fn owners_site() -> Site {
    let site = Site::open_for(
        Some("{apiVersion: countersign.dev/v1alpha1, kind: Configuration, requiredNamespaces: [payments]}"),
        Options::default().user(OWNER, &["owners"]),
    );
    let rules = json!([{"apiGroups": [""], "verbs": ["*"], "resources": ["pods", "namespaces", "namespaces/status", "namespaces/finalize"]}]);
    let group = "rbac.authorization.k8s.io";
    let items = [
        json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRole", "metadata": {"name": "owner"}, "rules": rules}),
        json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": "owner"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "owner"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": OWNER}]}),
    ];
    apply(&site.server, &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    crate::site::until("the owner may create pods", || tried(&site, OWNER, &ordinary("kafka", "rights")).stored.ok());
    site
}
