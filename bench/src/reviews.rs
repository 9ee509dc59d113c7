//! The reviews that are sent: the samples of the project, with a policy as large as generated ones are.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_policy::{Digest, Measured};
use serde_json::{Value, json};

const PLAIN: &str = include_str!("../../manifests/samples/consumer-plain.yaml");
const TUTORIAL: &str = include_str!("../../manifests/samples/consumer.yaml");
const POLICY: &str = include_str!("../../manifests/samples/policy.rego");

/// The size of a generated policy's text, in bytes: 59 KB, so that the review has about 81 KB.
const BIG_POLICY: usize = 59_000;

/// Where the reviews and the allow-lists are.
pub(crate) struct Reviews {
    directory: PathBuf,
    /// An allow-list with the two policies of the reviews and no others.
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
        for (review, sample) in [("mutate", PLAIN), ("validate", TUTORIAL)] {
            let body = review_of(&with_policy(pod(sample)?, policy)).to_string();
            fs::write(directory.join(format!("{review}-{size}.json")), body)?;
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
