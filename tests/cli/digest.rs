//! `countersign digest`.

use crate::called::{countersign, countersign_with, fixture};

#[test]
fn the_digest_is_what_sha256sum_prints_of_the_policy() {
    let policy = std::fs::read("manifests/samples/policy.rego").unwrap();
    let digest = countersign_policy::Digest::sha256_of(&policy);
    let printed = countersign(&["digest", "-f", "manifests/samples/consumer.yaml"]).printed();
    assert_eq!(printed, format!("{digest}  Pod/kafka/kafka-golang-consumer\n"));
}

#[test]
fn real_policies_have_their_known_digests() {
    let known = [
        (
            "consumer-aks.yaml",
            "sha256:bebb44db3c081a52b5c017c478db4461d956ba38c61003d912a1be089ecc4caf  Pod/kafka/kafka-golang-consumer\n",
        ),
        (
            "consumer-policy-made-before-injection.yaml",
            "sha256:9138f0aa1c9446eff3e8f67213ef8e45498b785e9bcf14a4d82ec6fb59ed42b9  Pod/kafka/kafka-golang-consumer\n",
        ),
        (
            "consumer-deployment-aks.yaml",
            "sha256:e52b55968f5f691b47cc8d3b1c284e62560bb9bc903665e1d53dfcdf6670bc3e  Deployment/kafka/kafka-golang-consumer\n",
        ),
        (
            "ms-pod-one-container.yaml",
            "sha256:32a03560037357c760dd7ae9828fb8b253e2384358bba91f0e8e2721e79a4c3f  Pod/-/one-container\n",
        ),
        (
            "ms-deployment-busybox.yaml",
            "sha256:fbea465d11f89d47db8209a389eb02b05411be31988410cd3af417bfe41acc13  Deployment/-/busybox-deployment\n",
        ),
    ];
    for (name, line) in known {
        let Some(path) = fixture(&format!("fixtures/{name}")) else { return };
        assert_eq!(countersign(&["digest", "-f", &path]).printed(), line);
    }
}

#[test]
fn a_pod_without_a_policy_has_no_digest() {
    let error = countersign(&["digest", "-f", "manifests/samples/producer.yaml"]).unusable();
    assert!(error.contains("no pod in it carries a policy"), "{error}");
}

#[test]
fn a_policy_that_cannot_be_read_is_named_with_its_place() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    io.katacontainers.config.agent.policy: cGFj-2E=\nspec: {containers: []}\n";
    let error = countersign_with(pod, &["digest", "-f", "-"]).unusable();
    assert!(
        error.contains("standard input:6:44") && error.contains("character - at position 5 is not standard base64"),
        "{error}"
    );
}
