//! The answer when the judge panicked: a refusal, so that the API server stops the pod with a reason, whatever its
//! failurePolicy. A workload is never stopped: it gets a warning.
//!
//! Source: Kubernetes `admission.k8s.io/v1`, `AdmissionReview`; the response must repeat the request's uid.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::json;

use super::judge::{Answer, Endpoint, Outcome};

/// The id under which these refusals are counted.
const REASON: &str = "internal-error";

#[derive(Deserialize)]
struct Review<'a> {
    #[serde(borrow)]
    request: Request<'a>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    uid: Cow<'a, str>,
}

/// The answer to `review`, with its uid where it can be read and an empty one where not.
pub(super) fn answer(endpoint: Endpoint, review: &[u8]) -> Answer {
    let uid = serde_json::from_slice(review).map(|Review { request }| request.uid).unwrap_or_default();
    let next = "its log has the cause: please report it with the object";
    let response = if endpoint == Endpoint::Templates {
        json!({"uid": uid, "allowed": true, "warnings": [format!("{REASON}: countersign failed on this object; {next}")]})
    } else {
        let message = format!("{REASON}: countersign failed on this object and refuses it; {next}");
        json!({"uid": uid, "allowed": false, "status": {"code": 403, "reason": "Forbidden", "message": message}})
    };
    let body = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response});
    Answer::Review { body: body.to_string().into_bytes(), outcome: Outcome::Failed, reasons: vec![REASON] }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn uid_in_refusal(review: &[u8]) -> serde_json::Value {
        let Answer::Review { body, .. } = answer(Endpoint::Validate, review) else { panic!("not a review") };
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()["response"]["uid"].take()
    }

    #[test]
    fn the_uid_is_repeated_past_fields_that_this_build_does_not_know() {
        assert_eq!(uid_in_refusal(br#"{"x":[1],"request":{"object":{},"uid":"a\u0062c"}}"#), "abc");
    }

    #[test]
    fn a_workload_is_let_through_with_a_warning() {
        let Answer::Review { body, .. } = answer(Endpoint::Templates, br#"{"request":{"uid":"u"}}"#) else {
            panic!("not a review")
        };
        let response = serde_json::from_slice::<serde_json::Value>(&body).unwrap()["response"].take();
        assert_eq!(response["allowed"], true);
        assert!(response["warnings"][0].as_str().unwrap().starts_with("internal-error: "), "{response}");
    }

    #[test]
    fn what_cannot_be_read_is_refused_all_the_same() {
        assert_eq!(uid_in_refusal(b"{"), "");
    }
}
