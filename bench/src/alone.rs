//! What is measured of the webhook by itself: starting, memory, the first sight of a policy, size.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::load::Load;
use crate::reviews::Reviews;
use crate::servers::Server;
use crate::statistics::Spread;

/// How often the webhook is started.
const STARTS: usize = 7;

/// Times in milliseconds, memory in MB (10^6 bytes) of resident pages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Alone {
    pub(crate) binary_mb: f64,
    /// From the start of the process to the first 200 of `/readyz`, with an empty allow-list.
    pub(crate) start_to_ready_ms: Spread,
    pub(crate) idle_mb: f64,
    /// The same start with an allow-list of 100,000 entries.
    pub(crate) start_with_100_000_entries_ms: Spread,
    pub(crate) idle_with_100_000_entries_mb: f64,
    /// The first answer to a pod whose listed policy was never seen.
    pub(crate) first_sight_ms: Spread,
    /// Where those policies are from.
    pub(crate) first_sight_of: String,
}

/// Takes all figures.
pub(crate) fn measure(program: &Path, directory: &Path, reviews: &Reviews) -> Result<Alone> {
    let (start_to_ready_ms, idle_mb) = start(program, directory, &reviews.empty_list)?;
    let (start_with_100_000_entries_ms, idle_with_100_000_entries_mb) = start(program, directory, &reviews.list_of_100_000)?;
    Ok(Alone {
        binary_mb: megabytes(std::fs::metadata(program)?.len()),
        start_to_ready_ms,
        idle_mb,
        start_with_100_000_entries_ms,
        idle_with_100_000_entries_mb,
        first_sight_ms: first_sight(program, directory, reviews)?,
        first_sight_of: reviews.never_seen_from.to_owned(),
    })
}

fn start(program: &Path, directory: &Path, allow_list: &Path) -> Result<(Spread, f64)> {
    let mut times = Vec::new();
    let mut idle = 0.0;
    for _ in 0..STARTS {
        let began = Instant::now();
        let server = Server::countersign(program, directory, "start", allow_list)?;
        server.wait_until_ready()?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
        idle = server.resident_mb()?;
    }
    Ok((Spread::of(times), idle))
}

fn first_sight(program: &Path, directory: &Path, reviews: &Reviews) -> Result<Spread> {
    let server = Server::countersign(program, directory, "first", &reviews.list_of_never_seen)?;
    let once = |review: &PathBuf| {
        Ok(Load { size: "big", connections: 1, requests: 1 }.run(&server, "/validate", review)?.median_micros / 1_000.0)
    };
    Ok(Spread::of(reviews.never_seen.iter().map(once).collect::<Result<Vec<f64>>>()?))
}

/// Megabytes of a number of bytes far below 2^53.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
