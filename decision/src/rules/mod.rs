//! What /validate checks. Each rule is one file; this table says which there are and in which order they are reported: the most
//! fundamental first.

mod annotation_not_allowed;
mod ephemeral_containers;
mod facts_stale;
mod host_namespaces;
mod immutable;
mod node_selectors;
mod opt_in_malformed;
mod policy_covers_the_pod;
mod policy_is_permissive;
mod policy_malformed;
mod policy_missing;
mod policy_not_allowed;
mod policy_revoked;
mod policy_unreadable;
mod profile_not_enabled;
mod runtime_class;
mod runtime_handler;
mod scheduling;
mod sidecar;
mod sidecar_volume;
mod unknown_confidential_runtime;

use crate::facts::Known;
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(crate) use host_namespaces::judge_subject as judge_host_namespaces;
pub(crate) use opt_in_malformed::judge_subject as judge_opt_in;
pub(crate) use policy_not_allowed::applicant;
pub(crate) use profile_not_enabled::ID as PROFILE_NOT_ENABLED;
pub(crate) use runtime_class::foreign as foreign_runtime_class;
pub(crate) use scheduling::judge_subject as judge_scheduling;
pub(crate) use sidecar::judge_placement as judge_sidecar;
pub(crate) use sidecar_volume::judge_volume;

/// When /mutate adds what is missing.
///
/// A webhook that the API server did not ask at first is not asked again when a later one changes the pod.
/// Source: Kubernetes, "Dynamic Admission Control", reinvocation policy.
const WHEN_COMPLETED: &str = "the manifest has to carry the label countersign.dev/confidential: \"true\" when the pod is created, \
     since one that another webhook adds may come too late";

/// Which pods a rule judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judges {
    /// Every pod that the API server sends.
    Every,
    /// Confidential pods.
    Confidential,
    /// Pods for which a profile is chosen: confidential ones, and those whose label asks for trusted-launch nodes.
    WithProfile,
    /// Opted-in pods and bearers of the countersigned label; for other confidential pods a failure is a warning.
    OptedIn,
    /// As `OptedIn`, and pods whose label asks for trusted-launch nodes.
    TrustedLaunch,
}

/// What a rule says of a pod.
pub(crate) type Judgement = Result<(), Refusal>;

/// A rule, as its file writes it: one typed projection of the pod, and a judgement of the projection alone.
pub(crate) trait Judge {
    /// The stable id: in messages, metrics and the audit log.
    const ID: &'static str;
    /// Which pods it judges.
    const JUDGES: Judges;
    /// The part of a pod that it reads: an update that leaves it as it was is not judged again.
    type Reads<'a>: PartialEq;
    /// Reads the part; `None` where a more fundamental rule has failed and there is nothing to judge.
    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Self::Reads<'a>>;
    /// Judges it.
    fn judge(reads: &Self::Reads<'_>, known: &Known<'_>) -> Judgement;
    /// Whether judging it takes tens of milliseconds: a listed policy has to be examined first, or asked about this pod.
    fn takes_its_time(_: &Subject<'_>, _: &Known<'_>) -> bool {
        false
    }
    /// What is worth a warning whatever the judgement is.
    fn remarks(_: &Self::Reads<'_>, _: &Known<'_>) -> Vec<Refusal> {
        Vec::new()
    }
}

/// A rule as a row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The stable id.
    pub id: &'static str,
    /// Which pods it judges.
    pub judges: Judges,
    pub(crate) judge: for<'s> fn(&'s Subject<'s>, &Known<'_>) -> (Judgement, Vec<Refusal>),
    pub(crate) unchanged: for<'s> fn(&'s Subject<'s>, &'s Subject<'s>) -> bool,
    pub(crate) takes_its_time: fn(&Subject<'_>, &Known<'_>) -> bool,
}

const fn row<R: Judge>() -> Rule {
    Rule { id: R::ID, judges: R::JUDGES, judge: judge::<R>, unchanged: unchanged::<R>, takes_its_time: R::takes_its_time }
}

fn judge<'s, R: Judge>(subject: &'s Subject<'s>, known: &Known<'_>) -> (Judgement, Vec<Refusal>) {
    let Some(reads) = R::reads(subject) else { return (Ok(()), Vec::new()) };
    (R::judge(&reads, known), R::remarks(&reads, known))
}

fn unchanged<'s, R: Judge>(old: &'s Subject<'s>, new: &'s Subject<'s>) -> bool {
    R::reads(old) == R::reads(new)
}

/// Every rule, in the order in which failures are reported.
pub const RULES: [Rule; 25] = [
    row::<opt_in_malformed::OptInMalformed>(),
    row::<profile_not_enabled::ProfileNotEnabled>(),
    row::<immutable::OptInImmutable>(),
    row::<immutable::ProfileImmutable>(),
    row::<immutable::DigestImmutable>(),
    row::<immutable::ImagesImmutable>(),
    row::<immutable::SelectorsImmutable>(),
    row::<facts_stale::FactsStale>(),
    row::<unknown_confidential_runtime::UnknownConfidentialRuntime>(),
    row::<runtime_class::RuntimeClass>(),
    row::<runtime_handler::RuntimeHandler>(),
    row::<host_namespaces::HostNamespaces>(),
    row::<annotation_not_allowed::AnnotationNotAllowed>(),
    row::<policy_missing::PolicyMissing>(),
    row::<policy_malformed::PolicyMalformed>(),
    row::<policy_revoked::PolicyRevoked>(),
    row::<policy_not_allowed::PolicyNotAllowed>(),
    row::<policy_unreadable::PolicyUnreadable>(),
    row::<policy_is_permissive::PolicyIsPermissive>(),
    row::<policy_covers_the_pod::PolicyCoversThePod>(),
    row::<sidecar::Sidecar>(),
    row::<sidecar_volume::SidecarVolume>(),
    row::<node_selectors::NodeSelectors>(),
    row::<scheduling::Scheduling>(),
    row::<ephemeral_containers::EphemeralContainers>(),
];
