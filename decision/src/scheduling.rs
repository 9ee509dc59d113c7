//! Which nodes a pod can run on: what trusted launch asks for, and what can never go with it.

use serde_json::{Value, json};

use crate::pod::{NodeExpression, NodeSelectorTerm, Spec};

/// Node labels with the values that trusted-launch nodes never have.
///
/// Source: AKS, "Trusted Launch", limitations: no Windows nodes, no Arm64 pools, no virtual nodes.
const NEVER: [(&str, &str); 5] = [
    ("kubernetes.io/os", "windows"),
    ("beta.kubernetes.io/os", "windows"),
    ("kubernetes.io/arch", "arm64"),
    ("beta.kubernetes.io/arch", "arm64"),
    ("type", "virtual-kubelet"),
];

/// Why a pod can never run on a trusted-launch node, if it cannot: the field with its value.
pub(crate) fn never_fits(spec: &Spec<'_>) -> Option<String> {
    if spec.os.as_ref().is_some_and(|os| &*os.name == "windows") {
        return Some("spec.os.name is \"windows\"".to_owned());
    }
    let selected =
        |(key, value): &(&str, &str)| spec.node_selector.as_ref().and_then(|selector| selector.value(key)) == Some(*value);
    if let Some((key, value)) = NEVER.iter().find(|label| selected(label)) {
        return Some(format!("spec.nodeSelector[{key}] is \"{value}\""));
    }
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required = affinity.and_then(|affinity| affinity.required.as_ref());
    let terms = required.and_then(|required| required.node_selector_terms.as_deref()).unwrap_or_default();
    // One fitting term is enough for the scheduler, so all of them must be out of the question.
    let mut reasons = terms.iter().map(impossible);
    let first = reasons.next()??;
    reasons.all(|reason| reason.is_some()).then(|| format!("spec.affinity.nodeAffinity requires {first}"))
}

/// The expression of a term that no trusted-launch node can meet.
fn impossible(term: &NodeSelectorTerm<'_>) -> Option<String> {
    let never = |expression: &&NodeExpression<'_>| {
        let values = expression.values.as_deref().unwrap_or_default();
        &*expression.operator == "In"
            && !values.is_empty()
            && values.iter().all(|value| NEVER.iter().any(|(key, never)| *expression.key == **key && **value == **never))
    };
    term.match_expressions.as_deref().unwrap_or_default().iter().find(never).map(|expression| {
        let values = expression.values.as_deref().unwrap_or_default().iter().map(|value| &**value).collect::<Vec<_>>();
        format!("{} in [{}]", expression.key, values.join(", "))
    })
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
    use crate::pod::Pod;

    fn reason(spec: &Value) -> Option<String> {
        let text = json!({"spec": spec}).to_string();
        never_fits(&Pod::from_json(&text).unwrap().spec)
    }

    fn requiring(terms: &Value) -> Option<String> {
        reason(
            &json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}}),
        )
    }

    #[test]
    fn windows_arm64_and_virtual_nodes_never_fit() {
        assert_eq!(reason(&json!({"os": {"name": "windows"}})).unwrap(), "spec.os.name is \"windows\"");
        assert_eq!(
            reason(&json!({"nodeSelector": {"kubernetes.io/arch": "arm64"}})).unwrap(),
            "spec.nodeSelector[kubernetes.io/arch] is \"arm64\""
        );
        assert_eq!(
            reason(&json!({"nodeSelector": {"type": "virtual-kubelet"}})).unwrap(),
            "spec.nodeSelector[type] is \"virtual-kubelet\""
        );
        assert_eq!(reason(&json!({"os": {"name": "linux"}, "nodeSelector": {"kubernetes.io/arch": "amd64"}})), None);
    }

    #[test]
    fn a_required_affinity_never_fits_only_if_no_term_does() {
        let arm = json!({"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]});
        let both = json!({"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64", "amd64"]}]});
        assert_eq!(requiring(&json!([arm])).unwrap(), "spec.affinity.nodeAffinity requires kubernetes.io/arch in [arm64]");
        assert_eq!(requiring(&json!([both])), None);
        assert_eq!(requiring(&json!([arm, both])), None);
        assert_eq!(requiring(&json!([both, arm])), None);
        assert_eq!(requiring(&json!([{}])), None);
    }
}
