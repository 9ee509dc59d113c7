//! A handler that runs confidential pods is for the known class names alone.

use serde_json::json;

use super::{TENANT, boot, tried};
use crate::pods::run;
use crate::site::{apply, runtime_class, shipped, until};

#[test]
fn a_confidential_handler_under_an_unknown_name_is_refused() {
    let refusal = tried(TENANT, &runtime_class("mine", "kata-cc")).refused();
    assert!(refusal.contains("ValidatingAdmissionPolicy 'confidential-handlers.countersign.dev'"), "{refusal}");
    assert!(
        refusal.contains("unknown-confidential-runtime: handler kata-cc runs confidential pods, and RuntimeClass mine is none of kata-cc-isolation, kata-cc"),
        "{refusal}"
    );
    assert!(tried("admin", &runtime_class("mine", "kata-cc")).refused().contains("confidential-handlers"), "nobody is exempt");
    tried(TENANT, &runtime_class("kata-cc", "kata-cc")).admitted();
    tried(TENANT, &runtime_class("gvisor", "runsc")).admitted();
}

#[test]
fn a_class_that_was_there_before_can_be_labelled_and_deleted() {
    let server = boot(&[json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "countersign-system"}})]);
    apply(&server, &runtime_class("older", "kata-cc").to_string());
    apply(&server, &crate::site::without_webhooks(&shipped()));
    until("the policy is in force", || {
        let arguments = ["create", "--dry-run=server", "-f", "-"];
        run(&server, &arguments, &runtime_class("newer", "kata-cc")).stored.err()
    });
    for arguments in [["label", "runtimeclass", "older", "a=b"].as_slice(), &["delete", "runtimeclass", "older"]] {
        run(&server, arguments, &json!(null)).admitted();
    }
}
