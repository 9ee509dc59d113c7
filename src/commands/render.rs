//! `countersign render`: a manifest as the webhook will complete it.

use std::io::Write as _;

use countersign_decision::facts::Known;
use countersign_decision::mutate;
use countersign_decision::request::Operation;
use jiff::Timestamp;
use similar::{ChangeTag, TextDiff};

use super::{BAD, End, GOOD, input, offline};
use crate::args::RenderArguments;

pub(super) fn run(arguments: &RenderArguments) -> anyhow::Result<End> {
    let (configuration, _) = offline::configuration(&arguments.configuration)?;
    let facts = offline::facts(configuration, &[])?;
    let known = Known { facts: &facts, now: Timestamp::now(), stale_since: None };
    let manifest = input::manifest(&arguments.manifest.file)?;
    let mut edits = Vec::new();
    let mut refused = false;
    for pod in &manifest.pods {
        let namespace = pod.namespace.as_deref().or(arguments.namespace.as_deref()).unwrap_or("default");
        let verdict =
            input::ask(Operation::Create, &input::as_created(pod).to_string(), namespace, |request| mutate(request, &known))?;
        if !verdict.allowed() {
            refused = true;
            let title = input::title(pod, Some(namespace));
            anstream::eprintln!("{BAD}refused{BAD:#}  {title}\n  {}", verdict.message().replace('\n', "\n  "));
        }
        edits.push((pod, verdict.patch));
    }
    if refused {
        return Ok(End::Refused);
    }
    let edits: Vec<_> = edits.iter().map(|(pod, patch)| (*pod, patch)).collect();
    let rendered = manifest.file.edited(&edits)?;
    if arguments.diff {
        print_diff(&manifest.text, &rendered)?;
    } else {
        std::io::stdout().lock().write_all(rendered.as_bytes())?;
    }
    Ok(End::Done)
}

/// The changed lines with three lines around them, as `diff -u` shows them; in colour on a terminal.
fn print_diff(before: &str, after: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    let diff = TextDiff::from_lines(before, after);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        writeln!(out, "{}", hunk.header())?;
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches(['\r', '\n']);
            match change.tag() {
                ChangeTag::Insert => writeln!(out, "{GOOD}+{line}{GOOD:#}")?,
                ChangeTag::Delete => writeln!(out, "{BAD}-{line}{BAD:#}")?,
                ChangeTag::Equal => writeln!(out, " {line}")?,
            }
        }
    }
    Ok(())
}
