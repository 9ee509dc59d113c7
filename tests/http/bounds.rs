//! The bounds on bytes and time, and that the server is well again afterwards.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use countersign::http::Limits;
use tokio::net::TcpStream;

use crate::{
    caller::{Caller, review, unfinished},
    site::{Site, easy, gated, soon, until},
};

#[tokio::test]
async fn a_body_that_stops_is_answered_shortly_before_the_time_asked_for_is_over() {
    let site = Site::start(easy(), Limits::default()).await;
    let (body, _finish) = unfinished("{");
    let begin = Instant::now();
    let reply = Caller::to(&site).await.post("/mutate?timeout=300ms", body).await;
    assert!(begin.elapsed() >= Duration::from_millis(250));
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, Some("1")));
    assert_eq!(reply.error(), "the body did not arrive within 300ms; try again");
    assert!(site.counts("shed_total{cause=\"slow-body\"} 1"));
}

#[tokio::test]
async fn the_time_asked_for_is_capped_and_has_a_default() {
    let short = Duration::from_millis(100);
    for (limits, path) in [
        (Limits { longest_answer: short, ..Limits::default() }, "/mutate?timeout=1h"),
        (Limits { answer: short, ..Limits::default() }, "/mutate"),
    ] {
        let site = Site::start(easy(), limits).await;
        let (body, _finish) = unfinished("{");
        let reply = Caller::to(&site).await.post(path, body).await;
        assert_eq!(reply.error(), "the body did not arrive within 100ms; try again");
    }
}

#[tokio::test]
async fn a_large_review_judged_for_too_long_is_put_off() {
    let (judge, gate) = gated(8);
    let site = Site::start(judge, Limits { large_bytes: 8, ..Limits::default() }).await;
    let reply = Caller::to(&site).await.post("/validate?timeout=100ms", "123456789").await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, Some("1")));
    assert_eq!(reply.error(), "the review could not be judged within 100ms; try again");
    gate.release.send(()).unwrap();
}

#[tokio::test]
async fn large_reviews_do_not_hold_up_small_ones() {
    let (judge, mut gate) = gated(8);
    let limits = Limits { large_bytes: 8, large_at_once: 1, ..Limits::default() };
    let site = Arc::new(Site::start(judge, limits).await);
    let large: Vec<_> = (0..4)
        .map(|_| {
            let site = Arc::clone(&site);
            tokio::spawn(async move { Caller::to(&site).await.post("/mutate", "123456789").await })
        })
        .collect();
    soon(gate.entered.recv()).await.unwrap();
    // This test's runtime has one thread: a judge in its way would stop the small review too.
    assert_eq!(Caller::to(&site).await.post("/mutate", "{}").await.text, "done");
    assert!(gate.entered.try_recv().is_err(), "a second large review was judged at the same time");
    for _ in 0..4 {
        gate.release.send(()).unwrap();
    }
    for reply in large {
        assert_eq!(reply.await.unwrap().text, "done");
    }
}

#[tokio::test]
async fn bodies_without_room_are_put_off_until_there_is_room() {
    let (judge, mut gate) = gated(2048);
    let limits = Limits { large_bytes: 2048, body_bytes_in_flight: 8 * 1024, ..Limits::default() };
    let site = Arc::new(Site::start(judge, limits).await);
    let first = tokio::spawn({
        let site = Arc::clone(&site);
        async move { Caller::to(&site).await.post("/mutate", vec![b' '; 7 * 1024]).await }
    });
    soon(gate.entered.recv()).await.unwrap();
    assert!(site.counts("body_in_flight_bytes 7168"));
    let mut caller = Caller::to(&site).await;
    let reply = caller.post("/mutate", vec![b' '; 2 * 1024]).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, Some("1")));
    assert_eq!(reply.error(), "busy: the requests in flight fill the limit of 8192 bytes; try again");
    assert!(site.counts("shed_total{cause=\"no-room\"} 1"));
    // One that fits is served meanwhile, of known length or not.
    assert_eq!(caller.post("/mutate", "{}").await.text, "done");
    let (body, finish) = unfinished(&" ".repeat(2 * 1024));
    assert_eq!(Caller::to(&site).await.post("/mutate", body).await.status, 429);
    drop(finish);
    gate.release.send(()).unwrap();
    assert_eq!(first.await.unwrap().text, "done");
    until(async || site.counts("body_in_flight_bytes 0")).await;
    assert_eq!(caller.post("/mutate", vec![b' '; 2 * 1024]).await.text, "done");
}

#[tokio::test]
async fn room_is_held_as_long_as_an_abandoned_review_is_judged() {
    let (judge, gate) = gated(8);
    let site = Site::start(judge, Limits { large_bytes: 8, ..Limits::default() }).await;
    let reply = Caller::to(&site).await.post("/mutate?timeout=50ms", "123456789").await;
    assert_eq!(reply.status, 503);
    assert!(site.counts("body_in_flight_bytes 1024"));
    gate.release.send(()).unwrap();
    until(async || site.counts("body_in_flight_bytes 0")).await;
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_for_a_place() {
    let site = Arc::new(Site::start(easy(), Limits { connections: 1, ..Limits::default() }).await);
    let mut first = Caller::to(&site).await;
    assert_eq!(first.post("/mutate", "{}").await.status, 200);
    let second = TcpStream::connect(site.address).await.unwrap();
    let waiting = tokio::spawn({
        let site = Arc::clone(&site);
        async move { Caller::to(&site).await.post("/mutate", "{}").await }
    });
    assert_eq!(first.post("/mutate", "{}").await.status, 200);
    assert!(site.counts("connections{listener=\"reviews\"} 1"));
    assert!(!waiting.is_finished());
    drop((first, second));
    assert_eq!(soon(waiting).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_head_over_the_bound_is_turned_away() {
    let site = Site::start(easy(), Limits { head_bytes: 8 * 1024, ..Limits::default() }).await;
    let mut request = review("/mutate", "{}");
    request.headers_mut().insert("x-long", "x".repeat(9 * 1024).parse().unwrap());
    assert_eq!(Caller::to(&site).await.send(request).await.unwrap().status, 431);
}

#[tokio::test]
async fn an_old_connection_is_told_to_close() {
    let limits = Limits { connection_age: Duration::from_nanos(1), ..Limits::default() };
    let site = Site::start(easy(), limits).await;
    let mut caller = Caller::to(&site).await;
    assert_eq!(caller.post("/mutate", "{}").await.header("connection"), Some("close"));
    assert!(caller.ended().await);
}
