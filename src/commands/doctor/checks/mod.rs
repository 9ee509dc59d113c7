//! What is looked at. Each check is one file; this table says which there are and in which order they are reported: what others
//! rest upon comes first.

mod allow_list;
mod api_server;
mod ca_bundle;
mod certificate;
mod clocks;
mod configuration;
mod deployment;
mod endpoints;
mod exec_door;
mod expiry;
mod leader;
mod namespace;
mod namespace_labels;
mod nodes;
mod objects;
mod ordinary_pod;
mod policies;
mod refusal;
mod rights;
mod running_pods;
mod runtime_classes;
mod service;
mod webhooks;

#[cfg(test)]
mod healthy;

use super::finding::{Examined, Finding};
use super::snapshot::{Snapshot, Wanted};
use serde_json::Value;

/// A check as a row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check {
    /// The stable id: in the report and in the documentation.
    pub(super) id: &'static str,
    /// Looks at what was gathered.
    pub(super) examine: fn(&Snapshot) -> Examined,
}

/// Every check, in the order in which it is reported.
pub(super) const CHECKS: [Check; 23] = [
    Check { id: "api-server", examine: api_server::examine },
    Check { id: "clocks", examine: clocks::examine },
    Check { id: "namespace", examine: namespace::examine },
    Check { id: "objects", examine: objects::examine },
    Check { id: "configuration", examine: configuration::examine },
    Check { id: "rights", examine: rights::examine },
    Check { id: "deployment", examine: deployment::examine },
    Check { id: "service", examine: service::examine },
    Check { id: "endpoints", examine: endpoints::examine },
    Check { id: "leader", examine: leader::examine },
    Check { id: "certificate", examine: certificate::examine },
    Check { id: "webhooks", examine: webhooks::examine },
    Check { id: "exec-door", examine: exec_door::examine },
    Check { id: "ca-bundle", examine: ca_bundle::examine },
    Check { id: "policies", examine: policies::examine },
    Check { id: "refusal", examine: refusal::examine },
    Check { id: "ordinary-pod", examine: ordinary_pod::examine },
    Check { id: "runtime-classes", examine: runtime_classes::examine },
    Check { id: "nodes", examine: nodes::examine },
    Check { id: "namespace-labels", examine: namespace_labels::examine },
    Check { id: "allow-list", examine: allow_list::examine },
    Check { id: "expiry", examine: expiry::examine },
    Check { id: "running-pods", examine: running_pods::examine },
];

/// An object as the cluster has it. That it is missing, or could not be read, is a finding.
fn present<'a>(wanted: &'a Wanted, snapshot: &Snapshot, findings: &mut Vec<Finding>) -> Option<&'a Value> {
    match &wanted.found {
        Ok(Some(found)) => return Some(found),
        Ok(None) => findings.push(Finding::wrong(format!("{} is missing", wanted.title()), snapshot.reapply())),
        Err(unseen) => findings.push(Finding::unknown(unseen)),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::healthy::healthy;
    use super::*;
    use crate::commands::doctor::finding::Level;

    /// What a check of this id finds.
    pub(super) fn findings(id: &str, snapshot: &Snapshot) -> Vec<Finding> {
        let check = CHECKS.iter().find(|check| check.id == id).unwrap();
        (check.examine)(snapshot).findings
    }

    #[test]
    fn a_healthy_installation_passes_every_check_and_each_says_what_holds() {
        let snapshot = healthy();
        for check in &CHECKS {
            let examined = (check.examine)(&snapshot);
            assert_eq!(examined.findings, [], "{}", check.id);
            assert!(!examined.says.is_empty(), "{}", check.id);
        }
    }

    #[test]
    fn what_could_not_be_looked_at_is_never_healthy() {
        let unseen = || crate::commands::doctor::snapshot::Unseen {
            what: "look".to_owned(),
            because: "nobody lets me".to_owned(),
            mend: "ask".to_owned(),
        };
        let mut snapshot = healthy();
        for wanted in &mut snapshot.objects {
            wanted.found = Err(unseen());
        }
        for (_, answer) in &mut snapshot.rights {
            *answer = Err(unseen());
        }
        snapshot.slices = Err(unseen());
        snapshot.own_pods = Err(unseen());
        snapshot.served = Err(unseen());
        snapshot.runtime_classes = Err(unseen());
        snapshot.nodes = Err(unseen());
        snapshot.leases = Err(unseen());
        snapshot.namespaces = Err(unseen());
        snapshot.allow_lists = Err(unseen());
        snapshot.pods = Err(unseen());
        snapshot.configured.in_cluster = Err(unseen());
        snapshot.claim = crate::commands::doctor::snapshot::Probe::Unsent(unseen());
        snapshot.ordinary = crate::commands::doctor::snapshot::Probe::Unsent(unseen());
        for check in CHECKS.iter().filter(|check| check.id != "api-server") {
            let examined = (check.examine)(&snapshot);
            assert_eq!(examined.level(), Level::Unknown, "{}: {:?}", check.id, examined);
            assert!(examined.findings.iter().any(|finding| finding.problem == "cannot look: nobody lets me"), "{}", check.id);
        }
    }

    #[test]
    fn every_check_stands_in_the_documentation() {
        let document = include_str!("../../../../docs/troubleshooting.md");
        for check in &CHECKS {
            assert!(document.contains(&format!("| `{}` |", check.id)), "docs/troubleshooting.md lacks `{}`", check.id);
        }
    }
}
