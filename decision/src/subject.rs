//! A pod with what is derived from it once: whether it is opted in, confidential, and by which profile.

use std::cell::OnceCell;
use std::sync::Arc;

use countersign_policy::coverage::{AskedPod, Coverage, Finding as Difference};
use countersign_policy::examined::Examination;
use countersign_policy::{Digest, MalformedPolicy, Measured, PolicyReading};

use crate::allow_list::{Applicant, Finding};
use crate::asked::{asked_pod, written_alike};
use crate::configuration::{Configuration, Mode, Profile};
use crate::facts::{Facts, Handler, NamespaceFacts};
use crate::labels;
use crate::pod::Pod;
use crate::request::{Operation, PodRequest};
use crate::verdict::Refusal;

/// A pod as changes and rules see it.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    /// The pod.
    pub(crate) pod: &'a Pod<'a>,
    /// What is to happen to it.
    pub(crate) operation: Operation,
    /// Its namespace.
    pub(crate) namespace: &'a str,
    /// What is known of the namespace.
    pub(crate) namespace_facts: &'a NamespaceFacts,
    /// The configuration in force.
    pub(crate) configuration: &'a Configuration,
    /// What people call the pod.
    pub(crate) name: &'a str,
    /// Whether it is completed by /mutate and judged by every rule.
    pub(crate) opted_in: bool,
    /// Whether it is judged at all beyond the spelling of its labels.
    pub(crate) confidential: bool,
    /// Whether it bears the label that says it passed every rule.
    pub(crate) claims_countersigned: bool,
    /// The profile that it chose, or why none could be.
    pub(crate) profile: Result<&'a Profile, Refusal>,
    /// Its policy, if the annotation of its profile is there.
    pub(crate) policy: Option<Policy<'a>>,
    /// The pod as it was, on an update.
    pub(crate) before: Option<&'a Subject<'a>>,
}

/// A policy annotation and the pod that it stands in, each read when first asked for. Two are equal if the annotations' texts are.
#[derive(Debug)]
pub(crate) struct Policy<'a> {
    annotation: &'a str,
    measured: Measured,
    facts: &'a Facts,
    pod: &'a Pod<'a>,
    namespace: &'a str,
    reading: OnceCell<Result<PolicyReading, MalformedPolicy>>,
    finding: OnceCell<Finding>,
    examination: OnceCell<Examination>,
    asked: OnceCell<Result<AskedPod, String>>,
    differences: OnceCell<Arc<[Difference]>>,
}

impl Policy<'_> {
    /// The policy as it was read.
    pub(crate) fn reading(&self) -> &Result<PolicyReading, MalformedPolicy> {
        let Facts { configuration, allow_list, seen, .. } = self.facts;
        let limits = configuration.limits.of_policies();
        let listed = |reading: &PolicyReading| allow_list.names(&reading.digest);
        self.reading.get_or_init(|| seen.read(self.measured, self.annotation, limits, listed))
    }

    /// What the allow-list says of the policy: asked once, since a policy is that of one pod at one time.
    pub(crate) fn finding(&self, applicant: Applicant<'_>) -> Option<(Digest, &Finding)> {
        let digest = self.digest()?;
        Some((digest, self.finding.get_or_init(|| self.facts.allow_list.find(&digest, applicant))))
    }

    /// What is known of the policy by examining it, if it could be read: asked once, since one that runs out of time would do so again.
    pub(crate) fn examination(&self) -> Option<&Examination> {
        let reading = self.reading().as_ref().ok()?;
        Some(self.examination.get_or_init(|| self.facts.examined.of(reading)))
    }

    /// The same, if the policy was examined before.
    pub(crate) fn earlier_examination(&self) -> Option<&Examination> {
        if self.examination.get().is_none() {
            let earlier = self.facts.examined.known(&self.digest()?)?;
            self.examination.get_or_init(|| earlier);
        }
        self.examination.get()
    }

    /// Whether the other pod of the same request asks this of its guest too.
    pub(crate) fn asks_the_same_as(&self, other: &Self) -> bool {
        written_alike(self.pod, other.pod) || self.asked_pod() == other.asked_pod()
    }

    /// What the pod asks of its guest; the error names the field that cannot be read.
    pub(crate) fn asked_pod(&self) -> &Result<AskedPod, String> {
        self.asked.get_or_init(|| asked_pod(self.pod, self.namespace))
    }

    /// Where the policy, examined, does not fit the pod; the error says why the pod cannot be compared.
    pub(crate) fn differences(&self, coverage: &Coverage) -> Result<&[Difference], &str> {
        let pod = self.asked_pod().as_ref().map_err(String::as_str)?;
        Ok(self.differences.get_or_init(|| coverage.findings(pod)))
    }

    /// Whether [`Policy::differences`] takes tens of milliseconds. Where it does not, what is found is kept.
    pub(crate) fn comparing_takes_its_time(&self, coverage: &Coverage) -> bool {
        let Ok(pod) = self.asked_pod() else { return false };
        let Some(found) = coverage.findings_at_once(pod) else { return true };
        self.differences.get_or_init(|| found);
        false
    }

    /// The digest, if the policy could be read.
    pub(crate) fn digest(&self) -> Option<Digest> {
        self.reading().as_ref().ok().map(|reading| reading.digest)
    }
}

impl PartialEq for Policy<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.measured == other.measured && self.annotation == other.annotation
    }
}

/// What a request says of both the old and the new pod.
#[derive(Debug)]
pub(crate) struct Setting<'a> {
    request: &'a PodRequest<'a>,
    facts: &'a Facts,
    namespace_facts: NamespaceFacts,
    name: String,
    required: bool,
}

impl<'a> Setting<'a> {
    /// What is known where the request comes from.
    pub(crate) fn of(request: &'a PodRequest<'a>, facts: &'a Facts) -> Self {
        let namespace_facts = facts.namespace(request.namespace);
        let listed = facts.configuration.required_namespaces.iter().any(|name| *name == *request.namespace);
        let required = request.required || namespace_facts.required || listed;
        Self { request, facts, namespace_facts, name: request.pod_name(), required }
    }

    /// What a refusal becomes here.
    pub(crate) fn mode(&self) -> Mode {
        self.namespace_facts.mode
    }

    /// The new or the old pod of the request as a subject.
    pub(crate) fn subject(&'a self, pod: &'a Pod<'a>) -> Subject<'a> {
        let Facts { configuration, .. } = self.facts;
        let labelled = |key: &str| pod.metadata.label(key) == Some("true");
        let profile = choose_profile(pod, self.request.namespace, &self.namespace_facts, configuration);
        let opted_in = self.required || labelled(labels::CONFIDENTIAL);
        let claims_countersigned = labelled(labels::COUNTERSIGNED);
        let class = pod.spec.runtime_class();
        let by_class = class.is_some_and(|class| {
            configuration.is_confidential_class(class)
                || matches!(self.facts.handler_of(class), Handler::Is(handler) if configuration.is_confidential_handler(handler))
        });
        let annotations = pod.metadata.annotations.as_ref();
        let by_annotation =
            annotations.is_some_and(|annotations| annotations.starting_with(labels::KATA_PREFIX).next().is_some());
        let policy = profile.as_ref().ok().and_then(|profile| {
            let measured = profile.policy_annotation.measured();
            let annotation = pod.metadata.annotation(measured.annotation())?;
            Some(Policy {
                annotation,
                measured,
                facts: self.facts,
                pod,
                namespace: self.request.namespace,
                reading: OnceCell::new(),
                finding: OnceCell::new(),
                examination: OnceCell::new(),
                asked: OnceCell::new(),
                differences: OnceCell::new(),
            })
        });
        Subject {
            pod,
            operation: self.request.operation,
            namespace: self.request.namespace,
            namespace_facts: &self.namespace_facts,
            configuration,
            name: &self.name,
            opted_in,
            confidential: opted_in || claims_countersigned || by_class || by_annotation,
            claims_countersigned,
            profile,
            policy,
            before: None,
        }
    }
}

impl Subject<'_> {
    /// Whether the pod's own label asks for trusted-launch nodes.
    pub(crate) fn asks_for_trusted_launch(&self) -> bool {
        self.pod.metadata.label(labels::TRUSTED_LAUNCH) == Some("true")
    }
}

/// The profile that a pod chose: by annotation, by its namespace, by its runtime class, else the first enabled.
fn choose_profile<'a>(
    pod: &Pod<'_>,
    namespace: &str,
    namespace_facts: &NamespaceFacts,
    configuration: &'a Configuration,
) -> Result<&'a Profile, Refusal> {
    let refused = |because: String, next: String| Refusal::new(crate::rules::PROFILE_NOT_ENABLED, because, next);
    let annotated = pod.metadata.annotation(labels::PROFILE);
    let narrowed = namespace_facts.profile.as_deref();
    let enabled = configuration.enabled_names();
    let (name, said_by) = match (annotated, narrowed) {
        (Some(annotated), Some(narrowed)) if annotated != narrowed => {
            return Err(refused(
                format!(
                    "annotation {} chooses profile {annotated:?}, but namespace {namespace} permits only {narrowed:?} by its label {}",
                    labels::PROFILE,
                    labels::PROFILE
                ),
                format!("Remove the annotation, or write {}: {narrowed}", labels::PROFILE),
            ));
        }
        (Some(annotated), _) => (annotated, "the annotation".to_owned()),
        (None, Some(narrowed)) => (narrowed, format!("the label of namespace {namespace}")),
        (None, None) => {
            let by_class = pod
                .spec
                .runtime_class()
                .and_then(|class| configuration.enabled.iter().find(|profile| profile.accepted(class).is_some()));
            let chosen = by_class.or_else(|| configuration.enabled.first());
            return chosen
                .map(|profile| &**profile)
                .ok_or_else(|| refused("no profile is enabled".to_owned(), "Enable one in the configuration".to_owned()));
        }
    };
    configuration.enabled_profile(name).map(|profile| &**profile).ok_or_else(|| {
        refused(
            format!("profile {name:?}, chosen by {said_by} {}, is not enabled: enabled are {enabled}", labels::PROFILE),
            format!("Choose one of {enabled}, or ask the cluster administrator to enable {name:?} in the configuration"),
        )
    })
}
