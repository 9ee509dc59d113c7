mod fixtures;

use std::sync::Arc;

use serde_json::Value;

use super::{AskedPod, Coverage, Finding};
use crate::engine::{Evaluator, InProcess};
use crate::examined::Examined;
use crate::reading::{Limits, Measured};

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

fn said(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{:?} {finding}", finding.certainty)).collect()
}
