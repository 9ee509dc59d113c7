//! The end of a process, without a review lost.

use std::{
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    time::Duration,
};

use countersign::http::Limits;
use tokio::net::TcpStream;

use crate::{
    caller::Caller,
    site::{Site, easy, gated, soon},
};

fn limits() -> Limits {
    Limits { large_bytes: 8, drain: Duration::from_mins(1), ..Limits::default() }
}

#[tokio::test]
async fn a_draining_server_serves_on_and_every_answer_closes_its_connection() {
    let site = Site::start(easy(), limits()).await;
    let mut before = Caller::to(&site).await;
    assert_eq!(before.post("/mutate", "{}").await.header("connection"), None);
    site.drain.begin();
    let reply = before.post("/mutate", "{}").await;
    assert_eq!((reply.text.as_str(), reply.header("connection")), ("mutate", Some("close")));
    assert!(before.ended().await);
    let mut after = Caller::to(&site).await;
    let reply = after.post("/nowhere", "{}").await;
    assert_eq!((reply.status.as_u16(), reply.header("connection")), (404, Some("close")));
    assert!(after.ended().await);
}

#[tokio::test]
async fn an_answer_in_flight_when_draining_begins_closes_its_connection_too() {
    let (judge, mut gate) = gated(8);
    let site = Arc::new(Site::start(judge, limits()).await);
    let reply = in_flight(&site);
    soon(gate.entered.recv()).await.unwrap();
    site.drain.begin();
    gate.release.send(()).unwrap();
    assert_eq!(soon(reply).await.unwrap().header("connection"), Some("close"));
}

#[tokio::test]
async fn what_is_in_flight_when_the_drain_time_ends_is_finished() {
    let (judge, mut gate) = gated(8);
    let site = Site::start(judge, Limits { drain: Duration::ZERO, ..limits() }).await;
    let site = Arc::new(site);
    let idle = Caller::to(&site).await;
    let reply = in_flight(&site);
    soon(gate.entered.recv()).await.unwrap();
    site.drain.begin();
    // The idle connection is closed: the drain time is over, and new ones are not taken.
    assert!(idle.ended().await);
    assert!(TcpStream::connect(site.address).await.is_err());
    assert!(!site.server.is_finished());
    gate.release.send(()).unwrap();
    assert_eq!(soon(reply).await.unwrap().text, "done");
    crate::site::until(async || site.server.is_finished()).await;
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut() {
    let (judge, mut gate) = gated(8);
    let limits = Limits { drain: Duration::ZERO, finish: Duration::from_millis(50), ..limits() };
    let site = Arc::new(Site::start(judge, limits).await);
    let reply = in_flight(&site);
    soon(gate.entered.recv()).await.unwrap();
    site.drain.begin();
    assert!(soon(reply).await.is_err(), "the connection is gone without an answer");
    crate::site::until(async || site.server.is_finished()).await;
    gate.release.send(()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_of_busy_clients_is_lost_while_draining() {
    const EACH: usize = 50;
    let site = Arc::new(Site::start(easy(), limits()).await);
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (site, answered) = (Arc::clone(&site), Arc::clone(&answered));
            tokio::spawn(async move {
                let mut caller = Caller::to(&site).await;
                for _ in 0..EACH {
                    let reply = caller.post("/validate", "{}").await;
                    assert_eq!(reply.text, "validate");
                    if reply.header("connection") == Some("close") {
                        caller = Caller::to(&site).await;
                    }
                    if answered.fetch_add(1, Ordering::Relaxed) == EACH {
                        site.drain.begin();
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(answered.load(Ordering::Relaxed), 4 * EACH);
}

fn in_flight(site: &Arc<Site>) -> tokio::task::JoinHandle<crate::caller::Reply> {
    let site = Arc::clone(site);
    tokio::spawn(async move { Caller::to(&site).await.post("/validate", "123456789").await })
}
