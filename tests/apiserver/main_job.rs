//! The main job: an opted-in pod comes out complete, and only a countersigned policy gets in.

use std::io::Write as _;
use std::time::Instant;

use serde_json::{Value, json};

use crate::allow_list::{list, unlist};
use crate::coverage::CONSUMER;
use crate::pods::{create, delete, documents};
use crate::site::{Site, site, until};

const PLAIN: &str = include_str!("../../manifests/samples/consumer-plain.yaml");
const PRODUCER: &str = include_str!("../../manifests/samples/producer.yaml");
const POLICY: &str = include_str!("../../manifests/samples/policy.rego");
const ALLOW_LIST: &str = include_str!("../../manifests/samples/allow-list.yaml");
const KEY: &str = "io.katacontainers.config.agent.policy";

fn sample(text: &str, name: &str) -> Value {
    let mut pod = documents(text).into_iter().find(|object| object["kind"] == "Pod").unwrap();
    pod["metadata"]["name"] = json!(name);
    pod
}

fn with_policy(mut pod: Value, policy: &str) -> Value {
    use base64::Engine as _;
    pod["metadata"]["annotations"][KEY] = json!(base64::engine::general_purpose::STANDARD.encode(policy));
    pod
}

#[test]
fn the_plain_consumer_comes_back_complete_with_the_overhead_of_its_runtime_class() {
    let Site { server, webhook } = site();
    let text = ALLOW_LIST.replace("name: allow-list", "name: main-job");
    list(server, webhook, &documents(&text)[0]);
    let pod = create(server, &with_policy(sample(PLAIN, "complete"), POLICY), false).admitted();
    delete(server, "kafka", "complete");
    assert_eq!(pod["spec"]["containers"][0]["name"], "skr");
    assert_eq!(pod["spec"]["containers"][1]["name"], "kafka-golang-consumer");
    assert_eq!(pod["spec"]["runtimeClassName"], "kata-cc-isolation");
    assert_eq!(pod["spec"]["overhead"], json!({"memory": "2Gi"}), "the in-tree plugin has run after the patch");
    let token =
        |container: usize| pod["spec"]["containers"][container]["volumeMounts"].to_string().contains("kube-api-access-");
    assert!(token(0) && token(1), "both containers have the service-account mount");
    assert_eq!(pod["spec"]["nodeSelector"]["kubernetes.azure.com/trusted-launch"], "true");
    assert_eq!(pod["spec"]["nodeSelector"]["kubernetes.azure.com/secure-boot"], "true");
    assert!(pod["spec"]["volumes"].as_array().unwrap().iter().any(|volume| volume["name"] == "endor-loc"));
    assert_eq!(pod["metadata"]["annotations"]["countersign.dev/profile"], "aks");
    assert_eq!(pod["metadata"]["labels"]["countersign.dev/countersigned"], "true");
}

#[test]
fn the_same_with_an_unlisted_policy_is_refused_with_its_digest_and_an_entry_to_paste() {
    let Site { server, .. } = site();
    let refusal = create(server, &with_policy(sample(PLAIN, "unlisted"), "package nobody_listed_this\n"), true).refused();
    let digest = countersign_policy::Digest::sha256_of(b"package nobody_listed_this\n");
    assert!(refusal.contains("admission webhook \"judge.confidential-pods.countersign.dev\""), "{refusal}");
    assert!(refusal.contains(&format!("policy-not-allowed: policy digest {digest} of pod kafka/unlisted")), "{refusal}");
    assert!(
        refusal.contains(&format!("- {{digest: \"{digest}\", namespaces: [kafka], serviceAccounts: [workload-identity-sa]}}")),
        "{refusal}"
    );
}

#[test]
fn a_real_policy_is_admitted_once_listed_and_refused_once_its_entry_is_gone() {
    let Ok(text) = std::fs::read_to_string("../shared/fixtures/consumer-aks.yaml") else {
        let _ = writeln!(std::io::stderr(), "skipped: ../shared/fixtures is not there");
        return;
    };
    let Site { server, webhook } = site();
    let _alone = CONSUMER.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let pod = sample(&text, "kafka-golang-consumer");
    assert!(create(server, &pod, true).refused().contains("policy-not-allowed"));
    let entry = "- {digest: \"sha256:bebb44db3c081a52b5c017c478db4461d956ba38c61003d912a1be089ecc4caf\", namespaces: [kafka], serviceAccounts: [workload-identity-sa], name: consumer}\n";
    let config_map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"kafka.yaml": entry},
        "metadata": {"name": "real-policy", "namespace": "countersign-system", "labels": {"countersign.dev/allow-list": "true"}}
    });
    list(server, webhook, &config_map);
    let answer = create(server, &pod, true);
    assert!(
        answer.warnings.contains("sidecar") || answer.warnings.contains("node-selectors"),
        "what only opted-in pods need is a warning: {}",
        answer.warnings
    );
    answer.admitted();
    unlist(server, "real-policy");
    let gone = Instant::now();
    until("the entry is gone", || create(server, &pod, true).stored.err());
    println!("refused {:?} after the entry was taken out", gone.elapsed());
}

#[test]
fn the_producer_is_stored_exactly_as_without_the_webhook() {
    let Site { server, .. } = site();
    let producer = sample(PRODUCER, "producer");
    // A namespace that the webhooks leave out shows what the API server makes of it alone.
    let mut elsewhere = producer.clone();
    elsewhere["metadata"]["namespace"] = json!("default");
    let stored = |pod: &Value| {
        let mut pod = create(server, pod, true).admitted();
        let token = pod["spec"]["volumes"][0]["name"].as_str().unwrap().to_owned();
        pod = serde_json::from_str(&pod.to_string().replace(&token, "kube-api-access")).unwrap();
        (pod["spec"].clone(), pod["metadata"]["labels"].clone(), pod["metadata"]["annotations"].clone())
    };
    let with = stored(&producer);
    for kind in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
        assert!(
            server.kubectl(&["get", kind, "-o", "name"]).unwrap().stdout.starts_with(kind.trim_end_matches('s').as_bytes()),
            "{kind} are registered"
        );
    }
    assert_eq!(with, stored(&elsewhere));
    assert_eq!(with.1, Value::Null);
    assert_eq!(with.2, Value::Null);
}
