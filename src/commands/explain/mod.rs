//! `countersign explain`: what the policy in a manifest allows, and what changed between two.

mod account;
mod changes;
mod guest;
mod initdata;

use std::io::Write as _;
use std::path::Path;

use anyhow::bail;
use countersign_policy::PolicyReading;
use serde::Serialize;

use self::account::{Account, account};
use super::carried::carried;
use super::{BAD, CAREFUL, End, QUIET, TITLE, input};
use crate::args::{ExplainArguments, Report};

/// One thing that a policy says, in words: what it is about, and what it says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Statement {
    about: String,
    says: String,
}

impl Statement {
    fn new(about: impl Into<String>, says: impl Into<String>) -> Self {
        Self { about: about.into(), says: says.into() }
    }
}

pub(super) fn run(arguments: &ExplainArguments) -> anyhow::Result<End> {
    let accounts = |path: &Path| accounts(path);
    let mut out = anstream::stdout().lock();
    match (arguments.files.as_slice(), arguments.output) {
        ([file], Report::Text) => {
            for account in &accounts(file)? {
                print(&mut out, account)?;
            }
            writeln!(
                out,
                "{QUIET}A policy does not measure ConfigMaps and Secrets, node selectors and containers that are left out.{QUIET:#}"
            )?;
        }
        ([file], Report::Json) => print_json(&Accounts { pods: accounts(file)? })?,
        ([before, after], Report::Text) => changes::print(&mut out, &changes::between(&accounts(before)?, &accounts(after)?))?,
        ([before, after], Report::Json) => print_json(&changes::between(&accounts(before)?, &accounts(after)?))?,
        _ => bail!("give one manifest, or two to be compared"),
    }
    Ok(End::Done)
}

/// The stable form for programs.
#[derive(Serialize)]
struct Accounts {
    pods: Vec<Account>,
}

fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(())
}

/// What the policies of a manifest say, one account per pod that carries one.
fn accounts(path: &Path) -> anyhow::Result<Vec<Account>> {
    let manifest = input::manifest(path)?;
    let mut accounts = Vec::new();
    for pod in &manifest.pods {
        if let Some((measured, reading)) = carried(&manifest.file, pod)? {
            accounts.push(account(pod, measured, &reading));
        }
    }
    if accounts.is_empty() {
        bail!("{}: no pod in it carries a policy", input::called(path));
    }
    Ok(accounts)
}

/// What an initdata says beside its policy, above all whom its guest asks for keys, a line each; warnings first.
pub(super) fn beside_the_policy(reading: &PolicyReading) -> Vec<String> {
    let Some(document) = reading.document.initdata() else { return Vec::new() };
    let initdata::Told { statements, warnings } = initdata::tell(document);
    let warnings = warnings.into_iter().map(|warning| format!("warning: {warning}"));
    warnings.chain(statements.into_iter().map(|Statement { about, says }| format!("{about}: {says}"))).collect()
}

fn print(out: &mut impl std::io::Write, account: &Account) -> anyhow::Result<()> {
    writeln!(out, "{TITLE}{}{TITLE:#}", account.title())?;
    for finding in &account.findings {
        writeln!(out, "  {BAD}finding:{BAD:#} {finding}")?;
    }
    for warning in &account.warnings {
        writeln!(out, "  {CAREFUL}warning:{CAREFUL:#} {warning}")?;
    }
    for Statement { about, says } in &account.statements {
        writeln!(out, "  {about}: {says}")?;
    }
    Ok(())
}
