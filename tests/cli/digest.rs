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
        (
            "consumer-coco-snp.yaml",
            "sha256:bc12ca471144345df00fad37f1825c139440adbaef438c201cea55e38fe1d4e9  Pod/kafka/kafka-golang-consumer\n",
        ),
        (
            "consumer-coco-tdx.yaml",
            "sha384:ecb0de10c7ac5356d6e13fcd2c6984f383d451b5d74bf12c038ca15791548b361314abe7073b13ba85db0054a47ac261  Pod/kafka/kafka-golang-consumer\n",
        ),
        (
            "kata-pod-initdata.yaml",
            "sha256:38367f88f4b1d9fea79c6750b2755bbc58609a5d8b15f58e89646cf46ff2036e  Pod/-/one-container\n",
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

/// An initdata by sha512 without a policy, compressed.
const INITDATA: &str = "H4sIAAAAAAACAytLLSrOzM9TsFVQMtAz1DNQ4krMSc8vyizJyAWJFWckmhoaKXFFpySWJMZyAQBworHdLgAAAA==";

fn pod(annotations: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations: {{{annotations}}}\nspec: {{containers: []}}\n")
}

#[test]
fn an_initdata_is_digested_by_its_own_algorithm_under_either_key() {
    let document = b"version = \"0.1.0\"\nalgorithm = \"sha512\"\n[data]\n";
    let digest = countersign_policy::Digest::of(countersign_policy::Algorithm::Sha512, document);
    for key in ["hypervisor", "runtime"] {
        let pod = pod(&format!("io.katacontainers.config.{key}.cc_init_data: {INITDATA}"));
        assert_eq!(countersign_with(&pod, &["digest", "-f", "-"]).printed(), format!("{digest}  Pod/-/p\n"));
    }
}

#[test]
fn two_policy_annotations_on_one_pod_are_refused_by_name() {
    let pod = pod(&format!(
        "io.katacontainers.config.agent.policy: cGFja2FnZQ==, io.katacontainers.config.hypervisor.cc_init_data: {INITDATA}"
    ));
    for command in ["digest", "allow"] {
        let error = countersign_with(&pod, &[command, "-f", "-"]).unusable();
        assert!(
            error.contains("standard input:5:16")
                && error.contains("Pod p: annotations io.katacontainers.config.agent.policy and io.katacontainers.config.hypervisor.cc_init_data both carry a policy"),
            "{error}"
        );
    }
}

#[test]
fn an_initdata_that_cannot_be_read_is_named_with_its_place() {
    let pod = pod(&format!("io.katacontainers.config.hypervisor.cc_init_data: {}", INITDATA.trim_end_matches('=')));
    let error = countersign_with(&pod, &["digest", "-f", "-"]).unusable();
    assert!(
        error.contains("standard input:5:67 (document 1): annotation io.katacontainers.config.hypervisor.cc_init_data of Pod p is not an initdata: its padding is wrong"),
        "{error}"
    );
}
