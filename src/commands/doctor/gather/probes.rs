//! Two pods sent with server-side dry run: nothing is stored, and everything on the way is asked as it would be.
//!
//! One bears the label `countersign.dev/countersigned` and earned it by nothing: /validate refuses it in every mode, and nobody
//! else does. The other is an ordinary pod. Both satisfy the strictest level of Pod Security, which answers before the webhooks.

use countersign_decision::labels;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use super::unseen;
use crate::commands::doctor::snapshot::{Probe, Unseen};

/// The answers: to the pod with the claim, to the ordinary one.
pub(super) async fn send(client: &Client, namespace: &str) -> (Probe, Probe) {
    let pods = Api::<Pod>::namespaced(client.clone(), namespace);
    tokio::join!(
        ask(&pods, pod("countersign-doctor-claim", &json!({labels::COUNTERSIGNED: "true"}))),
        ask(&pods, pod("countersign-doctor-ordinary", &json!({})))
    )
}

fn pod(name: &str, labels: &Value) -> Value {
    let container = json!({
        "name": "probe", "image": "countersign.invalid/probe:0",
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"cpu": "1m", "memory": "1Mi"}}
    });
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels},
        "spec": {
            "serviceAccountName": "countersign", "automountServiceAccountToken": false, "containers": [container],
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
        }
    })
}

async fn ask(pods: &Api<Pod>, pod: Value) -> Probe {
    let what = "create pods (a dry run) in the namespace of Countersign";
    let pod: Pod = match serde_json::from_value(pod) {
        Ok(pod) => pod,
        Err(error) => return Probe::Unsent(Unseen { what: what.to_owned(), because: error.to_string(), mend: String::new() }),
    };
    match pods.create(&PostParams { dry_run: true, ..PostParams::default() }, &pod).await {
        Ok(_) => Probe::Admitted,
        // The authorizer's refusal names the user; admission's does not begin like that.
        Err(kube::Error::Api(status)) if !status.message.contains("cannot create resource \"pods\"") && status.code != 401 => {
            Probe::Refused(status.message.clone())
        }
        Err(error) => Probe::Unsent(unseen::of(&error, what)),
    }
}
