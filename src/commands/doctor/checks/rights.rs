//! The service account may do what the rendered roles give it.
//!
//! Why: without its rights the webhook sees no allow-list, or an old one, and refuses.
//! Reads: one `SubjectAccessReview` for each right; so a missing binding is found as well as a changed role.

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let mut findings: Vec<Finding> = Vec::new();
    for (right, answer) in &snapshot.rights {
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
    Examined::new(format!("the service account has the {} rights that it needs", snapshot.rights.len()), findings)
}

#[cfg(test)]
mod tests {
    use super::super::healthy::healthy;
    use super::super::tests::findings;

    #[test]
    fn a_missing_right_is_named() {
        let mut snapshot = healthy();
        snapshot.rights[0].1 = Ok(false);
        assert_eq!(findings("rights", &snapshot)[0].problem, format!("the service account may not {}", snapshot.rights[0].0));
    }
}
