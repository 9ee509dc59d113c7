//! The samples do what their comments say.

use std::sync::Arc;

use countersign_decision::allow_list::{AllowList, ConfigMapText, Sources};
use countersign_decision::configuration::Configuration;
use countersign_decision::facts::{Facts, Known};
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_decision::verdict::{Decision, Verdict};
use countersign_policy::{Digest, Limits, Measured};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

const POLICY: &str = include_str!("../../manifests/samples/policy.rego");
const ALLOW_LIST: &str = include_str!("../../manifests/samples/allow-list.yaml");
const PLAIN: &str = include_str!("../../manifests/samples/consumer-plain.yaml");
const PLAIN_WITH_POLICY: &str = include_str!("../../manifests/samples/consumer-plain-with-policy.yaml");
const CONSUMER: &str = include_str!("../../manifests/samples/consumer.yaml");
const PRODUCER: &str = include_str!("../../manifests/samples/producer.yaml");

fn pod(sample: &str) -> Value {
    let documents: Vec<Value> = serde_saphyr::from_multiple(sample).unwrap();
    documents.into_iter().find(|document| document["kind"] == "Pod").unwrap()
}

fn asked(judge: fn(&PodRequest<'_>, &Known<'_>) -> Verdict, pod: &Value) -> Verdict {
    let config_map: Value = serde_saphyr::from_str(ALLOW_LIST).unwrap();
    let text = ConfigMapText {
        name: config_map["metadata"]["name"].as_str().unwrap().to_owned(),
        data: serde_json::from_value(config_map["data"].clone()).unwrap(),
        binary_keys: Vec::new(),
    };
    let mut sources = Sources::default();
    sources.take(&text, Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1)).unwrap();
    let facts = Facts {
        allow_list: Arc::new(AllowList::of(&sources)),
        ..Facts::unwatched(Arc::new(Configuration::built_in().unwrap()), super::NAMESPACE)
    };
    let json = pod.to_string();
    let request = PodRequest {
        operation: Operation::Create,
        namespace: pod["metadata"]["namespace"].as_str().unwrap(),
        required: false,
        groups: Vec::new(),
        pod: Pod::from_json(&json).unwrap(),
        old: None,
    };
    judge(&request, &Known { facts: &facts, now: Timestamp::UNIX_EPOCH, stale_since: None })
}

fn completed(sample: &str) -> Value {
    let mut pod = pod(sample);
    let verdict = asked(countersign_decision::mutate, &pod);
    assert_eq!(verdict.decision, Decision::Patched, "{}", verdict.message());
    json_patch::patch(&mut pod, &verdict.patch).unwrap();
    pod
}

#[test]
fn the_annotations_are_the_policy_in_base64_and_the_allow_list_lists_it() {
    let digest = Digest::sha256_of(POLICY.as_bytes());
    for sample in [CONSUMER, PLAIN_WITH_POLICY] {
        let pod = pod(sample);
        let annotation = pod["metadata"]["annotations"][Measured::AgentPolicy.annotation()].as_str().unwrap();
        // Strict base64 has one spelling, so the same digest is the same annotation.
        let found = Measured::AgentPolicy.read(annotation, Limits::OFFLINE).unwrap().digest;
        assert_eq!(found, digest, "put `base64 -w0 policy.rego` into the annotation");
    }
    assert!(ALLOW_LIST.contains(&format!("- digest: {digest}\n")), "allow-list.yaml has to list {digest}");
}

#[test]
fn the_plain_consumer_lacks_nothing_but_a_policy() {
    let verdict = asked(countersign_decision::validate, &completed(PLAIN));
    assert_eq!(verdict.refusals.iter().map(|refusal| refusal.id).collect::<Vec<_>>(), ["policy-missing"]);
    let mut with_policy = pod(PLAIN_WITH_POLICY);
    with_policy["metadata"].as_object_mut().unwrap().remove("annotations");
    assert_eq!(with_policy, pod(PLAIN), "the two differ in the policy alone");
}

#[test]
fn the_plain_consumer_with_its_policy_is_admitted() {
    let verdict = asked(countersign_decision::validate, &completed(PLAIN_WITH_POLICY));
    assert_eq!((verdict.decision, verdict.message().as_str()), (Decision::Admitted, ""));
}

#[test]
fn the_tutorial_consumer_is_admitted_as_it_is() {
    let pod = pod(CONSUMER);
    assert_eq!(asked(countersign_decision::mutate, &pod).decision, Decision::Untouched);
    let verdict = asked(countersign_decision::validate, &pod);
    assert_eq!((verdict.decision, verdict.message().as_str()), (Decision::Admitted, ""));
}

#[test]
fn the_producer_is_none_of_countersigns_business() {
    for judge in [countersign_decision::mutate, countersign_decision::validate] {
        assert_eq!(asked(judge, &pod(PRODUCER)).decision, Decision::Untouched);
    }
}

#[test]
fn the_policy_covers_the_containers_of_the_completed_consumer() {
    let (_, data) = POLICY.split_once("policy_data := ").unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    let covered = data["containers"].as_array().unwrap();
    assert_eq!(covered[0]["OCI"]["Process"]["Args"], serde_json::json!(["/pause"]));
    let pod = completed(PLAIN_WITH_POLICY);
    let containers = pod["spec"]["containers"].as_array().unwrap();
    assert_eq!(containers.len(), covered.len() - 1);
    for (container, covered) in containers.iter().zip(&covered[1..]) {
        let Value::Object(oci) = &covered["OCI"] else { panic!("{covered}") };
        assert_eq!(oci["Annotations"]["io.kubernetes.cri.container-name"], container["name"]);
        assert_eq!(oci["Annotations"]["io.kubernetes.cri.image-name"], container["image"]);
        assert_eq!(oci["Process"]["Args"], container["command"]);
        for variable in container["env"].as_array().unwrap() {
            let text = format!("{}={}", variable["name"].as_str().unwrap(), variable["value"].as_str().unwrap());
            assert!(oci["Process"]["Env"].as_array().unwrap().contains(&text.clone().into()), "{text}");
        }
    }
}
