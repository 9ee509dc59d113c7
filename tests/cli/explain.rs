//! `countersign explain`.

use crate::called::{countersign, fixture};

const SAMPLE: &str = "manifests/samples/consumer.yaml";

#[test]
fn a_policy_is_told_by_container_and_request() {
    let told = countersign(&["explain", "-f", SAMPLE]).printed();
    for line in [
        "Pod/kafka/kafka-golang-consumer",
        "  container skr, image: mcr.microsoft.com/aci/skr:2.7",
        "  container kafka-golang-consumer, command: \"/consume\"",
        "  container kafka-golang-consumer, env TOPIC: \"kafka-demo-topic\"",
        "  commands in a running container (exec, probes): none",
        "  the policy may be replaced: no",
    ] {
        assert!(told.lines().any(|told| told == line), "{line}\n{told}");
    }
    assert!(!told.contains("finding:"), "{told}");
}

#[test]
fn two_policies_are_compared_in_those_terms() {
    let before = std::fs::read_to_string(SAMPLE).unwrap();
    assert!(countersign(&["explain", "-f", SAMPLE, "-f", SAMPLE]).printed().contains("nothing changed"));
    let policy = std::fs::read_to_string("manifests/samples/policy.rego").unwrap();
    let changed = policy
        .replace("consumer:1.0", "consumer:1.1")
        .replace("default ExecProcessRequest := false", "default ExecProcessRequest := true");
    let encode = base64_text;
    let after = before.replace(&encode(&policy), &encode(&changed));
    assert_ne!(before, after);
    let folder = tempfile::tempdir().unwrap();
    let path = crate::called::file(folder.path(), "after.yaml", &after);
    let told = countersign(&["explain", "-f", SAMPLE, "-f", &path]).printed();
    let image = "  container kafka-golang-consumer, image\n    - mcr.microsoft.com/acc/samples/kafka/consumer:1.0\n    + mcr.microsoft.com/acc/samples/kafka/consumer:1.1\n";
    assert!(told.contains(image), "{told}");
    assert!(told.contains("  commands in a running container (exec, probes)\n    - none\n    + any\n"), "{told}");
    assert!(told.contains("finding: it lets the host run any command in a container (ExecProcessRequest)"), "{told}");
}

#[test]
fn the_form_for_programs_says_the_same() {
    let told: serde_json::Value =
        serde_json::from_str(&countersign(&["explain", "-f", SAMPLE, "-o", "json"]).printed()).unwrap();
    let pod = &told["pods"][0];
    assert_eq!(pod["name"], "kafka-golang-consumer");
    let statements = pod["statements"].as_array().unwrap();
    assert!(
        statements
            .iter()
            .any(|said| said["about"] == "container skr, image" && said["says"] == "mcr.microsoft.com/aci/skr:2.7")
    );
}

#[test]
fn an_initdata_of_a_real_generator_is_told_with_its_hardware_values() {
    let Some(path) = fixture("fixtures/consumer-coco-snp.yaml") else { return };
    let told = countersign(&["explain", "-f", &path]).printed();
    assert!(
        told.contains("  as SEV-SNP HOST_DATA holds it: bc12ca471144345df00fad37f1825c139440adbaef438c201cea55e38fe1d4e9\n"),
        "{told}"
    );
    assert!(told.contains("  container skr, image: mcr.microsoft.com/aci/skr:2.7\n") && !told.contains("finding:"), "{told}");
}

#[test]
fn where_a_policy_does_not_cover_its_pod_is_a_finding() {
    let Some(path) = fixture("fixtures/consumer-policy-made-before-injection.yaml") else { return };
    let told = countersign(&["explain", "-f", &path]).printed();
    let finding = "  finding: the policy does not cover the pod: container skr, name: ";
    assert!(told.lines().any(|line| line.starts_with(finding)), "{told}");
}

#[test]
fn a_pod_without_a_policy_has_nothing_to_explain() {
    let error = countersign(&["explain", "-f", "manifests/samples/producer.yaml"]).unusable();
    assert!(error.contains("no pod in it carries a policy"), "{error}");
}

fn base64_text(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
