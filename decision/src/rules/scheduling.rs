//! What a pod asks of its node goes with what its profile asks.
//!
//! Why: a pod that no node can ever take is admitted and then Pending for ever, or fails on its node; neither says why.
//! Reads: spec.nodeName of a new pod, spec.os.name, the node selectors and required node affinities for labels that are known of
//! every node that the profile's pods run on; the profile.
//! Allows: no nodeName, which passes the scheduler by (what the scheduler itself writes is no wish of the pod's); Linux; where the
//! profile needs trusted-launch nodes also amd64 and no virtual nodes; a required affinity of which at least one term leaves the
//! labels that the profile requires. An affinity to one node by its name, as a `DaemonSet`'s pods have it, is none of this.
//! Source: Kubernetes, "Assigning Pods to Nodes"; AKS, "Trusted Launch", limitations.

use super::{Judge, Judgement, Judges};
use crate::configuration::Profile;
use crate::facts::Known;
use crate::pod::NodeSelectorTerm;
use crate::request::Operation;
use crate::scheduling::{NodeLabel, node_labels, required_terms, selected, unmet};
use crate::subject::Subject;
use crate::verdict::Refusal;

pub(super) struct Scheduling;

#[derive(PartialEq)]
pub(super) struct Reads<'a> {
    node_name: Option<&'a str>,
    os: Option<&'a str>,
    selectors: Vec<(NodeLabel, &'a str)>,
    terms: &'a [NodeSelectorTerm<'a>],
    profile: &'a Profile,
}

impl Judge for Scheduling {
    const ID: &'static str = "scheduling";
    const JUDGES: Judges = Judges::TrustedLaunch;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        let profile: &Profile = subject.profile.as_ref().ok()?;
        let spec = &subject.pod.spec;
        // Rule `node-selectors` reads the selectors that the profile requires.
        let fixed = node_labels(profile).into_iter().filter(|label| !label.required);
        Some(Reads {
            node_name: Some(&*spec.node_name).filter(|name| subject.operation == Operation::Create && !name.is_empty()),
            os: spec.os.as_ref().map(|os| &*os.name),
            selectors: fixed.filter_map(|label| Some((label, selected(spec, label.key)?))).collect(),
            terms: required_terms(spec),
            profile,
        })
    }

    fn judge(reads: &Reads<'_>, _: &Known<'_>) -> Judgement {
        judge(reads)
    }
}

/// The same judgement for /mutate, which adds nothing to a pod that can never run.
pub(crate) fn judge_subject(subject: &Subject<'_>) -> Judgement {
    Scheduling::reads(subject).map_or(Ok(()), |reads| judge(&reads))
}

fn judge(Reads { node_name, os, selectors, terms, profile }: &Reads<'_>) -> Judgement {
    let labels = node_labels(profile);
    let mut problems = Vec::new();
    if let Some(name) = node_name {
        problems.push((
            format!("spec.nodeName is {name:?}, which passes the scheduler by: nobody would look for a node that profile {} can use", profile.name),
            "Remove spec.nodeName and let the scheduler choose".to_owned(),
        ));
    }
    if let Some("windows") = os {
        let why = if profile.needs_trusted_launch() { "trusted-launch nodes" } else { "the nodes of confidential pods" };
        problems.push((format!("spec.os.name is \"windows\", and {why} run Linux"), "Remove spec.os".to_owned()));
    }
    for (label, value) in selectors.iter().filter(|(label, value)| !label.permits(value)) {
        problems.push((
            format!("spec.nodeSelector[{}] is {value:?}, and {}", label.key, label.because(profile)),
            format!("Remove the node selector {}", label.key),
        ));
    }
    if let Some((expression, label)) = unmet(terms, &labels) {
        problems.push((
            format!("spec.affinity.nodeAffinity requires {expression}, and {}", label.because(profile)),
            format!("Remove the requirement on {} from the node affinity", label.key),
        ));
    }
    if problems.is_empty() {
        return Ok(());
    }
    let (because, next): (Vec<_>, Vec<_>) = problems.into_iter().unzip();
    Err(Refusal::new(Scheduling::ID, because.join("; "), next.join("\n")))
}
