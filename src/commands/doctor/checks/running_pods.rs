//! The confidential pods that run would be admitted if they were created now.
//!
//! Why: a pod that would be refused runs on until its node is drained, and then does not come back. Before a namespace goes from
//! audit to enforce, this is the list of what would break.
//! Reads: every running pod, judged by the same core as the webhook, as it is stored.

use std::collections::BTreeMap;

use crate::commands::doctor::finding::{Examined, Finding, Level};
use crate::commands::doctor::snapshot::{RefusedPod, Snapshot};

/// How many pods of a namespace are named.
const NAMED: usize = 5;

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let running = match &snapshot.pods {
        Ok(running) => running,
        Err(unseen) => return Examined::unseen(unseen),
    };
    let mut namespaces: BTreeMap<&str, Vec<&RefusedPod>> = BTreeMap::new();
    for pod in &running.refused {
        namespaces.entry(&pod.namespace).or_default().push(pod);
    }
    let findings = namespaces.into_iter().map(|(namespace, pods)| finding(namespace, &pods)).collect();
    Examined::new(format!("{} confidential pods run, and each would be admitted again", running.confidential), findings)
}

fn finding(namespace: &str, pods: &[&RefusedPod]) -> Finding {
    let mut reasons: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for (id, because) in pods.iter().flat_map(|pod| &pod.reasons) {
        reasons.entry(id).or_insert((0, because)).0 += 1;
    }
    let counts: Vec<_> = reasons.iter().map(|(id, (count, because))| format!("{count} by {id} ({because})")).collect();
    let names: Vec<_> = pods.iter().take(NAMED).map(|pod| pod.name.as_str()).collect();
    let more = pods.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let mode = pods.first().map(|pod| pod.mode.name()).unwrap_or_default();
    // In audit and warn they would start all the same: it is what enforce would refuse.
    let level = if pods.iter().any(|pod| pod.refused) { Level::Wrong } else { Level::Warning };
    let would = if level == Level::Wrong { "would be refused today" } else { "would be refused in mode enforce" };
    let noun = if pods.len() == 1 { "running pod" } else { "running pods" };
    Finding {
        level,
        problem: format!(
            "namespace {namespace} (mode {mode}): {} {noun} {would}: {}{more}; {}",
            pods.len(),
            names.join(", "),
            counts.join(", ")
        ),
        mend: format!(
            "countersign allow --from-cluster --allow-list al.yaml    # lists what runs, for policy-not-allowed: docs/rollout.md\n\
             kubectl get pods -n {namespace}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use countersign_decision::configuration::Mode;

    use super::super::healthy::healthy;
    use super::super::tests::findings;
    use crate::commands::doctor::finding::Level;
    use crate::commands::doctor::snapshot::{RefusedPod, Running};

    #[test]
    fn pods_are_counted_by_namespace_and_by_reason() {
        let pod = |namespace: &str, name: &str, mode: Mode| RefusedPod {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            mode,
            refused: mode == Mode::Enforce,
            reasons: vec![("policy-missing", "there is none".to_owned())],
        };
        let mut snapshot = healthy();
        let refused = vec![pod("b", "1", Mode::Audit), pod("a", "2", Mode::Enforce), pod("a", "3", Mode::Enforce)];
        snapshot.pods = Ok(Running { confidential: 9, refused });
        let found = findings("running-pods", &snapshot);
        assert_eq!(
            found[0].problem,
            "namespace a (mode enforce): 2 running pods would be refused today: 2, 3; 2 by policy-missing (there is none)"
        );
        assert_eq!(found[0].level, Level::Wrong);
        assert!(found[1].problem.starts_with("namespace b (mode audit): 1 running pod would be refused in mode enforce: 1;"));
        assert_eq!(found[1].level, Level::Warning);
    }
}
