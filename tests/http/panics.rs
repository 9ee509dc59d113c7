//! A judge that panics: a refusal, and the process lives.

use std::sync::Arc;

use countersign::http::{Endpoint, Limits};
use rstest::rstest;

use crate::{
    caller::Caller,
    site::{Says, Site, allowed},
};

#[rstest]
#[case::on_the_thread_that_read_it(usize::MAX)]
#[case::on_a_thread_of_its_own(0)]
#[tokio::test]
async fn a_panic_is_a_refusal_and_the_next_review_is_judged(#[case] large_bytes: usize) {
    let judge = Says(|endpoint: Endpoint, _: &[u8]| {
        assert!(endpoint != Endpoint::Validate, "a bug");
        allowed("well")
    });
    let site = Site::start(Arc::new(judge), Limits { large_bytes, ..Limits::default() }).await;
    let mut caller = Caller::to(&site).await;
    let reply = caller.post("/validate", r#"{"request":{"uid":"u-1","object":{}}}"#).await;
    assert_eq!(reply.status, 200);
    let review: serde_json::Value = serde_json::from_str(&reply.text).unwrap();
    assert_eq!(review["kind"], "AdmissionReview");
    assert_eq!(review["response"]["uid"], "u-1");
    assert_eq!(review["response"]["allowed"], false);
    assert_eq!(review["response"]["status"]["code"], 403);
    assert!(site.counts("panics_total 1"));
    assert!(site.counts("refusals_total{rule=\"internal-error\"} 1"));
    assert_eq!(caller.post("/mutate", "{}").await.text, "well");
}
