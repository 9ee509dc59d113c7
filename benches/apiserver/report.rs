//! The figures, for people and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::histogram::Histogram;
use crate::pods::Created;

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

/// Ordinary pods, then confidential ones.
#[derive(Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) name: String,
    pub(crate) without: Option<[Created; 2]>,
    pub(crate) with: [Created; 2],
    pub(crate) webhooks: Histogram,
}

impl Report {
    /// Tables in Markdown.
    pub(crate) fn printed(&self) -> String {
        let mut text = format!(
            "{} pods over {} nodes, created by {} clients at a time; the webhook has {:.1} MB at the end\n\n\
             | round | ordinary: without, with, added, ms | confidential: without, with, added, ms | p99 without, with, ms | per second without, with |\n\
             |---|---|---|---|---|\n",
            self.pods, self.nodes, self.clients, self.resident_mb
        );
        for round in &self.rounds {
            let medians = [0, 1].map(|kind| match round.without {
                Some(without) => {
                    let (before, now) = (without[kind].median_ms, round.with[kind].median_ms);
                    format!("{before:.2}, {now:.2}, {:+.2}", now - before)
                }
                None => format!("-, {:.2}, -", round.with[kind].median_ms),
            });
            let of = |figure: fn(&Created) -> f64| {
                let both = |created: &[Created; 2]| format!("{:.1} / {:.1}", figure(&created[0]), figure(&created[1]));
                format!("{}, {}", round.without.as_ref().map_or_else(|| "-".to_owned(), both), both(&round.with))
            };
            let [ordinary, confidential] = medians;
            let (p99, per_second) = (of(|created| created.p99_ms), of(|created| created.per_second));
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {} | {ordinary} | {confidential} | {p99} | {per_second} |", round.name);
        }
        text += "\nWhat the API server measured of each webhook: mean, and how many calls took at most 5 ms\n\n| round | webhook | calls | mean, ms | within 5 ms |\n|---|---|---|---|---|\n";
        for round in &self.rounds {
            for (name, calls) in &round.webhooks.0 {
                let (mean, within) = (calls.seconds / calls.count * 1e3, calls.within_5_ms / calls.count * 100.0);
                let _ = writeln!(text, "| {} | {name} | {:.0} | {mean:.2} | {within:.1} % |", round.name, calls.count);
            }
        }
        text
    }
}
