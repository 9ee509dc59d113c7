//! The figures, for people and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::histogram::Histogram;
use crate::pods::Times;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// How many pods there were after the last round of turns.
    pub(crate) pods: usize,
    pub(crate) nodes: usize,
    pub(crate) clients: usize,
    /// The webhook's memory at the end.
    pub(crate) resident_mb: f64,
    pub(crate) rounds: Vec<Round>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) name: String,
    pub(crate) without: Option<Created>,
    pub(crate) with: Created,
    /// What the API server measured while one client alone created.
    pub(crate) webhooks: Histogram,
}

/// Ordinary pods, then confidential ones, by one client and by several.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Created {
    pub(crate) alone: [Times; 2],
    pub(crate) together: [Times; 2],
}

impl Report {
    /// Tables in Markdown.
    pub(crate) fn printed(&self) -> String {
        let mut text = format!(
            "{} pods over {} nodes; the webhook has {:.1} MB at the end\n\n\
             | round | ordinary, one client: without, with, added, ms | confidential, one client | p99, ordinary: without, with, ms | p99, confidential | {} clients, ordinary per second: without, with | confidential per second |\n\
             |---|---|---|---|---|---|---|\n",
            self.pods, self.nodes, self.resident_mb, self.clients
        );
        for round in &self.rounds {
            let pairs = |times: fn(&Created) -> &[Times; 2], figure: fn(&Times) -> f64| {
                [0, 1].map(|kind| {
                    (round.without.as_ref().map(|without| figure(&times(without)[kind])), figure(&times(&round.with)[kind]))
                })
            };
            let shown = |digits: usize| {
                move |(before, now): (Option<f64>, f64)| {
                    before.map_or_else(|| "-".to_owned(), |before| format!("{before:.digits$}")) + &format!(", {now:.digits$}")
                }
            };
            let medians = pairs(|created| &created.alone, |times| times.median_ms).map(|(before, now)| {
                let added = before.map_or_else(|| "-".to_owned(), |before| format!("{:+.2}", now - before));
                shown(2)((before, now)) + ", " + &added
            });
            let p99 = pairs(|created| &created.alone, |times| times.p99_ms).map(shown(1));
            let per_second = pairs(|created| &created.together, |times| times.per_second).map(shown(0));
            let columns = [medians, p99, per_second].concat().join(" | ");
            let _ = writeln!(text, "| {} | {columns} |", round.name);
        }
        text += "\nWhat the API server measured of each webhook while one client created: mean, and how many calls took at most 5 ms\n\n| round | webhook | calls | mean, ms | within 5 ms |\n|---|---|---|---|---|\n";
        for round in &self.rounds {
            for (name, calls) in &round.webhooks.0 {
                let (mean, within) = (calls.seconds / calls.count * 1e3, calls.within_5_ms / calls.count * 100.0);
                let _ = writeln!(text, "| {} | {name} | {:.0} | {mean:.2} | {within:.1} % |", round.name, calls.count);
            }
        }
        text
    }
}
