//! What the figures are to be, and which of them are.

use std::fmt::Write as _;

use crate::report::Report;
use crate::statistics::Spread;
use crate::throughput::Measured;

/// What a figure may be.
#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A figure of a report that has a bound: what it is of, which it is, how it is had.
type Aim = (&'static str, Bound, fn(&Report) -> Option<f64>);

const AIMS: &[Aim] = &[
    ("big, policy seen before, 8 connections: /validate, requests per second to the floor", Bound::AtLeast(0.95), |report| {
        rate(report, "big", "/validate")
    }),
    ("the same: /mutate", Bound::AtLeast(0.95), |report| rate(report, "big", "/mutate")),
    ("big, policy seen before, 1 connection: /validate, median latency to the floor", Bound::AtMost(1.15), |report| {
        latency(report, "/validate")
    }),
    ("the same: /mutate", Bound::AtMost(1.15), |report| latency(report, "/mutate")),
    ("big, policy not seen before, 8 connections: requests per second to the floor", Bound::AtLeast(0.75), |report| {
        rate(report, "big", "/validate, policy not listed")
    }),
    ("big, policy not seen before, 1 connection: median latency to the floor", Bound::AtMost(1.5), |report| {
        latency(report, "/validate, policy not listed")
    }),
    ("small, 8 connections: /validate, requests per second to the floor", Bound::AtLeast(0.85), |report| {
        rate(report, "small", "/validate")
    }),
    ("the same: /mutate", Bound::AtLeast(0.85), |report| rate(report, "small", "/mutate")),
    ("10,000 and 100,000 entries: rows with fewer requests per second than one entry ever had", Bound::AtMost(0.0), |report| {
        Some(slower_with_entries(report))
    }),
    ("100,000 entries: start to ready, s", Bound::AtMost(1.0), |report| {
        Some(report.alone.start_with_100_000_entries_ms.median / 1_000.0)
    }),
    ("100,000 entries: resident after the load, MB", Bound::AtMost(64.0), |report| {
        report.resident_after_load_mb.iter().find(|(row, _)| row == "100,000 entries").map(|(_, megabytes)| *megabytes)
    }),
    ("no entries: resident when idle, MB", Bound::AtMost(16.0), |report| Some(report.alone.idle_mb)),
    ("first sight of a policy, ms", Bound::AtMost(50.0), |report| Some(report.alone.first_sight_ms.median)),
    ("start to ready, ms", Bound::AtMost(100.0), |report| Some(report.alone.start_to_ready_ms.median)),
    ("binary, MB", Bound::AtMost(15.0), |report| Some(report.alone.binary_mb)),
    ("four times the connections: requests lost", Bound::AtMost(0.0), |report| {
        u32::try_from(report.overload.lost).ok().map(f64::from)
    }),
    ("four times the connections: median latency to that of a full house", Bound::AtMost(4.0), |report| {
        Some(report.overload.median_to_full)
    }),
];

/// A table of all aims in Markdown.
pub(crate) fn printed(report: &Report) -> String {
    let mut text = "\n| aim | bound | figure | |\n|---|---|---|---|\n".to_owned();
    for (what, bound, figure) in AIMS {
        let (word, bound, met) = match (*bound, figure(report)) {
            (Bound::AtLeast(least), figure) => ("at least", least, figure.map(|figure| (figure, figure >= least))),
            (Bound::AtMost(most), figure) => ("at most", most, figure.map(|figure| (figure, figure <= most))),
        };
        let said = met.map_or_else(
            || "not measured |".to_owned(),
            |(figure, met)| format!("{figure:.2} | {}", if met { "met" } else { "missed" }),
        );
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {what} | {word} {bound} | {said} |");
    }
    text
}

fn measured<'r>(report: &'r Report, size: &str, connections: usize, row: &str) -> Option<&'r Measured> {
    report.throughput.iter().find(|found| (&*found.size, found.connections, &*found.row) == (size, connections, row))
}

fn rate(report: &Report, size: &str, row: &str) -> Option<f64> {
    measured(report, size, 8, row).map(|found| found.per_second_to_floor.median)
}

fn latency(report: &Report, row: &str) -> Option<f64> {
    measured(report, "big", 1, row).map(|found| found.median_to_floor.median)
}

/// How many rows of a long list answer fewer requests a second than the same load ever did with one entry.
fn slower_with_entries(report: &Report) -> f64 {
    let below = |many: Spread, one: Spread| many.median < one.lowest;
    let rows = report.throughput.iter().filter(|found| found.row.ends_with(" entries"));
    let slower = rows.filter(|many| {
        let one = measured(report, &many.size, many.connections, "/validate");
        one.is_some_and(|one| below(many.per_second_to_floor, one.per_second_to_floor))
    });
    f64::from(u32::try_from(slower.count()).unwrap_or(u32::MAX))
}
