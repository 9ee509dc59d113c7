//! `countersign review` of real policies with the pods that they were generated for.

use crate::called::{Called, countersign, file, fixture};

/// The platforms of the fixtures, and two that accept what the generator's own samples name, without a sidecar.
const CONFIGURATION: &str = "
apiVersion: countersign.dev/v1alpha1
kind: Configuration
profiles:
- name: test-agent-policy
  runtimeClass: kata-cc
  accepts: [{runtimeClass: kata-cc, handlers: [kata-cc]}]
  policyAnnotation: io.katacontainers.config.agent.policy
- name: test-initdata
  runtimeClass: kata-cc
  accepts: [{runtimeClass: kata-cc, handlers: [kata-cc]}]
  policyAnnotation: io.katacontainers.config.hypervisor.cc_init_data
enabledProfiles: ENABLED
";

/// Lists the digest of a fixture and reviews it; `None` where there is no fixture.
fn reviewed(name: &str, enabled: &str) -> Option<Called> {
    let manifest = fixture(&format!("fixtures/{name}"))?;
    let folder = tempfile::tempdir().unwrap();
    let configuration = file(folder.path(), "configuration.yaml", &CONFIGURATION.replace("ENABLED", enabled));
    let allow = ["allow", "-f", &manifest, "--config", &configuration, "--any-namespace"];
    let list = file(folder.path(), "list.yaml", &countersign(&allow).printed());
    Some(countersign(&["review", "-f", &manifest, "--config", &configuration, "--allow-list", &list]))
}

#[test]
fn a_pod_with_the_policy_that_was_generated_for_it_is_admitted_without_a_word_about_coverage() {
    let platforms = "[aks, coco-snp, coco-tdx]";
    for (name, enabled) in [
        ("consumer-aks.yaml", platforms),
        ("consumer-deployment-aks.yaml", platforms),
        ("consumer-coco-snp.yaml", platforms),
        ("consumer-coco-tdx.yaml", platforms),
        ("ms-pod-one-container.yaml", "[test-agent-policy]"),
        ("ms-deployment-busybox.yaml", "[test-agent-policy]"),
        ("kata-pod-initdata.yaml", "[test-initdata]"),
    ] {
        let Some(called) = reviewed(name, enabled) else { return };
        assert!(!called.out.contains("policy-covers-the-pod"), "{name}: {}", called.out);
        assert!(called.printed().starts_with("admitted"), "{name}");
    }
}

#[test]
fn a_policy_made_before_injection_is_refused_with_the_container_and_the_cause() {
    let Some(called) = reviewed("consumer-policy-made-before-injection.yaml", "[aks, coco-snp, coco-tdx]") else { return };
    assert_eq!(called.code, 1, "{}", called.err);
    let finding = "policy-covers-the-pod: the policy does not cover the pod: container skr, name: the pod has \"skr\", the policy has no such container.";
    assert!(called.out.contains(finding), "{}", called.out);
    assert!(called.out.contains("The policy was generated before injection"), "{}", called.out);
    assert!(called.out.contains("run `countersign render` first"), "{}", called.out);
}
