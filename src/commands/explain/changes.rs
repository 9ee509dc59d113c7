//! What changed between two policies, in the terms of their accounts and not of their texts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::account::Account;
use crate::commands::{BAD, GOOD, TITLE};

/// What changed in one pod's policy.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Changed {
    pod: String,
    changes: Vec<Change>,
}

/// What changed about one thing; `None` where it was not there, or is no more.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    about: String,
    before: Option<String>,
    after: Option<String>,
}

/// Compares pods of one title; where each file has one pod, those two.
pub(super) fn between(before: &[Account], after: &[Account]) -> Vec<Changed> {
    if let ([one], [other]) = (before, after) {
        return vec![Changed { pod: other.title(), changes: changes(Some(one), Some(other)) }];
    }
    let of = |accounts: &[Account], title: &str| accounts.iter().find(|account| account.title() == title).cloned();
    let mut titles: Vec<String> = before.iter().chain(after).map(Account::title).collect();
    titles.sort_unstable();
    titles.dedup();
    titles
        .into_iter()
        .map(|pod| Changed { changes: changes(of(before, &pod).as_ref(), of(after, &pod).as_ref()), pod })
        .collect()
}

fn changes(before: Option<&Account>, after: Option<&Account>) -> Vec<Change> {
    let (before, after) = (said(before), said(after));
    let mut about: Vec<&String> = before.keys().chain(after.keys()).collect();
    about.sort_unstable();
    about.dedup();
    let change =
        |about: &String| Change { about: about.clone(), before: before.get(about).cloned(), after: after.get(about).cloned() };
    about.into_iter().map(change).filter(|change| change.before != change.after).collect()
}

/// Statements by what they are about, and findings as statements.
fn said(account: Option<&Account>) -> BTreeMap<String, String> {
    let Some(account) = account else { return BTreeMap::new() };
    let statements = account.statements.iter().map(|statement| (statement.about.clone(), statement.says.clone()));
    let findings = account.findings.iter().map(|finding| (format!("finding: {finding}"), "holds".to_owned()));
    statements.chain(findings).collect()
}

pub(super) fn print(out: &mut impl std::io::Write, changed: &[Changed]) -> anyhow::Result<()> {
    for Changed { pod, changes } in changed {
        writeln!(out, "{TITLE}{pod}{TITLE:#}")?;
        if changes.is_empty() {
            writeln!(out, "  nothing changed")?;
        }
        for Change { about, before, after } in changes {
            writeln!(out, "  {about}")?;
            if let Some(before) = before {
                writeln!(out, "    {BAD}-{BAD:#} {before}")?;
            }
            if let Some(after) = after {
                writeln!(out, "    {GOOD}+{GOOD:#} {after}")?;
            }
        }
    }
    Ok(())
}
