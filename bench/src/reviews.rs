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

/// Where the reviews and the allow-lists are.
pub(crate) struct Reviews {
    directory: PathBuf,
    /// An allow-list with the policies of the reviews, but for the one called stranger, and no others.
    pub(crate) list_of_one: PathBuf,
    /// The same among 10,000 entries.
    pub(crate) list_of_many: PathBuf,
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
    let others: String = (0..10_000_u32).map(|number| entry(&Digest::sha256_of(&number.to_be_bytes()))).collect();
    let list_of_one = directory.join("one.yaml");
    let list_of_many = directory.join("many.yaml");
    fs::write(&list_of_one, config_map(&ours))?;
    fs::write(&list_of_many, config_map(&(others + &ours)))?;
    Ok(Reviews { directory: directory.to_owned(), list_of_one, list_of_many })
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

fn config_map(entries: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: allow-list, namespace: countersign-system, labels: {{countersign.dev/allow-list: \"true\"}}}}\ndata:\n  list.yaml: |\n{entries}"
    )
}

fn pod(sample: &str) -> Result<Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(sample)?;
    documents.into_iter().find(|document| document.get("kind") == Some(&json!("Pod"))).context("the sample has no pod")
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
