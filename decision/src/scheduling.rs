//! Which nodes a pod can run on: what its profile asks of them, and what can never go with it.

use std::fmt;

use serde_json::{Value, json};

use crate::configuration::{Demand, Profile};
use crate::pod::{NodeExpression, NodeSelectorTerm, Spec};

/// What is known of one label of every node that pods of a profile can run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeLabel {
    /// The label's key.
    pub(crate) key: &'static str,
    value: Says,
    /// Whether the profile's demands say so; otherwise what the platform is.
    pub(crate) required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// Each of these nodes has it with this value.
    Always(&'static str),
    /// None of these nodes has it with this value.
    Never(&'static str),
}

const fn fixed(key: &'static str, value: Says) -> NodeLabel {
    NodeLabel { key, value, required: false }
}

/// Of nodes that run confidential pods. Source: Kubernetes, "Well-Known Labels".
const LINUX: [NodeLabel; 2] =
    [fixed("kubernetes.io/os", Says::Always("linux")), fixed("beta.kubernetes.io/os", Says::Never("windows"))];

/// Of trusted-launch nodes beside that.
///
/// Source: AKS, "Trusted Launch", limitations: no Windows nodes, no Arm64 pools, no virtual nodes.
const TRUSTED_LAUNCH: [NodeLabel; 3] = [
    fixed("kubernetes.io/arch", Says::Always("amd64")),
    fixed("beta.kubernetes.io/arch", Says::Never("arm64")),
    fixed("type", Says::Never("virtual-kubelet")),
];

/// What is known of the nodes that pods of `profile` can run on.
pub(crate) fn node_labels(profile: &Profile) -> Vec<NodeLabel> {
    let trusted_launch: &[NodeLabel] = if profile.needs_trusted_launch() { &TRUSTED_LAUNCH } else { &[] };
    let demands = profile.trusted_launch.labels().into_iter().filter(|(_, demand)| *demand == Demand::Require);
    let required = demands.map(|(key, _)| NodeLabel { key, value: Says::Always("true"), required: true });
    LINUX.into_iter().chain(trusted_launch.iter().copied()).chain(required).collect()
}

impl NodeLabel {
    /// Whether one of these nodes can have the label with this value.
    pub(crate) fn permits(&self, value: &str) -> bool {
        match self.value {
            Says::Always(always) => value == always,
            Says::Never(never) => value != never,
        }
    }

    /// Whether one of these nodes can meet the expression.
    fn can_meet(&self, expression: &NodeExpression<'_>) -> bool {
        let mut values = expression.values.as_deref().unwrap_or_default().iter();
        match (&*expression.operator, self.value) {
            ("In", _) => values.len() == 0 || values.any(|value| self.permits(value)),
            ("NotIn", Says::Always(always)) => !values.any(|value| **value == *always),
            // Neither "true" nor "linux" is a number.
            ("DoesNotExist" | "Gt" | "Lt", Says::Always(_)) => false,
            _ => true,
        }
    }

    /// Who says so.
    pub(crate) fn because(&self, profile: &Profile) -> String {
        let Profile { name, .. } = profile;
        match self.value {
            Says::Always(value) if self.required => format!("profile {name} requires {}: \"{value}\"", self.key),
            _ if profile.needs_trusted_launch() => {
                format!("profile {name} asks for trusted-launch nodes, and none of them is such a node")
            }
            _ => "no node that runs confidential pods is such a node".to_owned(),
        }
    }
}

/// The first requirement that stands in the way, with the label that it is about, if no term can be met: for the scheduler one is
/// enough.
pub(crate) fn unmet<'t, 'a, 'l>(
    terms: &'t [NodeSelectorTerm<'a>],
    labels: &'l [NodeLabel],
) -> Option<(&'t NodeExpression<'a>, &'l NodeLabel)> {
    let mut reasons = terms.iter().map(|term| {
        let expressions = term.match_expressions.as_deref().unwrap_or_default();
        expressions.iter().find_map(|expression| {
            let label = labels.iter().find(|label| *label.key == *expression.key && !label.can_meet(expression))?;
            Some((expression, label))
        })
    });
    let first = reasons.next()??;
    reasons.all(|reason| reason.is_some()).then_some(first)
}

impl fmt::Display for NodeExpression<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, operator, values } = self;
        let values = values.as_deref().unwrap_or_default().iter().map(|value| &**value).collect::<Vec<_>>().join(", ");
        if values.is_empty() { write!(f, "{key} {operator}") } else { write!(f, "{key} {operator} [{values}]") }
    }
}

/// The terms of the required node affinity; one that a node meets is enough.
pub(crate) fn required_terms<'a>(spec: &'a Spec<'_>) -> &'a [NodeSelectorTerm<'a>] {
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required = affinity.and_then(|affinity| affinity.required.as_ref());
    required.and_then(|required| required.node_selector_terms.as_deref()).unwrap_or_default()
}

/// The preference for nodes with `label`, as a term of `preferredDuringSchedulingIgnoredDuringExecution`.
pub(crate) fn preference(label: &str) -> Value {
    json!({"weight": 100, "preference": {"matchExpressions": [{"key": label, "operator": "In", "values": ["true"]}]}})
}

/// The pod's preferences for nodes.
pub(crate) fn preferences<'a>(spec: &'a Spec<'_>) -> &'a [Value] {
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    affinity.and_then(|affinity| affinity.preferred.as_deref()).unwrap_or_default()
}

/// The value that the pod selects for a node label.
pub(crate) fn selected<'a>(spec: &'a Spec<'_>, label: &str) -> Option<&'a str> {
    spec.node_selector.as_ref().and_then(|selector| selector.value(label))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Configuration;
    use crate::pod::Pod;

    const VTPM: &str = "kubernetes.azure.com/trusted-launch";

    /// The requirement of these terms that no node of profile `aks` can meet.
    fn reason(terms: &Value) -> Option<String> {
        let text = json!({"spec": {"affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}}})
        .to_string();
        let configuration = Configuration::built_in().unwrap();
        let pod = Pod::from_json(&text).unwrap();
        let labels = node_labels(&configuration.enabled[0]);
        unmet(required_terms(&pod.spec), &labels).map(|(expression, _)| expression.to_string())
    }

    fn expression(key: &str, operator: &str, values: &[&str]) -> Value {
        json!([{"matchExpressions": [{"key": key, "operator": operator, "values": values}]}])
    }

    #[test]
    fn an_affinity_is_unmet_only_if_no_term_can_be_met() {
        let arm = json!({"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]});
        let both = json!({"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64", "amd64"]}]});
        assert_eq!(reason(&json!([arm])).unwrap(), "kubernetes.io/arch In [arm64]");
        assert_eq!(reason(&json!([both])), None);
        assert_eq!(reason(&json!([arm, both])), None);
        assert_eq!(reason(&json!([both, arm])), None);
        assert_eq!(reason(&json!([{}])), None);
    }

    #[test]
    fn every_operator_is_read_as_the_scheduler_reads_it() {
        for (key, operator, values) in [
            (VTPM, "In", &["false"][..]),
            (VTPM, "NotIn", &["false", "true"]),
            (VTPM, "DoesNotExist", &[]),
            (VTPM, "Gt", &["0"]),
            (VTPM, "Lt", &["9"]),
            ("kubernetes.io/os", "NotIn", &["linux"]),
            ("beta.kubernetes.io/arch", "In", &["arm64"]),
            ("type", "In", &["virtual-kubelet"]),
        ] {
            assert!(reason(&expression(key, operator, values)).is_some(), "{key} {operator} {values:?}");
        }
        for (key, operator, values) in [
            (VTPM, "In", &["false", "true"][..]),
            (VTPM, "NotIn", &["false"]),
            (VTPM, "Exists", &[]),
            ("kubernetes.io/os", "In", &["linux"]),
            ("beta.kubernetes.io/arch", "DoesNotExist", &[]),
            ("type", "NotIn", &["virtual-kubelet"]),
            ("example.org/pool", "DoesNotExist", &[]),
        ] {
            assert_eq!(reason(&expression(key, operator, values)), None, "{key} {operator} {values:?}");
        }
    }

    #[test]
    fn one_node_by_its_name_is_no_conflict() {
        let by_name = json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}]);
        assert_eq!(reason(&by_name), None);
    }
}
