//! `countersign explain`: what the policy in a manifest allows, and what changed between two.

mod account;
mod changes;
mod guest;
mod initdata;

use std::io::Write as _;
use std::path::Path;

use anyhow::{anyhow, bail};
use countersign_manifest::{ManifestFile, PodInFile};
use countersign_policy::{Limits, Measured, PolicyReading};
use serde::Serialize;

use self::account::{Account, account};
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
        if let Some((measured, reading)) = read(&manifest.file, pod)? {
            accounts.push(account(pod, measured, &reading));
        }
    }
    if accounts.is_empty() {
        bail!("{}: no pod in it carries a policy", input::called(path));
    }
    Ok(accounts)
}

/// The policy that a pod carries; the error names its place.
fn read(file: &ManifestFile, pod: &PodInFile) -> anyhow::Result<Option<(Measured, PolicyReading)>> {
    let pointer = |measured: Measured| format!("/metadata/annotations/{}", measured.annotation());
    let carried = |measured: &Measured| pod.pod.pointer(&pointer(*measured)).and_then(serde_json::Value::as_str);
    let mut carrying = Measured::ALL.into_iter().filter(|measured| carried(measured).is_some());
    let Some(measured) = carrying.next() else { return Ok(None) };
    if let Some(other) = carrying.next() {
        bail!(
            "{} {} carries both {} and {}, of which its runtime measures one: remove the other",
            pod.kind,
            pod.name,
            measured.annotation(),
            other.annotation()
        );
    }
    let reading = measured.read(carried(&measured).unwrap_or_default(), Limits::OFFLINE).map_err(|malformed| {
        let at = file.position(pod, &pointer(measured)).map_or_else(String::new, |position| format!("{position}: "));
        anyhow!("{at}annotation {} of {} {} is not {}: {malformed}", measured.annotation(), pod.kind, pod.name, measured.noun())
    })?;
    Ok(Some((measured, reading)))
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
