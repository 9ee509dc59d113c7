//! The service account may do what the rendered roles give it.
//!
//! Why: without its rights the webhook sees no allow-list, or an old one, and refuses.
//! With certificates from files nobody leads, and the rights of the leader are not needed.
//! Reads: one `SubjectAccessReview` for each right; so a missing binding is found as well as a changed role.

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::{Right, Snapshot};

/// What only the keeping of certificates of its own takes. Source: manifests/components/certificate-files.
fn is_the_leaders(right: &Right) -> bool {
    right.verb == "patch" || ["secrets", "leases", "endpointslices"].contains(&right.resource.as_str())
}

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let mut findings: Vec<Finding> = Vec::new();
    let own = snapshot.own_certificates();
    let needed = || snapshot.rights.iter().filter(|(right, _)| own || !is_the_leaders(right));
    for (right, answer) in needed() {
        match answer {
            Ok(true) => {}
            Ok(false) => findings.push(Finding::wrong(format!("the service account may not {right}"), snapshot.reapply())),
            Err(unseen) => {
                let finding = Finding::unknown(unseen);
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
    }
    Examined::new(format!("the service account has the {} rights that it needs", needed().count()), findings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::healthy::{change, healthy, with_own_certificates};
    use super::super::tests::findings;

    #[test]
    fn a_missing_right_is_named() {
        let mut snapshot = healthy();
        snapshot.rights[0].1 = Ok(false);
        assert_eq!(findings("rights", &snapshot)[0].problem, format!("the service account may not {}", snapshot.rights[0].0));
    }

    #[test]
    fn with_files_the_rights_of_the_leader_are_not_missed() {
        let mut snapshot = with_own_certificates(healthy());
        snapshot.rights[0].0.verb = "patch".to_owned();
        snapshot.rights[0].1 = Ok(false);
        assert_eq!(findings("rights", &snapshot).len(), 1);
        change(&mut snapshot, "Deployment", |found| {
            found["spec"]["template"]["spec"]["containers"][0]["args"] = json!(["serve", "--tls-cert=x"]);
        });
        assert_eq!(findings("rights", &snapshot), []);
    }
}
