//! How long a connection may keep silent.

use std::time::{Duration, Instant};

use countersign::http::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    caller::{Caller, stream},
    site::{Site, easy, soon, until},
};

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_head_that_stops_ends_the_connection_long_before_the_idle_time() {
    let site = Site::start(easy(), Limits { head: SHORT, idle: LONG, ..Limits::default() }).await;
    let mut stream = stream(&site).await;
    stream.write_all(b"POST /mutate HTTP/1.1\r\nhost:").await.unwrap();
    let begin = Instant::now();
    // An end without close_notify counts as an end.
    let _ = soon(stream.read(&mut [0; 64])).await;
    assert!(begin.elapsed() < LONG / 2);
}

#[tokio::test]
async fn a_head_that_drips_gets_no_more_time() {
    let site = Site::start(easy(), Limits { head: SHORT, idle: LONG, ..Limits::default() }).await;
    let (mut read, mut write) = tokio::io::split(stream(&site).await);
    let dripping = tokio::spawn(async move {
        let mut drip = tokio::time::interval(SHORT / 4);
        loop {
            drip.tick().await;
            if write.write_all(b"x").await.is_err() || write.flush().await.is_err() {
                return;
            }
        }
    });
    let _ = soon(read.read(&mut [0; 64])).await;
    dripping.abort();
}

#[tokio::test]
async fn a_connection_without_a_request_is_kept_for_the_idle_time() {
    let limits = Limits { head: Duration::from_millis(1), idle: SHORT, ..Limits::default() };
    let site = Site::start(easy(), limits).await;
    let begin = Instant::now();
    let silent = Caller::to(&site).await;
    assert!(silent.ended().await);
    assert!(begin.elapsed() >= SHORT);
    let mut used = Caller::to(&site).await;
    let begin = Instant::now();
    assert_eq!(used.post("/mutate", "{}").await.status, 200);
    assert!(used.ended().await);
    assert!(begin.elapsed() >= SHORT);
}

#[tokio::test]
async fn who_says_nothing_makes_way_when_every_place_is_taken_and_not_before() {
    let limits = Limits { connections: 2, idle: LONG, idle_when_full: SHORT, ..Limits::default() };
    let site = Site::start(easy(), limits).await;
    let mut used = Caller::to(&site).await;
    assert_eq!(used.post("/mutate", "{}").await.status, 200);
    tokio::time::sleep(SHORT * 8).await;
    assert_eq!(used.post("/mutate", "{}").await.status, 200, "there is a free place");
    let _silent = stream(&site).await;
    let begin = Instant::now();
    assert_eq!(Caller::to(&site).await.post("/mutate", "{}").await.status, 200);
    assert!(begin.elapsed() < LONG / 2);
}

#[tokio::test]
async fn answers_that_nobody_reads_end_the_connection() {
    let site = Site::start(easy(), Limits { write: SHORT, ..Limits::default() }).await;
    let mut stream = stream(&site).await;
    let request = b"POST /nowhere HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n".repeat(1000);
    // Written until nothing is taken any more: the server reads no further request while an answer waits.
    while let Ok(Ok(())) = tokio::time::timeout(SHORT * 2, stream.write_all(&request)).await {}
    until(async || site.counts("connections{listener=\"reviews\"} 0")).await;
}
