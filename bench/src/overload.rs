//! More at a time than the webhook serves: nothing is lost without a word, memory stays bounded, and what is served does not wait for
//! ever.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::load::Load;
use crate::reviews::Reviews;
use crate::servers::Server;

/// How many connections the webhook is told to serve at a time, and four times that.
const SERVED: usize = 256;
const CONNECTIONS: usize = 4 * SERVED;
const REQUESTS: usize = 40_000;

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Overload {
    pub(crate) connections: usize,
    pub(crate) requests: usize,
    /// How many answers came with each HTTP status.
    pub(crate) statuses: Vec<(u16, usize)>,
    /// Requests that got no answer at all.
    pub(crate) lost: usize,
    pub(crate) median_micros: f64,
    pub(crate) p99_micros: f64,
    /// The median with as many connections as are served, and what it is under overload as a ratio to that.
    pub(crate) full_median_micros: f64,
    pub(crate) median_to_full: f64,
    /// The most memory that the process ever had.
    pub(crate) peak_mb: f64,
}

/// Puts the load on a server of its own.
pub(crate) fn measure(program: &Path, directory: &Path, reviews: &Reviews) -> Result<Overload> {
    let limits = format!("{{maxConnections: {SERVED}}}");
    let server = &Server::configured(program, directory, "overload", &reviews.list_of_one, &limits)?;
    let review = &reviews.path("validate", "big");
    let load = |connections| Load { size: "big", connections, requests: REQUESTS };
    eprintln!("{SERVED} connections, then {CONNECTIONS}");
    let full = load(SERVED).run_against(server, "/validate", review)?;
    let over = load(CONNECTIONS).run_against(server, "/validate", review)?;
    let answered: usize = over.statuses.iter().map(|(_, count)| count).sum();
    Ok(Overload {
        connections: CONNECTIONS,
        requests: REQUESTS,
        lost: REQUESTS.saturating_sub(answered),
        statuses: over.statuses,
        median_micros: over.median_micros,
        p99_micros: over.p99_micros,
        full_median_micros: full.median_micros,
        median_to_full: over.median_micros / full.median_micros,
        peak_mb: server.peak_mb()?,
    })
}
