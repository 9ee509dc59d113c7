//! For each enabled profile there is a node that its pods select: ready, schedulable, with the labels of trusted launch and those of
//! the RuntimeClass.
//!
//! Why: a pod that is admitted and never scheduled looks like a fault of the application.

use std::collections::BTreeMap;

use countersign_decision::configuration::{Demand, Profile};
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt as _;

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let nodes = match &snapshot.nodes {
        Ok(nodes) => nodes,
        Err(unseen) => return Examined::unseen(unseen),
    };
    let mut findings = Vec::new();
    let mut counts = Vec::new();
    for profile in &snapshot.configuration.enabled {
        let selectors = selectors(profile, snapshot);
        let has = |node: &Node, key: &str, value: &str| node.labels().get(key).is_some_and(|label| label == value);
        let selected: Vec<_> = nodes.iter().filter(|node| selectors.iter().all(|(key, value)| has(node, key, value))).collect();
        let usable = selected.iter().filter(|node| is_usable(node)).count();
        counts.push(format!("{usable} of {} nodes can run pods of profile {}", nodes.len(), profile.name));
        if usable > 0 {
            continue;
        }
        let words = selectors.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
        let problem = if selected.is_empty() {
            let lacking: Vec<_> =
                selectors.iter().filter(|(key, value)| !nodes.iter().any(|node| has(node, key, value))).collect();
            match lacking.first() {
                Some((key, value)) => {
                    format!("no node has the label {key}: \"{value}\" that pods of profile {} select", profile.name)
                }
                None => format!("no node has all of {} that pods of profile {} select", words.join(", "), profile.name),
            }
        } else {
            format!("no node that pods of profile {} select is ready and schedulable", profile.name)
        };
        let next = format!("kubectl get nodes -l {}    # then add a node pool with them: docs/profiles.md", words.join(","));
        findings.push(Finding::wrong(problem, next));
    }
    Examined::new(counts.join("; "), findings)
}

/// What a pod of the profile selects: its own selectors and those that the RuntimeClass adds.
fn selectors(profile: &Profile, snapshot: &Snapshot) -> BTreeMap<String, String> {
    let launch = profile.trusted_launch.labels().into_iter().filter(|(_, demand)| *demand == Demand::Require);
    let mut selectors: BTreeMap<_, _> = launch.map(|(key, _)| (key.to_owned(), "true".to_owned())).collect();
    let classes = snapshot.runtime_classes.as_ref().map(Vec::as_slice).unwrap_or_default();
    let class = classes.iter().find(|class| class.name_any() == *profile.runtime_class);
    let scheduling = class.and_then(|class| class.scheduling.as_ref()?.node_selector.clone());
    selectors.extend(scheduling.unwrap_or_default());
    selectors
}

fn is_usable(node: &Node) -> bool {
    let ready =
        node.status.as_ref().and_then(|status| status.conditions.as_ref()).is_some_and(|conditions| {
            conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
        });
    ready && !node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::healthy::healthy;
    use super::super::tests::findings;

    #[test]
    fn a_label_that_no_node_has_is_named() {
        let mut snapshot = healthy();
        for node in snapshot.nodes.as_mut().unwrap() {
            node.metadata.labels.as_mut().unwrap().remove("kubernetes.azure.com/secure-boot");
        }
        assert_eq!(
            findings("nodes", &snapshot)[0].problem,
            "no node has the label kubernetes.azure.com/secure-boot: \"true\" that pods of profile aks select"
        );
    }

    #[test]
    fn the_selectors_of_the_runtime_class_count_too() {
        let mut snapshot = healthy();
        for node in snapshot.nodes.as_mut().unwrap() {
            node.metadata.labels.as_mut().unwrap().remove("kubernetes.azure.com/kata-cc-isolation");
        }
        assert!(findings("nodes", &snapshot)[0].problem.contains("kubernetes.azure.com/kata-cc-isolation"));
    }

    #[test]
    fn a_node_that_is_cordoned_takes_nothing() {
        let mut snapshot = healthy();
        for node in snapshot.nodes.as_mut().unwrap() {
            node.spec.get_or_insert_default().unschedulable = Some(true);
        }
        assert_eq!(findings("nodes", &snapshot)[0].problem, "no node that pods of profile aks select is ready and schedulable");
    }
}
