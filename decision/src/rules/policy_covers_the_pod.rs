//! The policy of a confidential pod covers the pod: the guest will run what the API server lets in.
//!
//! Why: a policy that does not fit its pod shows only minutes later, inside the guest, as a blocked request without a reason.
//! Reads: the listed policy; of the pod what its guest is asked for: names, images, commands, environments, users, mounts.
//! Allows: whatever the policy's own rule allows, under the image that the policy names. What nobody can know before the pod runs, and
//! what the policy has beyond the pod, is a warning; the profile's `coverage` says which findings refuse.
//! Source: Kata Containers, genpolicy `rules.rego`, rule `CreateContainerRequest`.

use countersign_policy::coverage::{Certainty, Finding};
use countersign_policy::examined::Examined;

use super::policy_not_allowed::{self, examination, look_up};
use super::{Judge, Judgement, Judges};
use crate::allow_list;
use crate::configuration::{Coverage, Profile};
use crate::facts::Known;
use crate::subject::{Policy, Subject};
use crate::verdict::Refusal;

/// How many findings a refusal names, and how many warnings there are: the API server cuts long answers short.
const MOST: usize = 8;

pub(super) struct PolicyCoversThePod;

pub(super) struct Reads<'a> {
    policy: &'a Policy<'a>,
    listed: policy_not_allowed::Reads<'a>,
    profile: &'a Profile,
}

impl PartialEq for Reads<'_> {
    /// Whether the policy is listed is for another rule, and what is found follows from the rest.
    fn eq(&self, other: &Self) -> bool {
        (self.policy, self.profile) == (other.policy, other.profile) && self.policy.asked_pod() == other.policy.asked_pod()
    }
}

impl Judge for PolicyCoversThePod {
    const ID: &'static str = "policy-covers-the-pod";
    const JUDGES: Judges = Judges::Confidential;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        Some(Reads {
            policy: subject.policy.as_ref()?,
            listed: policy_not_allowed::reads(subject)?,
            profile: subject.profile.as_ref().ok()?,
        })
    }

    fn judge(reads: &Reads<'_>, known: &Known<'_>) -> Judgement {
        let found = found(reads, known).map_err(|error| {
            let because = format!("the pod cannot be compared with its policy: {error}");
            Refusal::new(Self::ID, because, "Correct the field")
        })?;
        let refusing: Vec<&Finding> = found.iter().filter(|finding| refuses(finding, reads.profile)).collect();
        if refusing.is_empty() { Ok(()) } else { Err(refusal(&refusing)) }
    }

    fn remarks(reads: &Reads<'_>, known: &Known<'_>) -> Vec<Refusal> {
        let others =
            found(reads, known).unwrap_or_default().iter().filter(|finding| !refuses(finding, reads.profile)).take(MOST);
        others.map(|finding| Refusal::new(Self::ID, remark(finding), finding.cause.advice())).collect()
    }
}

/// What is found, if the policy is listed (no rule of a stranger is evaluated) and could be examined; the error says why the pod
/// cannot be compared with it.
fn found<'a>(reads: &'a Reads<'_>, known: &Known<'_>) -> Result<&'a [Finding], &'a str> {
    let Some(examination) = examination(&reads.listed, known) else { return Ok(&[]) };
    let Ok(Examined { coverage: Some(coverage), .. }) = &**examination else { return Ok(&[]) };
    reads.policy.differences(coverage)
}

/// Whether judging the pod takes tens of milliseconds: its policy is listed and was never examined, or the policy's own rule has to
/// be asked about this pod.
pub(crate) fn takes_its_time(subject: &Subject<'_>, known: &Known<'_>) -> bool {
    let Some(reads) = PolicyCoversThePod::reads(subject) else { return false };
    let Some((digest, allow_list::Finding::Listed { .. })) = look_up(&reads.listed, known) else { return false };
    let Some(examination) = known.facts.examined.known(&digest) else { return true };
    match &*examination {
        Ok(Examined { coverage: Some(coverage), .. }) => reads.policy.comparing_takes_its_time(coverage),
        _ => false,
    }
}

fn refuses(finding: &Finding, profile: &Profile) -> bool {
    match profile.coverage {
        Coverage::Refuse => finding.certainty == Certainty::Refused,
        Coverage::Strict => finding.certainty != Certainty::Unused,
        Coverage::Warn => false,
    }
}

fn refusal(findings: &[&Finding]) -> Refusal {
    let more = findings.len().saturating_sub(MOST);
    let mut named: Vec<String> = findings.iter().take(MOST).map(ToString::to_string).collect();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    let mut causes: Vec<&str> = Vec::new();
    for finding in findings {
        let advice = finding.cause.advice();
        if !causes.contains(&advice) {
            causes.push(advice);
        }
    }
    Refusal::new(PolicyCoversThePod::ID, format!("the policy does not cover the pod: {}", named.join("; ")), causes.join("\n"))
}

fn remark(finding: &Finding) -> String {
    match finding.certainty {
        Certainty::Refused => format!("the policy does not cover the pod: {finding}"),
        Certainty::Unknown => format!("the policy may not cover the pod: {finding}"),
        Certainty::Unused => finding.to_string(),
    }
}
