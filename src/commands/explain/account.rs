//! Everything that the policy of one pod says.

use countersign_manifest::PodInFile;
use countersign_policy::examined::Examined;
use countersign_policy::{Hardware, Hexadecimal, Measured, PolicyReading};
use serde::Serialize;

use super::{Statement, guest, initdata};

/// What the policy of a pod says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Account {
    kind: String,
    namespace: Option<String>,
    name: String,
    /// What is against the policy: why it is permissive, or cannot be read. Where it does not cover the pod belongs here too.
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
    match Examined::of(&reading.document) {
        Ok(examined) => {
            findings.extend(examined.permissive.iter().map(ToString::to_string));
            statements.extend(guest::statements(&examined));
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

/// A text in one line, without what is too much of it.
pub(super) fn line(text: &str) -> String {
    const CHARACTERS: usize = 300;
    let line = text.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'");
    match line.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
