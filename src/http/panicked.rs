//! The answer when the judge panicked: a refusal, so that the API server stops the pod with a reason, whatever its
//! failurePolicy.
//!
//! Source: Kubernetes `admission.k8s.io/v1`, `AdmissionReview`; the response must repeat the request's uid.

use std::borrow::Cow;

use serde::Deserialize;

use super::judge::{Answer, Outcome};

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

/// A refusal of `review`, with its uid where it can be read and an empty one where not.
pub(super) fn refusal(review: &[u8]) -> Answer {
    let uid = serde_json::from_slice(review).map(|Review { request }| request.uid).unwrap_or_default();
    let body = serde_json::json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {
            "uid": uid,
            "allowed": false,
            "status": {
                "code": 403,
                "reason": "Forbidden",
                "message": format!(
                    "{REASON}: countersign failed on this object and refuses it; \
                     its log has the cause: please report it with the object"
                ),
            },
        },
    });
    Answer::Review { body: body.to_string().into_bytes(), outcome: Outcome::Failed, reasons: vec![REASON] }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn uid_in_refusal(review: &[u8]) -> serde_json::Value {
        let Answer::Review { body, .. } = refusal(review) else { panic!("not a review") };
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()["response"]["uid"].take()
    }

    #[test]
    fn the_uid_is_repeated_past_fields_that_this_build_does_not_know() {
        assert_eq!(uid_in_refusal(br#"{"x":[1],"request":{"object":{},"uid":"a\u0062c"}}"#), "abc");
    }

    #[test]
    fn what_cannot_be_read_is_refused_all_the_same() {
        assert_eq!(uid_in_refusal(b"{"), "");
    }
}
