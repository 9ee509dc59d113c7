//! Load over HTTPS: `h2load`, speaking HTTP/1.1 with keep-alive as the API server does.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::servers::Server;
use crate::statistics::{median, percentile};

/// What is sent in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Which size of reviews.
    pub(crate) size: &'static str,
    /// Over how many connections at a time.
    pub(crate) connections: usize,
    /// How many requests.
    pub(crate) requests: usize,
}

/// What a round gave.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// Answers per second.
    pub(crate) per_second: f64,
    /// From the request to the whole answer, the median, in microseconds.
    pub(crate) median_micros: f64,
    /// The same, of the hundredth part that took longest the fastest.
    pub(crate) p99_micros: f64,
    /// Processor time of the server for a request, in microseconds.
    pub(crate) processor_micros: f64,
    /// How many answers came with each HTTP status; a request without an answer has none.
    pub(crate) statuses: Vec<(u16, usize)>,
}

impl Load {
    /// Sends the load to a server. Every answer must arrive with HTTP 200.
    pub(crate) fn run(self, server: &Server, path: &str, review: &Path) -> Result<Figure> {
        let figure = self.run_against(server, path, review)?;
        ensure!(
            figure.statuses == [(200, self.requests)],
            "of {} requests not every one was answered with 200: {:?}",
            self.requests,
            figure.statuses
        );
        Ok(figure)
    }

    /// The same, whatever the answers are.
    pub(crate) fn run_against(self, server: &Server, path: &str, review: &Path) -> Result<Figure> {
        let log = tempfile::NamedTempFile::new().context("cannot make a file for the times")?;
        let before = server.processor_micros()?;
        let output = Command::new("h2load")
            .arg("--h1")
            .args(["--threads=1", "--header=content-type: application/json"])
            .arg(format!("--clients={}", self.connections))
            .arg(format!("--requests={}", self.requests))
            .arg(format!("--data={}", review.display()))
            .arg(format!("--log-file={}", log.path().display()))
            .arg(format!("https://{}{path}?timeout=5s", server.address))
            .output()
            .context("cannot run h2load: install nghttp2-client")?;
        let processor_micros = (server.processor_micros()? - before) / f64::from(u32::try_from(self.requests)?);
        let text = String::from_utf8_lossy(&output.stdout);
        let per_second = rate(&text).with_context(|| format!("h2load prints no rate:\n{text}"))?;
        let answers = answers(&fs::read_to_string(log.path())?);
        let times: Vec<f64> = answers.iter().map(|(_, micros)| *micros).collect();
        let mut statuses: Vec<(u16, usize)> = Vec::new();
        for (status, _) in &answers {
            match statuses.iter_mut().find(|(known, _)| known == status) {
                Some((_, count)) => *count += 1,
                None => statuses.push((*status, 1)),
            }
        }
        Ok(Figure { per_second, median_micros: median(&times), p99_micros: percentile(&times, 99), processor_micros, statuses })
    }
}

/// From `finished in 1.02s, 7843.14 req/s, 1.10MB/s`.
fn rate(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with("finished in "))?;
    line.split(", ").find_map(|part| part.strip_suffix(" req/s"))?.parse().ok()
}

/// Status and microseconds of each answer, from lines of start, status and time, apart by tabulators.
fn answers(log: &str) -> Vec<(u16, f64)> {
    let line = |line: &str| {
        let mut columns = line.split('\t').skip(1);
        Some((columns.next()?.parse().ok()?, columns.next()?.parse().ok()?))
    };
    log.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;

    #[test]
    fn the_report_of_h2load_is_read() {
        assert_eq!(rate("starting benchmark...\nfinished in 1.02s, 7843.14 req/s, 1.10MB/s\n").unwrap(), 7843.14);
        assert_eq!(answers("1795840953000000\t200\t817\n1795840953000001\t429\t90\n"), [(200, 817.0), (429, 90.0)]);
    }
}
