//! `countersign review`: what the cluster would answer to a manifest.

use std::io::Write as _;

use countersign_decision::facts::Known;
use countersign_decision::request::Operation;
use countersign_decision::verdict::{Decision, Refusal, Verdict};
use countersign_decision::{creation, validate};
use countersign_manifest::PodInFile;
use jiff::Timestamp;
use serde::Serialize;

use super::{BAD, CAREFUL, End, GOOD, QUIET, input, offline};
use crate::args::{Output, ReviewArguments};

pub(super) fn run(arguments: &ReviewArguments) -> anyhow::Result<End> {
    let (configuration, _) = offline::configuration(&arguments.configuration)?;
    let facts = offline::facts(configuration, &arguments.allow_list)?;
    let manifest = input::manifest(&arguments.manifest.file)?;
    let now = arguments.at.unwrap_or_else(Timestamp::now);
    let mut reviewed = Vec::new();
    for pod in &manifest.pods {
        let namespace = arguments.namespace.as_deref().or(pod.namespace.as_deref()).unwrap_or("default");
        let facts = offline::with_namespace(facts.clone(), namespace, &arguments.namespace_labels);
        let known = Known { facts: &facts, now, stale_since: None };
        reviewed.push(Reviewed { pod, namespace, verdict: judge(pod, namespace, &known, arguments.as_stored)? });
    }
    match arguments.output {
        Output::Text => print_text(&reviewed, arguments)?,
        Output::Json => print_json(&reviewed)?,
    }
    let refused = reviewed.iter().any(|reviewed| !reviewed.verdict.allowed());
    Ok(if refused { End::Refused } else { End::Done })
}

/// A pod with its verdict.
struct Reviewed<'a> {
    pod: &'a PodInFile,
    namespace: &'a str,
    verdict: Verdict,
}

/// Completes the pod as /mutate does, unless it is judged as stored, then judges it as /validate does.
fn judge(pod: &PodInFile, namespace: &str, known: &Known<'_>, as_stored: bool) -> anyhow::Result<Verdict> {
    let value = input::as_created(pod);
    if as_stored {
        return input::ask(Operation::Stored, &value.to_string(), namespace, |request| validate(request, known));
    }
    Ok(creation(&value, namespace, known)?)
}

fn print_text(reviewed: &[Reviewed<'_>], arguments: &ReviewArguments) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    for Reviewed { pod, namespace, verdict } in reviewed {
        let title = input::title(pod, Some(namespace));
        let noted = |key: &str| verdict.audit.iter().find(|(noted, _)| *noted == key).map(|(_, value)| value.as_str());
        match verdict.decision {
            Decision::Untouched | Decision::MirrorPod | Decision::Patched => {
                writeln!(out, "{GOOD}admitted{GOOD:#}  {title}\n  not confidential: Countersign leaves it alone")?;
            }
            Decision::Refused => writeln!(out, "{BAD}refused{BAD:#}  {title}\n  {}", verdict.message().replace('\n', "\n  "))?,
            Decision::Admitted | Decision::Warned | Decision::Audited => {
                let digest = noted("digest").unwrap_or_default();
                let entry = noted("entry").unwrap_or_default();
                writeln!(out, "{GOOD}admitted{GOOD:#}  {title}\n  policy {digest}, listed by {entry}")?;
            }
        }
        for warning in &verdict.warnings {
            writeln!(out, "  {CAREFUL}warning:{CAREFUL:#} {warning}")?;
        }
    }
    let labels = if arguments.namespace_labels.is_empty() { "labels of namespaces (--namespace-labels), " } else { "" };
    writeln!(
        out,
        "{QUIET}Not known here: {labels}handlers of RuntimeClass objects, nodes, what other webhooks change.{QUIET:#}"
    )?;
    Ok(())
}

/// The stable form for programs.
#[derive(Serialize)]
struct Findings<'a> {
    refusals: Vec<Finding<'a>>,
    warnings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Finding<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

fn print_json(reviewed: &[Reviewed<'_>]) -> anyhow::Result<()> {
    let mut findings = Findings { refusals: Vec::new(), warnings: Vec::new() };
    for Reviewed { pod, namespace, verdict } in reviewed {
        let plain =
            || Finding { kind: &pod.kind, namespace, name: &pod.name, id: None, because: None, next: None, message: None };
        findings.refusals.extend(verdict.refusals.iter().map(|Refusal { id, because, next }| Finding {
            id: Some(id),
            because: Some(because),
            next: Some(next),
            ..plain()
        }));
        findings.warnings.extend(verdict.warnings.iter().map(|warning| Finding { message: Some(warning), ..plain() }));
    }
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &findings)?;
    writeln!(out)?;
    Ok(())
}
