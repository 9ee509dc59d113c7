//! The classes and annotations of the enabled profiles stand in the policies: each class wants its own.

use serde_json::{Value, json};

use super::{KEY, TENANT, boot, pod, rendered_for};
use crate::pods::{Answer, create, run};
use crate::site::{apply, block_on, runtime_class, until};

const CONFIGURATION: &str = "{apiVersion: countersign.dev/v1alpha1, kind: Configuration, enabledProfiles: [aks, coco-snp]}";
const INITDATA: &str = "io.katacontainers.config.hypervisor.cc_init_data";

fn carrying(class: &str, key: &str) -> Value {
    let mut pod = pod("coco", "p", json!({"runtimeClassName": class}));
    pod["metadata"]["annotations"] = json!({key: "x"});
    pod
}

#[test]
fn a_confidential_pod_carries_what_is_measured_in_its_class() {
    let server = boot(&rendered_for(CONFIGURATION));
    for class in ["kata-qemu-snp", "kata-qemu-tdx"] {
        apply(&server, &runtime_class(class, class).to_string());
    }
    block_on(server.namespace("coco", &[], &[])).unwrap();
    until("the backstop is in force", || create(&server, &carrying("kata-cc-isolation", INITDATA), true).stored.err());
    let tried = |pod: &Value| -> Answer {
        run(&server, &["--context", TENANT, "create", "--dry-run=server", "-o", "json", "-f", "-"], pod)
    };
    for (class, measured, other) in [("kata-cc-isolation", KEY, INITDATA), ("kata-qemu-snp", INITDATA, KEY)] {
        tried(&carrying(class, measured)).admitted();
        let mut claiming = carrying(class, measured);
        claiming["metadata"]["labels"] = json!({"countersign.dev/countersigned": "true"});
        tried(&claiming).admitted();
        let refusal = tried(&carrying(class, other)).refused();
        let words = format!("policy-missing: the pod is confidential but has no annotation {measured}, or an empty one");
        assert!(refusal.contains(&words), "{refusal}");
        claiming["metadata"]["annotations"] = json!({other: "x"});
        assert!(tried(&claiming).refused().contains(&words), "by either policy");
    }
    let refusal = tried(&carrying("kata-qemu-tdx", INITDATA)).refused();
    let words =
        "spec.runtimeClassName is \"kata-qemu-tdx\"; confidential pods run in kata-cc-isolation, kata-cc, kata-qemu-snp";
    assert!(refusal.contains(words), "a profile that is not enabled: {refusal}");
}
