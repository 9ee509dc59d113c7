//! Who bears the label `countersign.dev/countersigned` is at least a confidential pod with a policy, in every mode.

use serde_json::json;

use super::{GARBAGE_COLLECTOR, TENANT, pod, protected, server, tried};
use crate::pods::{create, run};
use crate::site::block_on;

#[test]
fn an_ordinary_pod_cannot_claim_the_label_in_any_mode() {
    for (namespace, labels) in [("claim-enforce", vec![]), ("claim-audit", vec![("countersign.dev/mode", "audit")])] {
        block_on(server().namespace(namespace, &labels, &[])).unwrap();
        let mut claiming = pod(namespace, "p", json!({}));
        claiming["metadata"]["labels"] = json!({"countersign.dev/countersigned": "true"});
        let refusal = tried(TENANT, &claiming).refused();
        assert!(refusal.contains("countersigned-unearned: "), "{refusal}");
        assert!(refusal.contains("its spec.runtimeClassName is not set"), "{refusal}");
        let mut unmeasured = pod(namespace, "p", json!({"runtimeClassName": "kata-cc-isolation"}));
        unmeasured["metadata"]["labels"] = json!({"countersign.dev/countersigned": "true"});
        let refusal = tried(TENANT, &unmeasured).refused();
        assert!(refusal.contains("policy-missing: the pod is confidential but has no annotation"), "{refusal}");
        let mut earned = protected(namespace, "p");
        earned["metadata"]["labels"] = json!({"countersign.dev/countersigned": "true"});
        tried(TENANT, &earned).admitted();

        create(server(), &pod(namespace, "later", json!({})), false).admitted();
        let arguments = ["--context", TENANT, "label", "pod", "-n", namespace, "later", "countersign.dev/countersigned=true"];
        let refusal = run(server(), &arguments, &json!(null)).refused();
        assert!(refusal.contains("countersigned-unearned: "), "{refusal}");
    }
}

#[test]
fn a_pod_that_bears_it_can_change_and_end() {
    block_on(server().namespace("claim-ends", &[], &[])).unwrap();
    let mut bearing = protected("claim-ends", "p");
    bearing["metadata"]["labels"] = json!({"countersign.dev/countersigned": "true"});
    bearing["metadata"]["finalizers"] = json!(["example.org/hold"]);
    create(server(), &bearing, false).admitted();
    let finalizer = r#"{"metadata":{"finalizers":null}}"#;
    for arguments in [
        vec!["--context", TENANT, "label", "pod", "-n", "claim-ends", "p", "app=x"],
        vec!["--context", TENANT, "delete", "pod", "-n", "claim-ends", "p", "--wait=false"],
        vec!["--context", GARBAGE_COLLECTOR, "patch", "pod", "-n", "claim-ends", "p", "-o", "json", "-p", finalizer],
    ] {
        run(server(), &arguments, &json!(null)).admitted();
    }
}
