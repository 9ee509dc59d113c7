//! Annotations of the Kata runtime: they configure the virtual machine, or carry a policy that this platform never measures.

use serde_json::json;

use super::Expected::{Passes, Refused};
use super::{TENANT, countersigned, edited, hold, ordinary, site, tried};

#[test]
fn a_listed_pod_brings_no_annotation_that_its_profile_does_not_list() {
    let site = site();
    let pod = countersigned(site, "kafka", "annotated");
    let keys = [
        "io.katacontainers.config.hypervisor.kernel_params",
        "io.katacontainers.config.hypervisor.kernel",
        "io.katacontainers.config.hypervisor.image",
        "io.katacontainers.config.hypervisor.initrd",
        "io.katacontainers.config.hypervisor.firmware",
        "io.katacontainers.config.hypervisor.path",
        "io.katacontainers.config.hypervisor.enable_debug",
        "io.katacontainers.config.agent.enable_tracing",
        "io.katacontainers.config.runtime.disable_guest_seccomp",
        "io.katacontainers.config_path",
        // Measured by other platforms, and never by this one.
        "io.katacontainers.config.hypervisor.cc_init_data",
        "io.katacontainers.config.runtime.cc_init_data",
        "io.katacontainers.config.agent.Policy",
    ];
    let with = |key: &str| edited(pod.clone(), |pod| pod["metadata"]["annotations"][key] = json!("x"));
    let attempts = keys.map(|key| {
        (
            key.to_owned(),
            Refused(&["annotation-not-allowed: profile aks does not permit annotation"]),
            tried(site, TENANT, &with(key)),
        )
    });
    hold(attempts);
    hold([("none of Kata's".to_owned(), Passes, tried(site, TENANT, &with("example.org/io.katacontainers.x")))]);
}

#[test]
fn an_annotation_that_is_not_measured_stands_in_for_no_policy() {
    let site = site();
    let alone = edited(ordinary("kafka", "unmeasured"), |pod| {
        pod["metadata"]["labels"] = json!({"countersign.dev/confidential": "true"});
        pod["metadata"]["annotations"] = json!({"io.katacontainers.config.hypervisor.cc_init_data": "x"});
    });
    hold([("initdata alone".to_owned(), Refused(&["policy-missing: "]), tried(site, TENANT, &alone))]);
}
