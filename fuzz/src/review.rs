//! An admission review: the bytes that the API server sends, and those that it is answered.

use std::sync::{Arc, LazyLock};

use countersign::http::{Answer, Judge as _, ROUTES};
use countersign::judge::Countersign;
use countersign::knowledge::Knowledge;
use countersign::review;
use countersign_decision::configuration::Configuration;
use countersign_decision::facts::{Facts, Known};
use countersign_decision::pod::Pod;
use countersign_decision::request::PodRequest;
use countersign_decision::{mutate, validate};
use countersign_golden::{Given, NAMESPACE};
use serde_json::{Value, json};

use crate::cases;

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let review = |pod: &Value, old: Option<&Value>| {
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "operation": if old.is_some() { "UPDATE" } else { "CREATE" }, "namespace": NAMESPACE,
                "userInfo": {"username": "developer", "groups": ["system:authenticated"]}, "object": pod, "oldObject": old
            }
        });
        review.to_string().into_bytes()
    };
    cases::all().iter().map(|seed| review(&seed.pod, seed.old.as_ref())).collect()
}

/// The webhook's own way from bytes to bytes on every path, then what the core makes of the same pod with a list that admits some.
pub(crate) fn run(input: &[u8]) {
    for (_, endpoint) in ROUTES {
        if let Answer::Review { body, .. } = WEBHOOK.answer(endpoint, input) {
            let answer: Value = serde_json::from_slice(&body).unwrap();
            let response = &answer["response"];
            assert_eq!(response["allowed"] == true, response.get("status").is_none(), "{answer}");
            assert_eq!(response.get("patch").is_some(), response.get("patchType").is_some(), "{answer}");
        }
    }
    let (body, whole) = (review::Body::of(input), review::Body::whole(input));
    assert_eq!(format!("{:?}", review::read(&body)), format!("{:?}", review::read(&whole)));
    let Ok(question) = review::read(&body) else { return };
    let known = Known { facts: &FACTS, now: "2027-01-01T00:00:00Z".parse().unwrap(), stale_since: None };
    question.into_request(false, |request| {
        validate(request, &known);
        let verdict = mutate(request, &known);
        let Ok(mut review) = serde_json::from_slice::<Value>(input) else { return };
        if verdict.patch.0.is_empty() {
            return;
        }
        let pod = &mut review["request"]["object"];
        json_patch::patch(pod, &verdict.patch).expect("the patch applies to the pod that it was made for");
        let text = pod.to_string();
        let completed = PodRequest {
            operation: request.operation,
            namespace: request.namespace,
            required: request.required,
            groups: request.groups.clone(),
            pod: Pod::from_json(&text).expect("a completed pod is read"),
            old: None,
        };
        let again = mutate(&completed, &known);
        assert!(again.refusals.is_empty() && again.patch.0.is_empty(), "completed twice: {again:?}");
    });
}

static WEBHOOK: LazyLock<Countersign> = LazyLock::new(|| {
    let configuration = Arc::new(Configuration::built_in().unwrap());
    Countersign::new(Arc::new(Knowledge::of_files(configuration)))
});

static FACTS: LazyLock<Facts> = LazyLock::new(|| Given::default().facts().unwrap());
