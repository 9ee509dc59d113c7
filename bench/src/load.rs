//! The load: `h2load --h1`, as the API server speaks HTTP/1.1 with kept-alive connections over TLS 1.3, on loopback.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::servers::Server;

/// What is sent to every server in a round.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) size: &'static str,
    pub(crate) connections: u32,
    pub(crate) requests: u32,
}

/// What one round gave.
#[derive(Clone, Copy)]
pub(crate) struct Figure {
    /// Answers per second.
    pub(crate) per_second: f64,
    /// From the request to the whole answer, mean, in microseconds.
    pub(crate) mean_micros: f64,
}

impl Load {
    /// Sends the load to a server. Every answer must have arrived with HTTP 200.
    pub(crate) fn run(self, server: &Server, path: &str, review: &Path) -> Result<Figure> {
        let output = Command::new("h2load")
            .arg("--h1")
            .args(["--threads=1", "--header=content-type: application/json"])
            .arg(format!("--clients={}", self.connections))
            .arg(format!("--requests={}", self.requests))
            .arg(format!("--data={}", review.display()))
            .arg(format!("https://{}{path}?timeout=5s", server.address))
            .output()
            .context("cannot run h2load: install nghttp2-client")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let succeeded = format!("{} succeeded, 0 failed", self.requests);
        ensure!(
            text.contains(&succeeded) && text.contains(&format!("{} 2xx", self.requests)),
            "not every request was answered:\n{text}"
        );
        Ok(Figure {
            per_second: rate(&text).context("h2load prints no rate")?,
            mean_micros: mean(&text).context("h2load prints no mean")?,
        })
    }
}

/// From `finished in 1.02s, 7843.14 req/s, 1.10MB/s`.
fn rate(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with("finished in "))?;
    line.split(", ").find_map(|part| part.strip_suffix(" req/s"))?.parse().ok()
}

/// From the row `time for request: min max mean sd within`.
fn mean(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("time for request:"))?;
    let mean = line.split_whitespace().nth(2)?;
    let split = mean.find(|c: char| c.is_alphabetic())?;
    let (number, unit) = mean.split_at(split);
    let factor = match unit {
        "us" => 1.0,
        "ms" => 1_000.0,
        "s" => 1_000_000.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;

    #[test]
    fn the_report_of_h2load_is_read() {
        let text = "finished in 1.02s, 7843.14 req/s, 1.10MB/s\ntime for request:      382us     21.49ms      1.01ms       620us    88.61%\n";
        assert_eq!(rate(text).unwrap(), 7843.14);
        assert_eq!(mean(text).unwrap(), 1010.0);
    }
}
