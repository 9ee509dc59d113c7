//! The pods that run, judged by the same core as the webhook, as they are stored.
//!
//! They are read page by page and only what was found is kept: a cluster may hold gigabytes of policies.

use countersign_decision::facts::{Facts, Known};
use countersign_decision::request::Operation;
use countersign_decision::validate;
use countersign_decision::verdict::Decision;
use jiff::Timestamp;
use kube::Client;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::unseen::NextStep as _;
use crate::commands::doctor::snapshot::{Look, RefusedPod, Running};
use crate::commands::{cluster, input};

/// Pods of a page: with policies of real size it is some tens of megabytes.
const PAGE: usize = 200;
const WHAT: &str = "list pods in all namespaces";

#[derive(Deserialize)]
struct List {
    metadata: ListMetadata,
    items: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct ListMetadata {
    #[serde(rename = "continue", default)]
    next: String,
}

/// What is read of a pod before it is judged.
#[derive(Deserialize)]
struct Head {
    metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    #[serde(default)]
    status: Phase,
}

#[derive(Default, Deserialize)]
struct Phase {
    #[serde(default)]
    phase: String,
}

pub(super) async fn judged(client: &Client, facts: &Facts, now: Timestamp) -> Look<Running> {
    let known = Known { facts, now, stale_since: None };
    let mut running = Running::default();
    let mut next = String::new();
    loop {
        let path = format!("/api/v1/pods?limit={PAGE}&continue={next}");
        let request = hyper::Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError).unseen(WHAT)?;
        let list: List = client.request(request).await.unseen(WHAT)?;
        for pod in &list.items {
            judge(pod.get(), &known, &mut running);
        }
        // A token is base64 of the API server's own making: its characters need no escape in a query but these.
        next = list.metadata.next.replace('+', "%2B").replace('=', "%3D");
        if next.is_empty() {
            return Ok(running);
        }
    }
}

/// Judges a pod as if its author created it now. One that has ended, is ending, or is the picture of a static pod is left out.
fn judge(json: &str, known: &Known<'_>, running: &mut Running) {
    let Ok(Head { metadata, status }) = serde_json::from_str::<Head>(json) else { return };
    if !cluster::runs_on(&status.phase, &metadata) {
        return;
    }
    let namespace = metadata.namespace.unwrap_or_default();
    let name = metadata.name.unwrap_or_default();
    let mode = known.facts.namespace(&namespace).mode;
    let verdict = match input::ask(Operation::Stored, json, &namespace, |request| validate(request, known)) {
        Ok(verdict) => verdict,
        Err(unreadable) => {
            let reasons = vec![("unreadable", unreadable.to_string())];
            running.refused.push(RefusedPod { namespace, name, mode, refused: true, reasons });
            return;
        }
    };
    if verdict.decision != Decision::Untouched {
        running.confidential += 1;
    }
    if !verdict.refusals.is_empty() {
        let reasons = verdict.refusals.iter().map(|refusal| (refusal.id, refusal.because.clone())).collect();
        running.refused.push(RefusedPod { namespace, name, mode, refused: !verdict.allowed(), reasons });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use countersign_decision::configuration::Configuration;
    use serde_json::{Value, json};

    use super::*;

    fn running(pods: &[Value]) -> Running {
        let facts = Facts {
            namespaces: Some(Arc::default()),
            ..Facts::unwatched(Arc::new(Configuration::built_in().unwrap()), "countersign-system")
        };
        let known = Known { facts: &facts, now: Timestamp::UNIX_EPOCH, stale_since: None };
        let mut running = Running::default();
        for pod in pods {
            judge(&pod.to_string(), &known, &mut running);
        }
        running
    }

    fn pod(name: &str) -> Value {
        json!({
            "metadata": {"name": name, "namespace": "kafka"},
            "spec": {"runtimeClassName": "kata-cc-isolation", "containers": [{"name": "c", "image": "i"}]},
            "status": {"phase": "Running"}
        })
    }

    #[test]
    fn a_confidential_pod_without_a_policy_would_be_refused_and_an_ordinary_one_not() {
        let mut ordinary = pod("ordinary");
        ordinary["spec"]["runtimeClassName"] = Value::Null;
        let running = running(&[pod("confidential"), ordinary]);
        assert_eq!(running.confidential, 1);
        assert_eq!(running.refused.len(), 1);
        assert_eq!((running.refused[0].name.as_str(), running.refused[0].reasons[0].0), ("confidential", "policy-missing"));
        assert!(running.refused[0].refused);
    }

    #[test]
    fn pods_that_have_ended_are_ending_or_mirror_a_static_pod_are_left_out() {
        let mut ended = pod("ended");
        ended["status"]["phase"] = json!("Succeeded");
        let mut ending = pod("ending");
        ending["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        let mut mirror = pod("mirror");
        mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
        assert_eq!(running(&[ended, ending, mirror]).confidential, 0);
    }
}
