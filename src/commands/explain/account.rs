//! Everything that the policy of one pod says.

use countersign_decision::asked_pod;
use countersign_decision::pod::Pod;
use countersign_manifest::PodInFile;
use countersign_policy::coverage::{Certainty, Coverage};
use countersign_policy::examined::Examined;
use countersign_policy::{Hardware, Hexadecimal, Measured, PolicyReading};
use serde::Serialize;

use super::{Statement, guest, initdata};
use crate::commands::input;
use crate::evaluator::Separate;

/// What the policy of a pod says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Account {
    kind: String,
    namespace: Option<String>,
    name: String,
    /// What is against the policy: why it is permissive, cannot be read, or does not cover the pod.
    pub(super) findings: Vec<String>,
    /// What a person should look at.
    pub(super) warnings: Vec<String>,
    /// What it says.
    pub(super) statements: Vec<Statement>,
}

impl Account {
    /// Kind, namespace and name.
    pub(super) fn title(&self) -> String {
        format!("{}/{}/{}", self.kind, self.namespace.as_deref().unwrap_or("-"), self.name)
    }
}

/// Gives the account of a pod's policy.
pub(super) fn account(pod: &PodInFile, measured: Measured, reading: &PolicyReading) -> Account {
    let mut statements =
        vec![Statement::new("annotation", measured.annotation()), Statement::new("digest", reading.digest.to_string())];
    for hardware in Hardware::ALL {
        statements.push(Statement::new(
            format!("as {} holds it", hardware.field()),
            Hexadecimal(reading.digest.held_by(hardware)).to_string(),
        ));
    }
    let mut findings = Vec::new();
    let mut warnings = Vec::new();
    match Examined::of(&reading.document, &Separate::by_this_program()) {
        Ok(examined) => {
            findings.extend(examined.permissive.iter().map(ToString::to_string));
            statements.extend(guest::statements(&examined));
            match coverage(pod, examined.coverage.as_ref()) {
                Ok((certain, possible)) => {
                    findings.extend(certain);
                    warnings.extend(possible);
                }
                Err(reason) => warnings.push(format!("the pod cannot be compared with its policy: {reason}")),
            }
        }
        Err(reason) => findings.push(format!("it cannot be used: {reason}")),
    }
    if let Some(document) = reading.document.initdata() {
        let told = initdata::tell(document);
        statements.extend(told.statements);
        warnings.extend(told.warnings);
    }
    Account { kind: pod.kind.clone(), namespace: pod.namespace.clone(), name: pod.name.clone(), findings, warnings, statements }
}

/// Where the policy does not cover the pod as the manifest has it: what the guest certainly refuses, and what nobody can know.
fn coverage(pod: &PodInFile, coverage: Option<&Coverage>) -> Result<(Vec<String>, Vec<String>), String> {
    let Some(coverage) = coverage else { return Ok((Vec::new(), Vec::new())) };
    let json = input::as_created(pod).to_string();
    let read = Pod::from_json(&json).map_err(|error| error.to_string())?;
    let asked = asked_pod(&read, pod.namespace.as_deref().unwrap_or("default"))?;
    let found = coverage.findings(&asked);
    let told = |certain: bool| {
        let these = found.iter().filter(move |finding| (finding.certainty == Certainty::Refused) == certain);
        these.map(|finding| format!("the policy does not cover the pod: {finding}. {}", finding.cause.advice())).collect()
    };
    Ok((told(true), told(false)))
}

/// A text in one line, without what is too much of it.
pub(super) fn line(text: &str) -> String {
    const CHARACTERS: usize = 300;
    let line = text.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'");
    match line.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
