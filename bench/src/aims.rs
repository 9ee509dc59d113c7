//! What the figures of a run are to be, and which of them are. What is aimed at under an API server is measured by another benchmark.

use std::fmt::Write as _;

use crate::report::Report;
use crate::statistics::Spread;
use crate::throughput::Measured;

/// What the median of a figure may be.
#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A figure of a report that has a bound: what it is of, the bound, how it is had.
type Aim = (&'static str, Bound, fn(&Report) -> Option<Spread>);

const AIMS: &[Aim] = &[
    ("big, policy seen before, 8 connections, /validate: requests per second to the floor", Bound::AtLeast(0.95), |report| {
        rate(report, "big", "/validate")
    }),
    ("the same, /mutate", Bound::AtLeast(0.95), |report| rate(report, "big", "/mutate")),
    ("big, policy seen before, 1 connection, /validate: median latency to the floor", Bound::AtMost(1.15), |report| {
        latency(report, "/validate")
    }),
    ("the same, /mutate", Bound::AtMost(1.15), |report| latency(report, "/mutate")),
    (
        "big, policy not listed, so decoded and hashed each time, 8 connections: requests per second",
        Bound::AtLeast(0.75),
        |report| rate(report, "big", "/validate, policy not listed"),
    ),
    ("the same, 1 connection: median latency", Bound::AtMost(1.5), |report| latency(report, "/validate, policy not listed")),
    ("small, 8 connections, /validate: requests per second", Bound::AtLeast(0.85), |report| rate(report, "small", "/validate")),
    ("the same, /mutate", Bound::AtLeast(0.85), |report| rate(report, "small", "/mutate")),
    ("10,000 and 100,000 entries: ratios worse than one entry ever had, of 24", Bound::AtMost(0.0), slowed_by_entries),
    ("100,000 entries: start to ready, ms", Bound::AtMost(1_000.0), |report| Some(report.alone.start_with_100_000_entries_ms)),
    ("100,000 entries: resident after the load, MB", Bound::AtMost(64.0), |report| {
        let found = report.resident_after_load_mb.iter().find(|(row, _)| row == "100,000 entries");
        found.map(|(_, megabytes)| Spread::of([*megabytes]))
    }),
    ("no entries: resident when idle, MB", Bound::AtMost(16.0), |report| Some(Spread::of([report.alone.idle_mb]))),
    ("first sight of a policy, ms", Bound::AtMost(50.0), |report| Some(report.alone.first_sight_ms)),
    ("start to ready, ms", Bound::AtMost(100.0), |report| Some(report.alone.start_to_ready_ms)),
    ("binary, MB (static; this one is linked dynamically)", Bound::AtMost(15.0), |report| {
        Some(Spread::of([report.alone.binary_mb]))
    }),
    ("four times the connections: requests without a 200", Bound::AtMost(0.0), |report| {
        let with_200 = report.overload.statuses.iter().find(|(status, _)| *status == 200).map_or(0, |(_, count)| *count);
        count(report.overload.requests.saturating_sub(with_200))
    }),
    ("four times the connections: median latency of what is served, to that of a full house", Bound::AtMost(4.0), |report| {
        Some(Spread::of([report.overload.median_to_full]))
    }),
];

/// A table of all aims in Markdown: what the median says, and where the rounds differ on it.
pub(crate) fn printed(report: &Report) -> String {
    let mut text = "\n| aim | bound | figure | by the median |\n|---|---|---|---|\n".to_owned();
    for (what, bound, figure) in AIMS {
        let (word, bound, sign) = match *bound {
            Bound::AtLeast(least) => ("at least", least, 1.0),
            Bound::AtMost(most) => ("at most", most, -1.0),
        };
        let said = figure(report).map_or_else(
            || "not measured |".to_owned(),
            |figure| {
                let met = |value: f64| (value - bound) * sign >= 0.0;
                let word = if met(figure.median) { "met" } else { "missed" };
                let differ = if met(figure.lowest) == met(figure.highest) { "" } else { ", within the spread" };
                format!("{figure} | {word}{differ}")
            },
        );
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {what} | {word} {bound} | {said} |");
    }
    text
}

fn measured<'r>(report: &'r Report, size: &str, connections: usize, row: &str) -> Option<&'r Measured> {
    report.throughput.iter().find(|found| (&*found.size, found.connections, &*found.row) == (size, connections, row))
}

fn rate(report: &Report, size: &str, row: &str) -> Option<Spread> {
    measured(report, size, 8, row).map(|found| found.per_second_to_floor)
}

fn latency(report: &Report, row: &str) -> Option<Spread> {
    measured(report, "big", 1, row).map(|found| found.median_to_floor)
}

/// How many ratios of the long lists are worse than the same load ever had with one entry.
fn slowed_by_entries(report: &Report) -> Option<Spread> {
    let mut worse = 0;
    for many in report.throughput.iter().filter(|found| found.row.ends_with(" entries")) {
        let one = measured(report, &many.size, many.connections, "/validate")?;
        worse += usize::from(many.per_second_to_floor.median < one.per_second_to_floor.lowest);
        worse += usize::from(many.median_to_floor.median > one.median_to_floor.highest);
    }
    count(worse)
}

fn count(of: usize) -> Option<Spread> {
    u32::try_from(of).ok().map(|of| Spread::of([f64::from(of)]))
}
