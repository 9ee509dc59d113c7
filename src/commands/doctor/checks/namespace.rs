//! Countersign's own namespace is there, and stays.

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::{Snapshot, text};

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let mut findings = Vec::new();
    for wanted in snapshot.of_kinds(&["Namespace"]) {
        let Some(found) = super::present(wanted, snapshot, &mut findings) else { continue };
        if text(found, "/status/phase") == "Terminating" {
            findings.push(Finding::wrong(
                format!("{} is being deleted", wanted.title()),
                format!("docs/operations.md, \"Uninstall\"; then {}", snapshot.reapply()),
            ));
        }
    }
    Examined::new(format!("{} is there", snapshot.namespace), findings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::healthy::{change, healthy};
    use super::super::tests::findings;

    #[test]
    fn a_missing_namespace_is_mended_by_installing() {
        let mut snapshot = healthy();
        snapshot.objects.iter_mut().find(|wanted| wanted.kind() == "Namespace").unwrap().found = Ok(None);
        let found = findings("namespace", &snapshot);
        assert_eq!(found[0].problem, "Namespace countersign-system is missing");
        assert_eq!(
            found[0].mend,
            format!(
                "countersign manifests --image {} | kubectl apply --server-side --force-conflicts -f -",
                crate::manifests::IMAGE
            )
        );
    }

    #[test]
    fn a_namespace_that_is_being_deleted_is_told() {
        let mut snapshot = healthy();
        change(&mut snapshot, "Namespace", |found| found["status"] = json!({"phase": "Terminating"}));
        assert!(findings("namespace", &snapshot)[0].problem.ends_with("is being deleted"));
    }
}
