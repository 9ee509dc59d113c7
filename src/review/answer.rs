//! What the API server is answered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_decision::verdict::{Refusal, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;

use super::warnings;

const VERSION: &str = "admission.k8s.io/v1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    api_version: &'a str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: BTreeMap<&'static str, &'a str>,
}

/// Without code and reason the API server answers 400 and no reason to the user.
#[derive(Serialize)]
struct Status {
    code: u16,
    reason: &'static str,
    message: String,
}

impl Status {
    fn forbidden(message: String) -> Self {
        Self { code: 403, reason: "Forbidden", message }
    }
}

/// The review that carries a verdict, as JSON.
pub fn answer(uid: &str, verdict: &Verdict) -> Vec<u8> {
    let patch = &verdict.patch.0;
    let patch = (!patch.is_empty()).then(|| STANDARD.encode(json(patch)));
    review(
        VERSION,
        Response {
            uid,
            allowed: verdict.allowed(),
            status: (!verdict.allowed()).then(|| Status::forbidden(verdict.message())),
            patch_type: patch.is_some().then_some("JSONPatch"),
            patch,
            warnings: warnings::fit(&verdict.warnings),
            audit_annotations: verdict.audit.iter().map(|(key, value)| (*key, value.as_str())).collect(),
        },
    )
}

/// A review that refuses for a reason outside the rules.
pub fn refusal(api_version: &str, uid: &str, refusal: &Refusal) -> Vec<u8> {
    let status = Status::forbidden(refusal.line());
    review(api_version, Response { uid, status: Some(status), ..Response::default() })
}

fn review(api_version: &str, response: Response<'_>) -> Vec<u8> {
    json(&Review { api_version, kind: "AdmissionReview", response })
}

/// JSON of a value that is made of strings, numbers and maps with string keys: writing it to memory cannot fail.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
