//! Events about the allow-list: a `ConfigMap` that was rejected, and one that is read again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::events::{About, Report, Reporter};
use super::leadership::Leadership;
use crate::knowledge::{Knowledge, Rejected};

/// How often the allow-list's standing is looked at; it is in memory.
const LOOK: Duration = Duration::from_secs(1);

/// Reports every change while this replica leads: every replica sees a rejection, and one tells it. Where nobody has to lead, each
/// replica tells it.
pub(super) async fn report(knowledge: Arc<Knowledge>, leadership: Option<Leadership>, reporter: Reporter) {
    loop {
        if let Some(leadership) = &leadership {
            leadership.gained().await;
        }
        // A new leader tells what stands: the former one may have ended before it could.
        let mut told = BTreeMap::new();
        while leadership.as_ref().is_none_or(Leadership::holds) {
            for report in changes(&mut told, knowledge.report().rejected) {
                reporter.report(report).await;
            }
            sleep(LOOK).await;
        }
    }
}

/// What to tell, given what was told; brings that up to date.
fn changes(told: &mut BTreeMap<String, String>, rejected: Vec<Rejected>) -> Vec<Report> {
    let now: BTreeMap<String, String> = rejected.into_iter().map(|rejected| (rejected.name, rejected.message)).collect();
    let mut reports = Vec::new();
    for (name, message) in &now {
        if told.get(name) != Some(message) {
            let note = format!("{message}; its last good version, if there was one, stays in force for a bounded time");
            reports.push(about(name, true, "AllowListRejected", note));
        }
    }
    for name in told.keys().filter(|name| !now.contains_key(*name)) {
        let note = "it is not rejected any more: what it says is in force, or it is gone".to_owned();
        reports.push(about(name, false, "AllowListRecovered", note));
    }
    *told = now;
    reports
}

fn about(name: &str, warning: bool, reason: &'static str, note: String) -> Report {
    let about = About { api_version: "v1", kind: "ConfigMap", name: name.to_owned(), uid: None };
    Report { about, warning, reason, note }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(name: &str, message: &str) -> Rejected {
        Rejected { name: name.to_owned(), message: message.to_owned() }
    }

    fn reasons(reports: &[Report]) -> Vec<(&'static str, &str)> {
        reports.iter().map(|report| (report.reason, report.about.name.as_str())).collect()
    }

    #[test]
    fn a_rejection_is_told_once_again_when_its_cause_changes_and_when_it_is_over() {
        let mut told = BTreeMap::new();
        let first = changes(&mut told, vec![rejected("a", "line 1"), rejected("b", "line 2")]);
        assert_eq!(reasons(&first), [("AllowListRejected", "a"), ("AllowListRejected", "b")]);
        assert!(first[0].warning && first[0].note.starts_with("line 1; its last good version"));
        assert_eq!(changes(&mut told, vec![rejected("a", "line 1"), rejected("b", "line 2")]), []);
        let next = changes(&mut told, vec![rejected("a", "line 7")]);
        assert_eq!(reasons(&next), [("AllowListRejected", "a"), ("AllowListRecovered", "b")]);
        assert_eq!(reasons(&changes(&mut told, vec![])), [("AllowListRecovered", "a")]);
    }
}
