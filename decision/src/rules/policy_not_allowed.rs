//! The digest of a confidential pod's policy is on the allow-list.
//!
//! Why: the digest is what the hardware will report; only what the security team has countersigned may run.
//! Reads: the policy, namespace, service account and profile.
//! Allows: a digest that an entry lists for them, at this time. Only entries of the pod's own namespace are named.
//! Source: the AKS confidential-containers tutorial (`WORKLOAD_MEASUREMENT`).

use countersign_policy::Digest;
use countersign_policy::examined::Examination;

use super::{Judge, Judgement, Judges};
use crate::allow_list::{Applicant, Finding, Near};
use crate::facts::Known;
use crate::names::yaml_word;
use crate::subject::{Policy, Subject};
use crate::verdict::Refusal;

pub(super) struct PolicyNotAllowed;

/// What the allow-list is asked with.
pub(crate) struct Reads<'a> {
    policy: &'a Policy<'a>,
    namespace: &'a str,
    service_account: &'a str,
    profile: &'a str,
    name: &'a str,
}

impl PartialEq for Reads<'_> {
    /// The pod's name is for messages alone: the list does not ask for it.
    fn eq(&self, other: &Self) -> bool {
        let Self { policy, namespace, service_account, profile, name: _ } = *self;
        (policy, namespace, service_account, profile) == (other.policy, other.namespace, other.service_account, other.profile)
    }
}

impl Reads<'_> {
    /// What people call the pod.
    pub(super) fn pod(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl Judge for PolicyNotAllowed {
    const ID: &'static str = "policy-not-allowed";
    const JUDGES: Judges = Judges::Confidential;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        reads(subject)
    }

    fn judge(reads: &Reads<'_>, known: &Known<'_>) -> Judgement {
        match look_up(reads, known) {
            Some((digest, Finding::NotListed(near))) => Err(refusal(reads, digest, near.as_ref(), known)),
            _ => Ok(()),
        }
    }
}

pub(super) fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
    Some(Reads {
        policy: subject.policy.as_ref()?,
        namespace: subject.namespace,
        service_account: subject.pod.spec.service_account(),
        profile: &subject.profile.as_ref().ok()?.name,
        name: subject.name,
    })
}

/// The digest and what the list says of it; `None` where the policy could not be read.
pub(super) fn look_up<'a>(reads: &Reads<'a>, known: &Known<'_>) -> Option<(Digest, &'a Finding)> {
    reads.policy.finding(Applicant {
        namespace: reads.namespace,
        service_account: reads.service_account,
        profile: reads.profile,
        now: known.now,
    })
}

/// What is known of the policy by examining it, if it is listed: no rule of a stranger is evaluated.
pub(super) fn examination<'a>(reads: &Reads<'a>, known: &Known<'_>) -> Option<&'a Examination> {
    let (_, Finding::Listed { .. }) = look_up(reads, known)? else { return None };
    reads.policy.examination()
}

/// Whether [`examination`] takes tens of milliseconds: the policy is listed and was not examined before.
pub(super) fn takes_its_time(reads: &Reads<'_>, known: &Known<'_>) -> bool {
    matches!(look_up(reads, known), Some((_, Finding::Listed { .. }))) && reads.policy.earlier_examination().is_none()
}

/// The same for the audit log: digest and finding of a pod.
pub(crate) fn applicant<'a>(subject: &'a Subject<'a>, known: &Known<'_>) -> Option<(Digest, &'a Finding)> {
    look_up(&reads(subject)?, known)
}

fn refusal(reads: &Reads<'_>, digest: Digest, near: Option<&Near>, known: &Known<'_>) -> Refusal {
    let Reads { namespace, service_account, .. } = reads;
    let near = match near {
        None => String::new(),
        Some(Near::Expired(entry, at)) => format!(" (nearest: {entry}, expired {at:.0})"),
        Some(Near::Lapsed(entry, at)) => {
            format!(" (nearest: {entry}, whose ConfigMap has an error; its last good version lapsed {at:.0})")
        }
        Some(Near::OtherServiceAccount(entry, accounts)) => format!(" (nearest: {entry}, for service account {accounts})"),
        Some(Near::OtherProfile(entry, profiles)) => format!(" (nearest: {entry}, for profile {profiles})"),
        Some(Near::OtherNamespace) => " (it is listed for another namespace)".to_owned(),
    };
    Refusal::new(
        PolicyNotAllowed::ID,
        format!(
            "policy digest {digest} of pod {} is not on the allow-list for namespace {namespace}, service account {service_account}{near}",
            reads.pod()
        ),
        format!(
            "To allow it, ask the owners of the ConfigMaps in {} to add:\n  - {{digest: \"{digest}\", namespaces: [{}], serviceAccounts: [{}]}}",
            known.facts.home,
            yaml_word(namespace),
            yaml_word(service_account)
        ),
    )
}
