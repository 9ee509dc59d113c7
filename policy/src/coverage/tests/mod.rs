mod fields;
mod fixtures;
mod last_word;
mod remembered;
mod request;
mod sandbox;
mod storages;
mod trust;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{AskedPod, Coverage, Finding};
use crate::data::CONTAINER_NAME;
use crate::engine::{Evaluator, InProcess};
use crate::examined::Examined;
use crate::reading::{Document, Limits, Measured};

/// A pod of a manifest, as the API server hands it over in this namespace.
fn asked(pod: &Value, namespace: &str) -> AskedPod {
    let spec = &pod["spec"];
    let list = |field: &str| spec[field].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    AskedPod {
        name: text(&pod["metadata"]["name"]),
        generate_name: text(&pod["metadata"]["generateName"]),
        namespace: namespace.to_owned(),
        service_account: spec["serviceAccountName"].as_str().unwrap_or("default").to_owned(),
        security: serde_json::from_value(spec["securityContext"].clone()).ok().unwrap_or_default(),
        shares_processes: spec["shareProcessNamespace"] == true,
        containers: list("initContainers")
            .into_iter()
            .chain(list("containers"))
            .map(|c| serde_json::from_value(c).unwrap())
            .collect(),
        volumes: list("volumes").into_iter().map(|volume| serde_json::from_value(volume).unwrap()).collect(),
    }
}

fn coverage(annotation: &str, measured: Measured) -> Coverage {
    let evaluator: Arc<dyn Evaluator> = Arc::new(InProcess);
    Examined::of(&measured.read(annotation, Limits::OFFLINE).unwrap().document, &evaluator).unwrap().coverage.unwrap()
}

/// The text of a policy that describes `data` and allows what meets all of `conditions`.
fn policy(data: &Value, conditions: &str) -> String {
    let head = "package agent_policy\nimport future.keywords.in\nimport future.keywords.if";
    format!("{head}\npolicy_data := {data}\nCreateContainerRequest if {{ {conditions} }}\n")
}

/// What is compared with a policy of this text.
fn written(data: &Value, text: &str) -> Coverage {
    let evaluator: Arc<dyn Evaluator> = Arc::new(InProcess);
    Coverage::of(&Arc::new(Document::AgentPolicy(text.into())), &evaluator, data.clone())
}

/// A container named `app` as a policy describes it, with these parts of its OCI specification.
fn app(mut oci: Value) -> Value {
    oci["Annotations"][CONTAINER_NAME] = json!("app");
    json!({"OCI": oci})
}

fn said(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{:?} {finding}", finding.certainty)).collect()
}
