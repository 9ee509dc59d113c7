use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::*;

mod configuration;
mod webhooks;

const SOURCE: &str = "\
# Ours.
apiVersion: countersign.dev/v1alpha1
kind: Configuration
profiles:
- name: plain
  runtimeClass: kata-other
  accepts:
  - {runtimeClass: kata-other, handlers: [kata]}
  policyAnnotation: io.katacontainers.config.agent.policy

requiredNamespaces: [payments, \"123\"]   # {{image}} is nothing here
limits: {drainFor: 1m, maxBodyBytes: 1048576, maxBytesInFlight: 1048576}
";

fn built_in() -> Vec<Value> {
    documents(&render(&Configuration::built_in().unwrap(), None, NAMESPACE, IMAGE).unwrap())
}

fn configured() -> Vec<Value> {
    let configuration = Configuration::parse(SOURCE).unwrap();
    documents(&render(&configuration, Some(SOURCE), "guard", "registry.example/countersign@sha256:00").unwrap())
}

fn documents(files: &[ManifestFile]) -> Vec<Value> {
    assert!(files.iter().all(|file| file.text.ends_with('\n')));
    serde_saphyr::from_multiple(&joined(files)).unwrap()
}

fn find<'a>(documents: &'a [Value], kind: &str) -> &'a Value {
    // The one role that is bound to nobody is not meant.
    let meant = |document: &&Value| document["kind"] == kind && document["metadata"]["name"] != "countersign-mode-setter";
    let mut found = documents.iter().filter(meant);
    let first = found.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(found.next().is_none(), "two of {kind}");
    first
}

fn named<'a>(documents: &'a [Value], name: &str) -> &'a Value {
    documents.iter().find(|document| document["metadata"]["name"] == name).unwrap()
}

#[test]
fn the_repository_holds_what_is_rendered() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let generated = generated_files().unwrap();
    for GeneratedFile { path, text } in &generated {
        let stored = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        assert!(stored == *text, "{path} is not what the program renders: run `cargo xtask generate` and commit the result");
    }
    let stored = std::fs::read_dir(root.join("manifests/base")).unwrap();
    let stored: BTreeSet<_> = stored.map(|file| format!("manifests/base/{}", file.unwrap().file_name().display())).collect();
    let known = generated.iter().map(|file| file.path.clone()).filter(|path| path.starts_with("manifests/base/")).collect();
    assert_eq!(stored, known, "manifests/base holds a file that nothing generates: remove it");
}

#[test]
fn everything_to_install_is_there_once_and_without_placeholders() {
    let kinds = |documents: &[Value]| documents.iter().map(|d| d["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let expected = "Namespace ServiceAccount Role RoleBinding ClusterRole ClusterRoleBinding ResourceQuota Secret Lease Deployment \
                    PodDisruptionBudget Service NetworkPolicy";
    let policy =
        |bindings: usize| format!(" ValidatingAdmissionPolicy{}", " ValidatingAdmissionPolicyBinding".repeat(bindings));
    let policies =
        [policy(4), policy(4), policy(1), policy(1), policy(1), policy(1), " ClusterRole".to_owned(), policy(1)].concat();
    let expected = format!("{expected}{policies} MutatingWebhookConfiguration ValidatingWebhookConfiguration");
    assert_eq!(kinds(&built_in()).join(" "), expected);
    assert_eq!(kinds(&configured()).join(" "), expected.replacen("Secret", "ConfigMap Secret", 1));
    let of_base = |file: &&GeneratedFile| !file.path.starts_with("manifests/helm/");
    assert!(generated_files().unwrap().iter().filter(of_base).all(|file| !file.text.contains("{{")));
}

#[test]
fn every_object_is_in_the_chosen_namespace_or_in_none() {
    for document in configured() {
        let namespace = &document["metadata"]["namespace"];
        assert!(namespace.is_null() || namespace == "guard", "{document}");
        assert!(!document.to_string().contains(NAMESPACE), "{document}");
    }
}

/// What may be done is compared with what is used in tests/apiserver; here, that it is as narrow as it can be.
#[test]
fn what_may_be_written_is_named_and_nothing_may_be_created_but_events() {
    let documents = built_in();
    for kind in ["Role", "ClusterRole"] {
        for rule in find(&documents, kind)["rules"].as_array().unwrap() {
            let verbs: Vec<_> = rule["verbs"].as_array().unwrap().iter().map(|verb| verb.as_str().unwrap()).collect();
            assert!(!rule.to_string().contains('*'), "{rule}");
            assert!(!verbs.contains(&"delete") && !verbs.contains(&"deletecollection"), "{rule}");
            assert_eq!(verbs == ["create"], rule["resources"] == json!(["events"]), "{rule}");
            let named = rule["resourceNames"].is_array();
            let only_read = verbs.iter().all(|verb| ["get", "list", "watch", "create"].contains(verb));
            assert!(named || only_read, "{rule}");
            assert!(named || rule["resources"] != json!(["secrets"]), "{rule}");
        }
    }
}

/// Server-side apply takes away what its manager owned alone and sends no longer: an allow-list that came with the installation
/// would be emptied by the next one, wherever kubectl has filled it.
#[test]
fn no_allow_list_is_shipped() {
    for documents in [built_in(), configured()] {
        let is_list = |document: &Value| !document["metadata"]["labels"]["countersign.dev/allow-list"].is_null();
        assert!(!documents.iter().any(is_list));
    }
}

/// What is there already is never overwritten by applying the manifests again.
#[test]
fn the_secret_of_the_authorities_and_the_lease_are_shipped_empty() {
    let documents = built_in();
    let secret = find(&documents, "Secret");
    assert_eq!((&secret["metadata"]["name"], &secret["type"]), (&json!(crate::cluster::ca_secret::NAME), &json!("Opaque")));
    assert_eq!((&secret["data"], &secret["stringData"]), (&Value::Null, &Value::Null));
    let lease = find(&documents, "Lease");
    assert_eq!((&lease["metadata"]["name"], &lease["spec"]), (&json!(crate::cluster::lease::NAME), &Value::Null));
    for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "Service"] {
        assert_eq!(find(&documents, kind)["metadata"]["name"], crate::cluster::webhooks::NAME);
    }
}

#[test]
fn the_products_own_pods_give_no_reason_to_ask_about_them() {
    for documents in [built_in(), configured()] {
        let template = &find(&documents, "Deployment")["spec"]["template"];
        assert!(!template["metadata"].to_string().contains("countersign.dev/"), "{template}");
        assert_eq!(template["spec"]["runtimeClassName"], Value::Null);
    }
}

#[test]
fn the_container_has_no_privileges() {
    let documents = built_in();
    let pod = &find(&documents, "Deployment")["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["runAsUser"], 65532);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(
        pod["containers"][0]["securityContext"],
        json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}})
    );
    let trace = json!({"name": "RUST_LIB_BACKTRACE", "value": "0"});
    assert!(pod["containers"][0]["env"].as_array().unwrap().contains(&trace), "each error would take a trace");
    assert_eq!(pod["volumes"], Value::Null, "no Secret reaches the container as a file");
}
