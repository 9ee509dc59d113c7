//! The policy of a confidential pod covers the pod: the guest will run what the API server lets in.
//!
//! Why: a policy that does not fit its pod shows only minutes later, inside the guest, as a blocked request without a reason.
//! Reads: the listed policy; of the pod what its guest is asked for: names, images, commands, environments, users, mounts.
//! Allows: whatever the policy's own rule allows, under the image that the policy names. What nobody can know before the pod runs, and
//! what the policy has beyond the pod, is a warning; the profile's `coverage` says which findings refuse.
//! Source: Kata Containers, genpolicy `rules.rego`, rule `CreateContainerRequest`.

use countersign_policy::coverage::{Certainty, Finding};

use super::policy_not_allowed::{self, examination};
use super::{Judge, Judgement, Judges};
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
        (self.policy, self.profile) == (other.policy, other.profile) && self.policy.asks_the_same_as(other.policy)
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

    /// For the other rules about a listed policy too: this one is asked whenever they are.
    fn takes_its_time(subject: &Subject<'_>, known: &Known<'_>) -> bool {
        let Some(reads) = Self::reads(subject) else { return false };
        policy_not_allowed::takes_its_time(&reads.listed, known)
            || coverage(&reads, known).is_some_and(|coverage| reads.policy.comparing_takes_its_time(coverage))
    }

    fn remarks(reads: &Reads<'_>, known: &Known<'_>) -> Vec<Refusal> {
        let others =
            found(reads, known).unwrap_or_default().iter().filter(|finding| !refuses(finding, reads.profile)).take(MOST);
        others.map(|finding| Refusal::new(Self::ID, remark(finding), finding.cause.advice())).collect()
    }
}

/// What is found; the error says why the pod cannot be compared with its policy.
fn found<'a>(reads: &'a Reads<'_>, known: &Known<'_>) -> Result<&'a [Finding], &'a str> {
    coverage(reads, known).map_or(Ok(&[]), |coverage| reads.policy.differences(coverage))
}

/// What the pod is compared with, if the policy is listed (no rule of a stranger is evaluated) and could be examined.
fn coverage<'a>(reads: &'a Reads<'_>, known: &Known<'_>) -> Option<&'a countersign_policy::coverage::Coverage> {
    examination(&reads.listed, known)?.as_ref().as_ref().ok()?.coverage.as_ref()
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
