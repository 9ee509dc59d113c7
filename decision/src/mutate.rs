//! /mutate: a pod that is opted in comes out complete.

use crate::changes::{Asked, CHANGES, MadeTo};
use crate::configuration::Mode;
use crate::edits::Edits;
use crate::facts::Known;
use crate::request::{Operation, PodRequest};
use crate::rules;
use crate::subject::{Setting, Subject};
use crate::verdict::{Decision, Refusal, Verdict};
use crate::warnings::{self, Speaker};

/// Completes a new pod: the patch adds what its profile needs and is missing, and nothing else. A pod that nobody opted in is
/// left untouched. Every conflict becomes a refusal; in modes warn and audit the pod is then left as it is.
///
/// The same request and facts give the same patch, byte for byte; a completed pod gives an empty one.
pub fn mutate(request: &PodRequest<'_>, known: &Known<'_>) -> Verdict {
    if request.operation != Operation::Create || request.is_mirror() {
        return Verdict::untouched();
    }
    let setting = Setting::of(request, known.facts);
    let subject = setting.subject(&request.pod);
    let mut conflicts: Vec<Refusal> = Vec::new();
    conflicts.extend(rules::judge_opt_in(&subject).err());
    let mut edits = Edits::default();
    let mut made = Vec::new();
    if conflicts.is_empty() {
        make(&subject, setting.mode(), &mut edits, &mut made, &mut conflicts);
    }
    if !conflicts.is_empty() {
        return Verdict::by_mode(setting.mode(), conflicts);
    }
    let warnings = warnings::said_by(Speaker::Mutate, &subject, known);
    let patch = edits.into_patch(subject.pod);
    if patch.0.is_empty() {
        return Verdict { warnings, ..Verdict::untouched() };
    }
    Verdict { decision: Decision::Patched, patch, warnings, audit: vec![("changes", made.join(","))], ..Verdict::untouched() }
}

/// Makes every change of the table that is due, and gathers the conflicts.
fn make(subject: &Subject<'_>, mode: Mode, edits: &mut Edits, made: &mut Vec<&'static str>, conflicts: &mut Vec<Refusal>) {
    let due = |made_to: MadeTo| match made_to {
        MadeTo::OptedIn => subject.opted_in,
        MadeTo::TrustedLaunch => subject.opted_in || subject.asks_for_trusted_launch(),
    };
    let changes = CHANGES.iter().filter(|change| due(change.made_to));
    // What nothing that is added could mend.
    if due(MadeTo::OptedIn) {
        conflicts.extend(rules::judge_host_namespaces(subject).err());
    }
    if due(MadeTo::TrustedLaunch) {
        conflicts.extend(rules::judge_scheduling(subject).err());
    }
    let mut any = false;
    for change in changes {
        any = true;
        let before = edits.count();
        match (change.make)(&Asked { subject, mode, made }, edits) {
            Ok(()) if edits.count() > before => made.push(change.id),
            Ok(()) => {}
            Err(conflict) => conflicts.push(conflict),
        }
    }
    if any {
        conflicts.extend(subject.profile.as_ref().err().cloned());
    }
}
