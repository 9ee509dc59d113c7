//! What the manifests are made of: what a configuration says of classes, handlers and annotations.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use countersign_decision::configuration::Configuration;
use serde_json::json;

const HEAD: &str = "apiVersion: countersign.dev/v1alpha1\nkind: Configuration\n";

/// The built-in profiles and one more, which shares a handler with one of them.
fn with_another_profile() -> Configuration {
    let profile = json!({"name": "lab", "runtimeClass": "lab-a", "policyAnnotation": "io.katacontainers.config.agent.policy",
        "accepts": [{"runtimeClass": "lab-a", "handlers": ["kata-cc", "lab"]}, {"runtimeClass": "kata-cc", "handlers": ["lab"]}]});
    Configuration::parse(&format!("{HEAD}profiles: [{profile}]\n")).unwrap()
}

#[test]
fn every_class_handler_and_annotation_of_a_known_profile_is_named_once() {
    let configuration = with_another_profile();
    let names = |names: Vec<&countersign_decision::names::Name>| names.into_iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        names(configuration.runtime_classes()),
        ["kata-cc-isolation", "kata-cc", "kata-qemu-snp", "kata-qemu-tdx", "kata-qemu-coco-dev", "lab-a"]
    );
    assert_eq!(names(configuration.handlers()), ["kata-cc", "kata-qemu-snp", "kata-qemu-tdx", "kata-qemu-coco-dev", "lab"]);
    let annotations = ["io.katacontainers.config.agent.policy", "io.katacontainers.config.hypervisor.cc_init_data"];
    assert_eq!(configuration.policy_annotations(), annotations);
}

#[test]
fn one_request_may_take_all_the_room_there_is() {
    let limits = |body: usize| format!("{HEAD}limits: {{maxBodyBytes: {body}, maxBytesInFlight: 4096}}\n");
    assert!(Configuration::parse(&limits(4096)).is_ok());
    let refused = Configuration::parse(&limits(4097)).unwrap_err();
    assert!(refused.message.contains("the largest request would never find room"), "{refused}");
}
