//! Requests that get no admission review: each its status and a JSON error that says why.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use countersign::http::{Answer, Endpoint, Limits};
use rstest::rstest;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    caller::{Caller, review, stream, unfinished},
    site::{Says, Site, easy, soon},
};

fn request(method: &str, path: &str, content_type: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).header("content-type", content_type).body(Body::from("{}")).unwrap()
}

const JSON: &str = "application/json";

#[rstest]
#[case::unknown_path(
    request("POST", "/mutate/", JSON),
    404,
    "no such path /mutate/: ask one of /mutate, /mutate/required, /validate, /validate/required, /templates, /allow-list"
)]
#[case::get(request("GET", "/validate", JSON), 405, "method GET is not allowed: send the review with POST")]
#[case::put(request("PUT", "/mutate", JSON), 405, "method PUT is not allowed: send the review with POST")]
#[case::yaml(
    request("POST", "/mutate", "application/yaml"),
    415,
    r#"content-type "application/yaml" is not supported: send application/json as it is, not compressed"#
)]
#[case::longer_type(
    request("POST", "/mutate", "application/jsonx"),
    415,
    r#"content-type "application/jsonx" is not supported: send application/json as it is, not compressed"#
)]
#[case::bad_timeout(
    request("POST", "/mutate?timeout=soon", JSON),
    400,
    r#"timeout "soon" is not a duration above zero, such as 5s or 1m30s"#
)]
#[tokio::test]
async fn what_is_not_for_us_is_turned_away(#[case] request: Request<Body>, #[case] status: u16, #[case] error: &str) {
    let site = Site::start(easy(), Limits::default()).await;
    let mut caller = Caller::to(&site).await;
    let reply = caller.send(request).await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.error().as_str()), (status, error));
    assert_eq!(reply.header("retry-after"), None);
    assert!(site.counts(&format!("http_errors_total{{status=\"{status}\"}} 1")));
    // The connection is none the worse for it.
    assert_eq!(caller.post("/mutate", "{}").await.text, "mutate");
}

#[tokio::test]
async fn a_body_without_content_type_or_compressed_is_turned_away() {
    let site = Site::start(easy(), Limits::default()).await;
    let mut caller = Caller::to(&site).await;
    let mut bare = review("/mutate", "{}");
    bare.headers_mut().remove("content-type");
    assert_eq!(caller.send(bare).await.unwrap().status, 415);
    let mut zipped = review("/mutate", "{}");
    zipped.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    let reply = caller.send(zipped).await.unwrap();
    assert_eq!(reply.status, 415);
    assert!(reply.error().starts_with("content-encoding \"gzip\""), "{reply:?}");
}

#[tokio::test]
async fn json_with_parameters_reaches_the_endpoint_of_its_path() {
    let site = Site::start(easy(), Limits::default()).await;
    let mut caller = Caller::to(&site).await;
    for (path, endpoint) in countersign::http::ROUTES {
        let mut request = review(&format!("{path}?timeout=5s"), "{}");
        let json = "Application/JSON; charset=utf-8".parse().unwrap();
        request.headers_mut().insert("content-type", json);
        assert_eq!(caller.send(request).await.unwrap().text, endpoint.as_str());
    }
}

#[tokio::test]
async fn method_errors_name_the_method_that_is_allowed() {
    let site = Site::start(easy(), Limits::default()).await;
    let reply = Caller::to(&site).await.send(request("GET", "/mutate", JSON)).await.unwrap();
    assert_eq!(reply.header("allow"), Some("POST"));
}

#[tokio::test]
async fn a_body_over_the_cap_is_turned_away_by_its_length_before_it_comes() {
    let limits = Limits { body_bytes: 4, ..Limits::default() };
    let site = Site::start(easy(), limits).await;
    let mut stream = stream(&site).await;
    stream.write_all(&head(5)).await.unwrap();
    assert_eq!(error_line(&mut stream).await, "the body is over the limit of 4 bytes");
}

#[tokio::test]
async fn a_client_that_reads_no_answer_before_it_has_sent_its_body_sees_the_error_all_the_same() {
    // More than the buffers of a loopback connection hold.
    const CAP: usize = 16 << 20;
    let limits = Limits { body_bytes: CAP, ..Limits::default() };
    let site = Site::start(easy(), limits).await;
    let mut stream = stream(&site).await;
    stream.write_all(&head(CAP + 1)).await.unwrap();
    stream.write_all(&vec![b' '; CAP + 1]).await.unwrap();
    assert_eq!(error_line(&mut stream).await, "the body is over the limit of 16777216 bytes");
}

fn head(length: usize) -> Vec<u8> {
    format!(
        "POST /mutate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    )
    .into_bytes()
}

/// The error of the one answer that comes.
async fn error_line(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = String::new();
    while !answer.ends_with('}') {
        let mut piece = [0; 1024];
        let length = soon(stream.read(&mut piece)).await.unwrap();
        assert_ne!(length, 0, "ended after {answer:?}");
        answer.push_str(std::str::from_utf8(&piece[..length]).unwrap());
    }
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_body_over_the_cap_is_turned_away_by_counting() {
    let limits = Limits { body_bytes: 4, ..Limits::default() };
    let site = Site::start(easy(), limits).await;
    let (body, _finish) = unfinished("12345");
    let reply = Caller::to(&site).await.post("/mutate", body).await;
    assert_eq!((reply.status.as_u16(), reply.error().as_str()), (413, "the body is over the limit of 4 bytes"));
    let (body, finish) = unfinished("1234");
    drop(finish);
    assert_eq!(Caller::to(&site).await.post("/mutate", body).await.status, 200);
}

#[tokio::test]
async fn a_body_reaches_the_judge_whole_however_it_is_cut() {
    let judge = Says(|_: Endpoint, review: &[u8]| crate::site::allowed(std::str::from_utf8(review).unwrap()));
    let site = Site::start(Arc::new(judge), Limits::default()).await;
    let mut caller = Caller::to(&site).await;
    let long: String = (0..200_000).map(|number| number.to_string()).collect();
    assert_eq!(caller.post("/mutate", long.clone()).await.text, long);
    let pieces = [long.clone(), String::new(), long.clone()].map(Ok::<_, std::io::Error>);
    let reply = caller.post("/mutate", Body::from_stream(futures::stream::iter(pieces))).await;
    assert_eq!(reply.text, format!("{long}{long}"));
}

#[tokio::test]
async fn what_the_judge_cannot_read_is_a_bad_request() {
    let judge = Says(|_: Endpoint, _: &[u8]| Answer::Unreadable { because: "line 1 column 2: expected a value".into() });
    let site = Site::start(Arc::new(judge), Limits::default()).await;
    let reply = Caller::to(&site).await.post("/validate", "{").await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.error(), "not an admission review: line 1 column 2: expected a value");
}

#[tokio::test]
async fn a_judge_without_facts_makes_the_api_server_try_again() {
    let judge = Says(|_: Endpoint, _: &[u8]| Answer::NotReady { because: "the allow-list is not complete".into() });
    let site = Site::start(Arc::new(judge), Limits::default()).await;
    let reply = Caller::to(&site).await.post("/validate", "{}").await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, Some("1")));
    assert_eq!(reply.error(), "not ready to judge: the allow-list is not complete; try again");
    assert!(site.counts("shed_total{cause=\"not-ready\"} 1"));
}
