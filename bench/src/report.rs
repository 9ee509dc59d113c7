//! Everything that a run gave: as a table for people, as JSON for the next run to compare itself with.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::aims;
use crate::alone::Alone;
use crate::bad_input::Scene;
use crate::machine::Machine;
use crate::overload::Overload;
use crate::throughput::Measured;

/// The file's name in the folder of figures.
const FILE: &str = "figures.json";

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) throughput: Vec<Measured>,
    pub(crate) resident_after_load_mb: Vec<(String, f64)>,
    pub(crate) alone: Alone,
    pub(crate) overload: Overload,
    pub(crate) bad_input: Vec<Scene>,
}

impl Report {
    /// The report of an earlier run in `folder`, if there is one and it was taken as they are now.
    pub(crate) fn earlier(folder: &Path) -> Result<Option<Self>> {
        match fs::read(folder.join(FILE)) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("the figures of the earlier run cannot be read"),
        }
    }

    /// Writes the report into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join(FILE), serde_json::to_string_pretty(self)? + "\n")?;
        Ok(())
    }

    /// Tables in Markdown.
    pub(crate) fn printed(&self) -> String {
        let mut text = format!(
            "{}\n\nRatios to the floor of the same round: median (lowest to highest). More requests are better, less time is better.\n\n\
             | load | row | requests per second | ratio | median latency, us | ratio | p99, us | processor time, us | ratio |\n|---|---|---|---|---|---|---|---|---|\n",
            self.machine
        );
        for measured in &self.throughput {
            let Measured { size, connections, row, .. } = measured;
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "| {size}, {connections} connections | {row} | {:.0} | {} | {:.0} | {} | {:.0} | {:.1} | {} |",
                measured.per_second.median,
                measured.per_second_to_floor,
                measured.median_micros.median,
                measured.median_to_floor,
                measured.p99_micros.median,
                measured.processor_micros.median,
                measured.processor_to_floor,
            );
        }
        text + &self.printed_alone() + &self.printed_bad_input() + &aims::printed(self)
    }

    fn printed_alone(&self) -> String {
        let Self { alone, overload, .. } = self;
        let resident: Vec<String> =
            self.resident_after_load_mb.iter().map(|(row, megabytes)| format!("{row} {megabytes:.1}")).collect();
        let statuses: Vec<String> = overload.statuses.iter().map(|(status, count)| format!("{count} with {status}")).collect();
        format!(
            "\n| what | figure |\n|---|---|\n\
             | binary | {:.1} MB |\n\
             | start to ready, no entries | {} ms |\n\
             | start to ready, 100,000 entries | {} ms |\n\
             | resident when idle, no entries | {:.1} MB |\n\
             | resident when idle, 100,000 entries | {:.1} MB |\n\
             | resident after the load, MB | {} |\n\
             | first sight of a policy ({}) | {} ms |\n\
             | overload: {} requests over {} connections | {}; {} without an answer; median {:.0} us, {:.2} of that of a full house; p99 {:.0} us; at most {:.1} MB |\n",
            alone.binary_mb,
            alone.start_to_ready_ms,
            alone.start_with_100_000_entries_ms,
            alone.idle_mb,
            alone.idle_with_100_000_entries_mb,
            resident.join(", "),
            alone.first_sight_of,
            alone.first_sight_ms,
            overload.requests,
            overload.connections,
            statuses.join(", "),
            overload.lost,
            overload.median_micros,
            overload.median_to_full,
            overload.p99_micros,
            overload.peak_mb,
        )
    }

    fn printed_bad_input(&self) -> String {
        let mut text = "\n| beside a well-behaved client | its median before and beside, us | p99 beside, us | not answered with 200 | at most, MB |\n|---|---|---|---|---|\n".to_owned();
        for scene in &self.bad_input {
            let Scene { name, before_median_micros, beside_median_micros, beside_p99_micros, unanswered, peak_mb } = scene;
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "| {name} | {before_median_micros:.0}, {beside_median_micros:.0} | {beside_p99_micros:.0} | {unanswered} | {peak_mb:.1} |"
            );
        }
        text
    }

    /// Where the ratios of this run lie outside what the earlier one saw.
    pub(crate) fn beside(&self, earlier: &Self) -> String {
        let mut text = String::new();
        for now in &self.throughput {
            let same = |then: &&Measured| (&then.row, &then.size, then.connections) == (&now.row, &now.size, now.connections);
            let Some(then) = earlier.throughput.iter().find(same) else { continue };
            let Measured { size, connections, row, .. } = now;
            for (what, now, then) in [
                ("requests per second", now.per_second_to_floor, then.per_second_to_floor),
                ("median latency", now.median_to_floor, then.median_to_floor),
                ("processor time", now.processor_to_floor, then.processor_to_floor),
            ] {
                if now.median < then.lowest || now.median > then.highest {
                    // Writing to a String cannot fail.
                    let _ = writeln!(text, "- {size}, {connections} connections, {row}, {what}: {now}, was {then}");
                }
            }
        }
        if text.is_empty() { "every ratio lies within what the earlier run saw\n".to_owned() } else { text }
    }
}
