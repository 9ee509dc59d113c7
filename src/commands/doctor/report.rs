//! The report: a line for each check, or JSON for programs.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde::Serialize;

use super::finding::{Examined, Finding, Level};
use super::snapshot::Snapshot;
use crate::commands::{BAD, CAREFUL, GOOD, QUIET};

/// A check with what it found.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: &'static str,
    pub(super) examined: Examined,
}

/// For people; in colour on a terminal alone.
pub(super) fn text(rows: &[Row]) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or_default();
    for Row { id, examined } in rows {
        if examined.findings.is_empty() {
            writeln!(out, "{GOOD}ok{GOOD:#}       {id:width$}  {}", examined.says)?;
        }
        for Finding { level, problem, mend } in &examined.findings {
            let (style, word) = match level {
                Level::Ok => (GOOD, "ok     "),
                Level::Warning => (CAREFUL, "warning"),
                Level::Unknown => (CAREFUL, "unknown"),
                Level::Wrong => (BAD, "wrong  "),
            };
            let problem = problem.trim_end().replace('\n', &format!("\n         {:width$}  ", ""));
            writeln!(out, "{style}{word}{style:#}  {id:width$}  {problem}")?;
            for line in mend.lines() {
                writeln!(out, "         {:width$}  {QUIET}>{QUIET:#} {line}", "")?;
            }
        }
    }
    let count = |level: Level| rows.iter().filter(|row| row.examined.level() == level).count();
    let parts = [
        (Level::Wrong, "wrong"),
        (Level::Unknown, "not to be looked at"),
        (Level::Warning, "with a warning"),
        (Level::Ok, "ok"),
    ];
    let parts = parts.map(|(level, words)| (count(level), words));
    let parts: Vec<_> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")).collect();
    writeln!(out, "\n{} checks: {}", rows.len(), parts.join(", "))?;
    Ok(())
}

/// The stable form for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    healthy: bool,
    checks: Vec<Line<'a>>,
    /// By namespace; `null` where pods could not be looked at.
    refused_today: Option<BTreeMap<&'a str, RefusedHere<'a>>>,
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    level: Level,
    #[serde(skip_serializing_if = "str::is_empty")]
    says: &'a str,
    findings: &'a [Finding],
}

#[derive(Default, Serialize)]
struct RefusedHere<'a> {
    mode: &'a str,
    pods: Vec<&'a str>,
    reasons: BTreeMap<&'a str, usize>,
}

pub(super) fn json(rows: &[Row], snapshot: &Snapshot) -> anyhow::Result<()> {
    let refused_today = snapshot.pods.as_ref().ok().map(|running| {
        let mut namespaces: BTreeMap<&str, RefusedHere<'_>> = BTreeMap::new();
        for pod in &running.refused {
            let here = namespaces.entry(&pod.namespace).or_default();
            here.mode = pod.mode.name();
            here.pods.push(&pod.name);
            for (id, _) in &pod.reasons {
                *here.reasons.entry(id).or_default() += 1;
            }
        }
        namespaces
    });
    let report = Report {
        healthy: rows.iter().all(|row| row.examined.level() <= Level::Warning),
        checks: rows
            .iter()
            .map(|Row { id, examined }| Line {
                id,
                level: examined.level(),
                says: if examined.findings.is_empty() { &examined.says } else { "" },
                findings: &examined.findings,
            })
            .collect(),
        refused_today,
    };
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &report)?;
    writeln!(out)?;
    Ok(())
}
