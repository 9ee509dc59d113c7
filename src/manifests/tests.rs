use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::*;

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

fn entries<'a>(documents: &'a [Value], kind: &str) -> &'a [Value] {
    find(documents, kind)["webhooks"].as_array().unwrap()
}

fn condition<'a>(entry: &'a Value, name: &str) -> Option<&'a str> {
    let conditions = entry["matchConditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    conditions.iter().find(|condition| condition["name"] == name)?["expression"].as_str()
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
        serde_saphyr::from_multiple(include_str!("../../manifests/overlays/own-certificate/ca-bundle.yaml")).unwrap();
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

#[test]
fn a_configuration_of_ones_own_comes_along_and_sets_the_bounds() {
    let documents = configured();
    let config_map = named(&documents, "countersign-configuration");
    assert_eq!(config_map["data"]["configuration.yaml"], SOURCE);
    let template = &find(&documents, "Deployment")["spec"]["template"];
    let container = &template["spec"]["containers"][0];
    assert_eq!(container["image"], "registry.example/countersign@sha256:00");
    assert_eq!(container["resources"]["limits"]["memory"], "386Mi");
    assert_eq!(template["spec"]["terminationGracePeriodSeconds"], 75);
    let mounts = container["volumeMounts"].as_array().unwrap().iter().map(|mount| mount["mountPath"].as_str().unwrap());
    let directory = Path::new(CONFIGURATION_FILE).parent().unwrap().to_str().unwrap();
    assert_eq!(mounts.collect::<Vec<_>>(), [directory, "/etc/countersign/clients"]);
    let clients = &template["spec"]["volumes"][1];
    assert_eq!(clients["configMap"], json!({"name": "countersign-clients", "optional": true}), "nothing waits for it");
    let digest = countersign_policy::Digest::sha256_of(SOURCE.as_bytes()).to_string();
    assert_eq!(template["metadata"]["annotations"]["configuration-digest"], digest);
}

#[test]
fn what_would_lock_the_cluster_or_break_the_yaml_is_refused_with_the_reason() {
    let refused = |configuration: &str, namespace: &str, image: &str| {
        let configuration = Configuration::parse(configuration).unwrap();
        render(&configuration, None, namespace, image).unwrap_err().to_string()
    };
    let plain = "{apiVersion: countersign.dev/v1alpha1, kind: Configuration}";
    assert!(refused(SOURCE, "payments", IMAGE).contains("Countersign's own pods could never start"));
    assert!(refused(plain, "kube-system", IMAGE).contains("not Countersign's alone"));
    assert!(refused(plain, "default", IMAGE).contains("not Countersign's alone"));
    assert!(refused(plain, "a.b", IMAGE).contains("at most 63 letters"));
    assert!(refused(plain, "a\nb", IMAGE).contains("is not a name"));
    assert!(refused(plain, NAMESPACE, "x\"\n  y: z").contains("is not an image reference"));
    assert!(refused(plain, NAMESPACE, "").contains("is not an image reference"));
}

/// Found by fuzzing: such a line did not keep the indentation of the ConfigMap's.
#[test]
fn a_carriage_return_alone_is_a_line_break_of_the_configuration() {
    let source = SOURCE.replace("requiredNamespaces", "\r\r  # alone\rrequiredNamespaces");
    let files = render(&Configuration::parse(&source).unwrap(), Some(&source), NAMESPACE, IMAGE).unwrap();
    let documents = documents(&files);
    let config_map = named(&documents, "countersign-configuration");
    assert_eq!(config_map["data"]["configuration.yaml"], source.replace('\r', "\n"));
}

#[test]
fn a_character_that_kubectl_takes_for_a_line_break_is_refused_by_its_line() {
    for (character, name) in [('\u{85}', "U+0085"), ('\u{2028}', "U+2028"), ('\u{2029}', "U+2029")] {
        let source = SOURCE.replace("# Ours.", &format!("# Ours.\n# {character}ours"));
        let configuration = Configuration::parse(&source).unwrap();
        let refused = render(&configuration, Some(&source), NAMESPACE, IMAGE).unwrap_err().to_string();
        assert!(refused.starts_with(&format!("line 2 of the configuration has the character {name}, which")), "{refused}");
    }
    let tabs = SOURCE.replace("# Ours.", "# Ours.\t");
    assert!(render(&Configuration::parse(&tabs).unwrap(), Some(&tabs), NAMESPACE, IMAGE).is_ok());
}
