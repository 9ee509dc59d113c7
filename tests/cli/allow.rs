//! `countersign allow`.

use crate::called::{countersign, countersign_with, file};

const CONSUMER: &str = "manifests/samples/consumer.yaml";

#[test]
fn the_entry_counts_for_the_manifests_namespace_and_service_account() {
    let called = countersign(&["allow", "-f", CONSUMER]);
    assert!(called.err.contains("for namespace kafka, service account workload-identity-sa"), "{}", called.err);
    let list = called.printed();
    assert!(list.contains("countersign.dev/allow-list: \"true\""), "{list}");
    assert!(list.contains("      namespaces: [kafka]\n      serviceAccounts: [workload-identity-sa]\n"), "{list}");
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(countersign(&["review", "-f", CONSUMER, "--allow-list", &file(folder.path(), "al.yaml", &list)]).code, 0);
}

#[test]
fn flags_make_the_scope_wider() {
    let list =
        countersign(&["allow", "-f", CONSUMER, "--any-namespace", "--any-service-account", "--name", "consumer: 1"]).printed();
    assert!(list.contains("namespaces: [\"*\"]\n      name: \"consumer: 1\"\n"), "{list}");
    let list = countersign(&["allow", "-f", CONSUMER, "--namespaces", "a,b"]).printed();
    assert!(list.contains("namespaces: [a, b]"), "{list}");
}

#[test]
fn a_manifest_without_a_namespace_needs_one() {
    let text = std::fs::read_to_string(CONSUMER).unwrap().replace("  namespace: kafka\n", "");
    let error = countersign_with(&text, &["allow", "-f", "-"]).unusable();
    assert!(error.contains("names no namespace") && error.contains("--namespaces NS, or --any-namespace"), "{error}");
}

#[test]
fn an_entry_is_added_to_a_list_with_its_comments_kept() {
    let folder = tempfile::tempdir().unwrap();
    let list = countersign(&["allow", "-f", CONSUMER, "--namespaces", "other"]).printed();
    let commented = format!("# our list\n{}", list.replace("    - digest", "    # the first\n    - digest"));
    let path = file(folder.path(), "al.yaml", &commented);
    let longer = countersign(&["allow", "-f", CONSUMER, "--allow-list", &path]).printed();
    assert!(longer.starts_with(&commented), "{longer}");
    let path = file(folder.path(), "longer.yaml", &longer);
    assert_eq!(countersign(&["review", "-f", CONSUMER, "--allow-list", &path]).code, 0);
    let again = countersign(&["allow", "-f", CONSUMER, "--allow-list", &path]);
    assert!(again.err.contains("is listed already"), "{}", again.err);
    assert_eq!(again.printed(), longer);
}

#[test]
fn a_new_list_is_for_the_namespace_that_countersign_is_installed_in() {
    let list = countersign(&["allow", "-f", CONSUMER, "--list-namespace", "security"]).printed();
    assert!(list.contains("  name: allow-list\n  namespace: security\n"), "{list}");
    assert!(countersign(&["allow", "-f", CONSUMER]).printed().contains("  namespace: countersign-system\n"));
    let error = countersign(&["allow", "-f", CONSUMER, "--context", "c"]).unusable();
    assert!(error.contains("--kubeconfig and --context go with --from-cluster"), "{error}");
}

#[test]
fn whom_an_initdata_asks_for_keys_is_said_before_it_is_listed() {
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  namespace: kafka\n  annotations: {{io.katacontainers.config.hypervisor.cc_init_data: {BROKER}}}\nspec: {{containers: []}}\n"
    );
    let called = countersign_with(&pod, &["allow", "-f", "-"]);
    assert!(called.err.contains("  with cdh.toml kbc.url: https://broker.example\n"), "{}", called.err);
    assert!(
        called.err.contains("  with warning: cdh.toml has a key kbc.backdoor that Countersign does not know\n"),
        "{}",
        called.err
    );
    let list = called.printed();
    assert!(!list.contains("broker"), "{list}");
}

/// An initdata whose cdh.toml names a broker at broker.example and has a key `backdoor`, compressed.
const BROKER: &str = "H4sIAAAAAAACAxWMQQrDMAwE73pF0AOctNAeCn1JCUW2RR1sR0FWSp9f+zizw35Z2yb79JxwcRe3IFD5iG6W6nAt0fV2R3hFMloBQ0zOpBYcI3affVhhp8pDhPDujHBqGZjMjvaYZ6+SWR3/qB6FETyFHEW0N6Ynwzj6AwuXtx2IAAAA";
