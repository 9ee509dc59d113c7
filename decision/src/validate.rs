//! /validate: the final pod, after every other webhook, is judged by every rule.

use crate::allow_list::Finding;
use crate::configuration::Mode;
use crate::facts::Known;
use crate::request::PodRequest;
use crate::rules::{self, Judges, RULES, Rule};
use crate::subject::{Setting, Subject};
use crate::verdict::{Decision, Refusal, Verdict};
use crate::warnings::{self, Speaker};

/// The id of the refusal that joins the others where a pod claims to be countersigned and only that claim refuses it.
const UNEARNED: &str = "countersigned-unearned";

/// What a failing rule means for a pod.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    Refusal,
    Warning,
}

/// As [`validate`], where all that it takes is known; `None` where a listed policy has to be examined or asked about this pod first,
/// which takes tens of milliseconds.
pub fn validate_at_once(request: &PodRequest<'_>, known: &Known<'_>) -> Option<Verdict> {
    let setting = Setting::of(request, known.facts);
    let old = request.old.as_ref().map(|old| setting.subject(old));
    let subject = Subject { before: old.as_ref(), ..setting.subject(&request.pod) };
    if let Some(verdict) = exempt(request, &subject) {
        return Some(verdict);
    }
    let asked = asked(&subject);
    let mut of_those_asked = RULES.iter().zip(asked).filter(|(_, weight)| weight.is_some());
    let takes_its_time = of_those_asked.any(|(rule, _)| (rule.takes_its_time)(&subject, known));
    (!takes_its_time).then(|| judge(asked, known, &setting, &subject))
}

/// Judges the pod by every rule of the table and reports all that fail. On an update, a rule whose projection of the pod is what
/// it was passes without being asked; mirror pods and terminating pods pass. Nothing of this is for a pod that begins to claim
/// that it is countersigned: it must pass every rule now, whatever it was admitted by.
pub fn validate(request: &PodRequest<'_>, known: &Known<'_>) -> Verdict {
    let setting = Setting::of(request, known.facts);
    let old = request.old.as_ref().map(|old| setting.subject(old));
    let subject = Subject { before: old.as_ref(), ..setting.subject(&request.pod) };
    exempt(request, &subject).unwrap_or_else(|| judge(asked(&subject), known, &setting, &subject))
}

/// The verdict on a pod that no rule is asked about; `None` for all others.
fn exempt(request: &PodRequest<'_>, subject: &Subject<'_>) -> Option<Verdict> {
    if claims_anew(subject) {
        None
    } else if request.is_terminating() {
        Some(Verdict::untouched())
    } else {
        request.is_mirror().then(|| mirror_pod(subject))
    }
}

/// Whether the pod begins to claim that it is countersigned.
fn claims_anew(subject: &Subject<'_>) -> bool {
    subject.claims_countersigned && subject.before.is_none_or(|old| !old.claims_countersigned)
}

/// For each rule of the table, what its failing means for the pod.
type Weights = [Option<Weight>; RULES.len()];

/// What the failing of each rule means for the pod; `None` for the rules that are not asked.
fn asked(subject: &Subject<'_>) -> Weights {
    let claims_anew = claims_anew(subject);
    RULES.each_ref().map(|rule| {
        let weight = weight(rule, subject)?;
        let judged_before = |old: &Subject<'_>| self::weight(rule, old) == Some(weight) && unchanged(rule, old, subject);
        (claims_anew || !subject.before.is_some_and(judged_before)).then_some(weight)
    })
}

fn judge(asked: Weights, known: &Known<'_>, setting: &Setting<'_>, subject: &Subject<'_>) -> Verdict {
    let claims = subject.claims_countersigned;
    let mut refusals = Vec::new();
    let mut warnings = Vec::new();
    for (rule, weight) in RULES.iter().zip(asked) {
        let Some(weight) = weight else { continue };
        let (judgement, remarks) = (rule.judge)(subject, known);
        warnings.extend(remarks.iter().map(Refusal::line));
        if let Err(refusal) = judgement {
            match weight {
                Weight::Refusal => refusals.push(refusal),
                Weight::Warning => warnings.push(refusal.line()),
            }
        }
    }
    // What is stale may be the mode too.
    let mode = if known.stale_since.is_some() { Mode::Enforce } else { setting.mode() };
    if claims && !refusals.is_empty() && (mode != Mode::Enforce || !subject.opted_in) {
        refusals.insert(0, unearned(mode));
    }
    warnings.extend(warnings::said_by(Speaker::Validate, subject, known));
    let mut verdict = Verdict::by_mode(if claims { Mode::Enforce } else { mode }, refusals);
    if !subject.confidential && verdict.decision == Decision::Admitted {
        return Verdict { warnings, ..Verdict::untouched() };
    }
    verdict.warnings.extend(warnings);
    verdict.audit.extend(measured(subject, known));
    verdict.audit.push(("decision", verdict.decision.name().to_owned()));
    verdict
}

/// A confidential pod that goes past every rule is said to do so, in metrics and in the audit log.
fn mirror_pod(subject: &Subject<'_>) -> Verdict {
    if !subject.confidential {
        return Verdict::untouched();
    }
    let decision = Decision::MirrorPod;
    Verdict { decision, audit: vec![("decision", decision.name().to_owned())], ..Verdict::untouched() }
}

/// What the failing of a rule means for the pod; `None` where the rule does not judge it.
fn weight(rule: &Rule, subject: &Subject<'_>) -> Option<Weight> {
    let whole = subject.opted_in || subject.claims_countersigned;
    let weight = match rule.judges {
        Judges::Every => Weight::Refusal,
        Judges::Confidential if subject.confidential => Weight::Refusal,
        Judges::WithProfile if subject.confidential || subject.asks_for_trusted_launch() => Weight::Refusal,
        Judges::OptedIn | Judges::TrustedLaunch if whole => Weight::Refusal,
        Judges::TrustedLaunch if subject.asks_for_trusted_launch() => Weight::Refusal,
        Judges::OptedIn | Judges::TrustedLaunch if subject.confidential => Weight::Warning,
        _ => return None,
    };
    Some(weight)
}

/// Both pods live as long as the shorter-lived one.
fn unchanged<'s>(rule: &Rule, old: &'s Subject<'s>, new: &'s Subject<'s>) -> bool {
    (rule.unchanged)(old, new)
}

fn unearned(mode: Mode) -> Refusal {
    let so = if mode == Mode::Enforce { "without being opted in" } else { "and that holds in every mode" };
    Refusal::new(
        UNEARNED,
        format!("the pod bears the label {}: \"true\" {so}, but does not pass every rule", crate::labels::COUNTERSIGNED),
        "Remove the label, or mend what follows",
    )
}

/// The digest and the entry that lists it, for the audit log.
fn measured(subject: &Subject<'_>, known: &Known<'_>) -> Vec<(&'static str, String)> {
    let Some((digest, finding)) = rules::applicant(subject, known).filter(|_| subject.confidential) else { return Vec::new() };
    let mut audit = vec![("digest", digest.to_string())];
    if let Finding::Listed { entry, .. } = finding {
        audit.push(("entry", entry.clone()));
    }
    audit
}
