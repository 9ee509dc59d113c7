//! The reviews that are sent: the samples of the project, with a policy as large as generated ones are.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_decision::configuration::Configuration;
use countersign_decision::facts::{Facts, Known};
use countersign_decision::mutate;
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_policy::{Digest, Measured};
use jiff::Timestamp;
use serde_json::{Value, json};

const PLAIN: &str = include_str!("../../manifests/samples/consumer-plain.yaml");
const POLICY: &str = include_str!("../../manifests/samples/policy.rego");

/// The size of a generated policy's text, in bytes: 59 KB, so that the review has about 81 KB.
const BIG_POLICY: usize = 59_000;

/// How many entries fit into a `ConfigMap`, which takes 1 MiB.
const IN_A_CONFIG_MAP: usize = 5_000;
/// How many policies are seen for the first time.
const NEVER_SEEN: usize = 15;

/// Where the reviews and the allow-lists are.
pub(crate) struct Reviews {
    directory: PathBuf,
    /// An allow-list with the policies of the reviews, but for the one called stranger, and no others.
    pub(crate) list_of_one: PathBuf,
    /// The same among 10,000 entries, and among 100,000.
    pub(crate) list_of_10_000: PathBuf,
    pub(crate) list_of_100_000: PathBuf,
    /// An allow-list without entries.
    pub(crate) empty_list: PathBuf,
    /// Reviews of pods whose policies differ in a comment, and the allow-list that lists them.
    pub(crate) never_seen: Vec<PathBuf>,
    pub(crate) list_of_never_seen: PathBuf,
    /// Where those policies are from.
    pub(crate) never_seen_from: &'static str,
}

impl Reviews {
    pub(crate) fn path(&self, review: &str, size: &str) -> PathBuf {
        self.directory.join(format!("{review}-{size}.json"))
    }
}

/// Writes everything into a directory.
pub(crate) fn write(directory: &Path) -> Result<Reviews> {
    let big = padded(POLICY);
    let small = "package agent_policy\n";
    for (size, policy) in [("big", big.as_str()), ("small", small)] {
        let plain = with_policy(pod(PLAIN)?, policy);
        let stranger = with_policy(pod(PLAIN)?, &policy.replacen("agent", "other", 1));
        for (review, pod) in [("validate", &completed(&plain)?), ("stranger", &completed(&stranger)?), ("mutate", &plain)] {
            fs::write(directory.join(format!("{review}-{size}.json")), review_of(pod).to_string())?;
        }
    }
    let ours: String = [big.as_bytes(), small.as_bytes()].map(|policy| entry(&Digest::sha256_of(policy))).concat();
    let list = |name: &str, config_maps: &[String]| {
        let path = directory.join(format!("{name}.yaml"));
        fs::write(&path, config_maps.join("\n---\n")).map(|()| path)
    };
    let among = |count: u32| -> Vec<String> {
        let numbers: Vec<u32> = (0..count).collect();
        let others = numbers.chunks(IN_A_CONFIG_MAP).enumerate().map(|(index, numbers)| {
            let entries: String = numbers.iter().map(|number| entry(&Digest::sha256_of(&number.to_be_bytes()))).collect();
            config_map(&format!("others-{index}"), &entries)
        });
        others.chain([config_map("allow-list", &ours)]).collect()
    };
    let (never_seen_from, generated) = generated()?;
    let policies = (0..NEVER_SEEN).map(|number| format!("{}\n# {number}\n", generated.policy));
    let mut never_seen = Vec::new();
    let mut entries = String::new();
    for (number, policy) in policies.enumerate() {
        let review = directory.join(format!("never-seen-{number}.json"));
        fs::write(&review, review_of(&with_policy(generated.pod.clone(), &policy)).to_string())?;
        entries.push_str(&entry(&Digest::sha256_of(policy.as_bytes())));
        never_seen.push(review);
    }
    Ok(Reviews {
        directory: directory.to_owned(),
        list_of_one: list("one", &among(0))?,
        list_of_10_000: list("10-000", &among(10_000))?,
        list_of_100_000: list("100-000", &among(100_000))?,
        empty_list: list("empty", &[config_map("allow-list", "")])?,
        list_of_never_seen: list("never-seen", &[config_map("allow-list", &entries)])?,
        never_seen,
        never_seen_from,
    })
}

/// A pod with the policy that a generator made for it.
struct Generated {
    pod: Value,
    policy: String,
}

/// That of a real generator where it stands beside the project, else the sample with a policy of that size.
fn generated() -> Result<(&'static str, Generated)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/consumer-aks.yaml");
    let Ok(manifest) = fs::read_to_string(path) else {
        let pod = completed(&with_policy(pod(PLAIN)?, POLICY))?;
        return Ok(("the project's sample", Generated { pod, policy: padded(POLICY) }));
    };
    let pod = pod(&manifest)?;
    let annotation = pod.pointer("/metadata/annotations").and_then(|all| all.get(Measured::AgentPolicy.annotation()));
    let annotation = annotation.and_then(Value::as_str).context("the pod of the generator has no policy")?;
    let policy = String::from_utf8(STANDARD.decode(annotation)?).context("the policy of the generator is no text")?;
    Ok(("a generator's, for Azure", Generated { pod, policy }))
}

/// The policy with comment lines up to the size of a generated one.
fn padded(policy: &str) -> String {
    let mut text = policy.to_owned();
    let mut line = 0;
    while text.len() < BIG_POLICY {
        line += 1;
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "# line {line}: {{\"Process\": {{\"Args\": [\"/bin/sh\", \"-c\", \"echo {line}\"]}}, \"Mounts\": []}}"
        );
    }
    text
}

fn entry(digest: &Digest) -> String {
    format!("    - {{digest: \"{digest}\", namespaces: [kafka], serviceAccounts: [workload-identity-sa]}}\n")
}

fn config_map(name: &str, entries: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: countersign-system, labels: {{countersign.dev/allow-list: \"true\"}}}}\ndata:\n  list.yaml: |\n{entries}"
    )
}

fn pod(sample: &str) -> Result<Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(sample)?;
    documents.into_iter().find(|document| document.get("kind") == Some(&json!("Pod"))).context("the manifest has no pod")
}

fn with_policy(mut pod: Value, policy: &str) -> Value {
    if let Some(metadata) = pod.pointer_mut("/metadata").and_then(Value::as_object_mut)
        && let Some(annotations) = metadata.entry("annotations").or_insert_with(|| json!({})).as_object_mut()
    {
        annotations.insert(Measured::AgentPolicy.annotation().to_owned(), json!(STANDARD.encode(policy)));
    }
    pod
}

/// The pod as the API server shows it to /validate.
fn completed(pod: &Value) -> Result<Value> {
    let facts = Facts::unwatched(Arc::new(Configuration::built_in()?), "countersign-system");
    let json = pod.to_string();
    let request = PodRequest {
        operation: Operation::Create,
        namespace: "kafka",
        required: false,
        groups: Vec::new(),
        pod: Pod::from_json(&json)?,
        old: None,
    };
    let verdict = mutate(&request, &Known { facts: &facts, now: Timestamp::UNIX_EPOCH, stale_since: None });
    let mut pod = pod.clone();
    json_patch::patch(&mut pod, &verdict.patch)?;
    Ok(pod)
}

fn review_of(pod: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "operation": "CREATE", "namespace": "kafka", "name": "kafka-golang-consumer",
            "kind": {"group": "", "version": "v1", "kind": "Pod"}, "resource": {"group": "", "version": "v1", "resource": "pods"},
            "userInfo": {"username": "bench", "groups": ["system:authenticated"]}, "object": pod, "oldObject": null, "dryRun": false
        }
    })
}
