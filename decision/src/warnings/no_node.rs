//! A new confidential pod selects a label that no node of the cluster has.
//!
//! Why: the pod is right and is admitted, and then waits for a node that nobody has made.
//! Reads: spec.nodeSelector of the final pod: what the profile, the RuntimeClass and the author ask for; the watched nodes.
//! Silent: where nodes are not watched or not heard of; about the host names of nodes.
//! Source: Kubernetes, "Assigning Pods to Nodes".

use crate::facts::Known;
use crate::request::Operation;
use crate::subject::Subject;
use crate::text::Pairs;
use crate::verdict::Refusal;

pub(super) const ID: &str = "no-node";

pub(super) fn said(subject: &Subject<'_>, known: &Known<'_>) -> Option<Refusal> {
    let ours = subject.confidential || subject.asks_for_trusted_launch();
    if subject.operation != Operation::Create || !ours || known.stale_since.is_some() {
        return None;
    }
    let nodes = known.facts.node_labels.as_ref()?;
    let selectors = subject.pod.spec.node_selector.iter().flat_map(Pairs::iter);
    let lacking: Vec<_> =
        selectors.filter(|(key, value)| nodes.lack(key, value)).map(|(key, value)| format!("{key}: {value:?}")).collect();
    if lacking.is_empty() {
        return None;
    }
    Some(Refusal::new(
        ID,
        format!(
            "no node of the cluster has the label {}, which the pod selects: it stays Pending until one does",
            lacking.join(", nor ")
        ),
        "Ask the cluster administrator for such nodes",
    ))
}
