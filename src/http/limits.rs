//! Every bound of the server in one place: sizes, counts and times.

use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// How much the server takes on, and how long it waits for whom.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest body, in bytes; above it HTTP 413. The API server escapes `<`, `>` and `&` sixfold, so that a pod
    /// of 3 MiB arrives as 19 MB, and an UPDATE carries the old object too.
    pub body_bytes: usize,
    /// The bodies of all requests together, in bytes; who finds no room gets HTTP 429.
    pub body_bytes_in_flight: usize,
    /// The request line and headers together, in bytes; above it HTTP 431.
    pub head_bytes: usize,
    /// Connections at a time; further ones wait in the listener's backlog.
    pub connections: usize,
    /// Bodies above this many bytes are judged on a thread of their own, so that they do not hold up small ones.
    pub large_bytes: usize,
    /// Large bodies judged at a time.
    pub large_at_once: usize,
    /// From the connection's first byte to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the first byte of a request to the end of its headers.
    pub head: Duration,
    /// Between two requests of a connection. It must be above the API server's own 90 s: it never repeats a request
    /// that it sent on a connection just closed.
    pub idle: Duration,
    /// The same when every place is taken: who says nothing makes way for those who wait.
    pub idle_when_full: Duration,
    /// How long a client may take nothing of an answer that is being sent.
    pub write: Duration,
    /// The age at which a connection gets `Connection: close` with its next answer, less a random part of up to a
    /// fifth: API servers come back at different times and to different replicas.
    pub connection_age: Duration,
    /// For reading and judging a request that says no `?timeout=`.
    pub answer: Duration,
    /// The longest time a `?timeout=` can ask for.
    pub longest_answer: Duration,
    /// How long a draining server goes on serving, every answer with `Connection: close`.
    pub drain: Duration,
    /// How long requests in flight may take after the drain time; then their connections are cut.
    pub finish: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 40 * MIB,
            body_bytes_in_flight: 256 * MIB,
            head_bytes: 32 * 1024,
            connections: 1024,
            large_bytes: 256 * 1024,
            large_at_once: std::thread::available_parallelism().map_or(1, usize::from),
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(10),
            idle: Duration::from_mins(2),
            idle_when_full: Duration::from_secs(5),
            write: Duration::from_secs(10),
            connection_age: Duration::from_mins(5),
            answer: Duration::from_secs(10),
            longest_answer: Duration::from_secs(30),
            drain: Duration::from_secs(15),
            finish: Duration::from_secs(10),
        }
    }
}
