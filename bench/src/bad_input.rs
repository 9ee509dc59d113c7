//! Bad input beside a well-behaved client: what the client notices, and how much memory it takes.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::load::Load;
use crate::reviews::Reviews;
use crate::servers::Server;

/// How many reviews the well-behaved client sends, one after the other: seconds.
const REQUESTS: usize = 10_000;
/// How long bad input has before the client is looked at.
const BEFORE: Duration = Duration::from_secs(1);
/// Connections that are opened and say nothing, and such that say a byte a second. The system may permit fewer.
const SILENT: usize = 10_000;
const SLOW: usize = 512;
/// The characters of an annotation that makes a review of 19 MB.
const LONG: usize = 19_000_000;

/// What the well-behaved client saw: big reviews, one at a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Scene {
    pub(crate) name: String,
    pub(crate) before_median_micros: f64,
    pub(crate) beside_median_micros: f64,
    pub(crate) beside_p99_micros: f64,
    /// Of its requests, those without an answer of 200.
    pub(crate) unanswered: usize,
    pub(crate) peak_mb: f64,
}

/// Bad input, which goes on until it is told to stop.
type Bad = fn(&Server, &Path, &AtomicBool);

const SCENES: &[(&str, Bad)] = &[
    ("reviews of 19 MB, 4 at a time", long_reviews),
    ("an allow-list of 100,000 entries, the last malformed, written every second", malformed_entries),
    ("10,000 connections that say nothing", silent_connections),
    ("512 connections that say a byte a second", slow_connections),
];

/// Plays each scene with a server of its own.
pub(crate) fn measure(program: &Path, directory: &Path, reviews: &Reviews) -> Result<Vec<Scene>> {
    let scene = |(name, bad): &(&str, Bad)| {
        eprintln!("{name}");
        let list = directory.join("bad-input.yaml");
        fs::copy(&reviews.list_of_one, &list)?;
        let server = Server::countersign(program, directory, "bad-input", &list)?;
        let client = || {
            Load { size: "big", connections: 1, requests: REQUESTS }.run_against(
                &server,
                "/validate",
                &reviews.path("validate", "big"),
            )
        };
        let before = client()?;
        let done = AtomicBool::new(false);
        let beside = scope(|scope| {
            scope.spawn(|| bad(&server, directory, &done));
            sleep(BEFORE);
            let beside = client();
            done.store(true, Ordering::Relaxed);
            beside
        })?;
        let answered: usize = beside.statuses.iter().filter(|(status, _)| *status == 200).map(|(_, count)| count).sum();
        Ok(Scene {
            name: (*name).to_owned(),
            before_median_micros: before.median_micros,
            beside_median_micros: beside.median_micros,
            beside_p99_micros: beside.p99_micros,
            unanswered: REQUESTS.saturating_sub(answered),
            peak_mb: server.peak_mb()?,
        })
    };
    SCENES.iter().map(scene).collect()
}

fn long_reviews(server: &Server, directory: &Path, done: &AtomicBool) {
    let path = directory.join("long.json");
    let pod =
        json!({"metadata": {"name": "p", "annotations": {"example.org/text": "x".repeat(LONG)}}, "spec": {"containers": []}});
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {"uid": "u", "operation": "CREATE", "namespace": "kafka", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": pod}
    });
    let written = fs::write(&path, review.to_string());
    while written.is_ok() && !done.load(Ordering::Relaxed) {
        // Refused or not, it was sent.
        let _ = Load { size: "19 MB", connections: 4, requests: 8 }.run_against(server, "/validate", &path);
    }
}

fn malformed_entries(_: &Server, directory: &Path, done: &AtomicBool) {
    let whole = fs::read_to_string(directory.join("100-000.yaml")).unwrap_or_default();
    let malformed = whole.trim_end().trim_end_matches('}').to_owned() + ", digest: md5}\n";
    while !done.load(Ordering::Relaxed) {
        let _ = fs::write(directory.join("bad-input.yaml"), &malformed);
        sleep(Duration::from_secs(1));
    }
}

fn silent_connections(server: &Server, _: &Path, done: &AtomicBool) {
    hold(server, done, SILENT, &[]);
}

fn slow_connections(server: &Server, _: &Path, done: &AtomicBool) {
    // The beginning of a handshake that never ends.
    hold(server, done, SLOW, &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]);
}

/// Holds connections and says the bytes on each, one a second; what the server has ended by then is opened anew.
fn hold(server: &Server, done: &AtomicBool, count: usize, bytes: &[u8]) {
    let mut connections: Vec<TcpStream> = Vec::new();
    let mut said = bytes.iter().cycle();
    while !done.load(Ordering::Relaxed) {
        if let Some(byte) = said.next() {
            connections.retain_mut(|connection| connection.write_all(&[*byte]).is_ok());
        }
        while connections.len() < count && !done.load(Ordering::Relaxed) {
            let Ok(connection) = TcpStream::connect_timeout(&server.address, Duration::from_millis(200)) else { break };
            connections.push(connection);
        }
        sleep(Duration::from_secs(1));
    }
}
