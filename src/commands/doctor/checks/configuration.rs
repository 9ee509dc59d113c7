//! The configuration in the cluster can be read, and is the one that was given.
//!
//! Why: everything else is compared with what that configuration renders.

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let in_cluster = match &snapshot.configured.in_cluster {
        Ok(in_cluster) => in_cluster,
        Err(unseen) => return Examined::unseen(unseen),
    };
    let mut findings = Vec::new();
    if let Some(problem) = &snapshot.configured.unreadable {
        findings.push(Finding::wrong(
            format!("ConfigMap countersign-configuration, key configuration.yaml, {problem}"),
            "countersign manifests --config FILE --image IMAGE | kubectl apply --server-side --force-conflicts -f -",
        ));
    }
    let says = match (&snapshot.configured.file, in_cluster) {
        (None, None) => "built in".to_owned(),
        (None, Some(_)) => "as in ConfigMap countersign-configuration".to_owned(),
        (Some((name, _)), None) => {
            findings.push(Finding::wrong(
                format!(
                    "{name} is not installed: the cluster has no ConfigMap countersign-configuration, and runs the built-in one"
                ),
                snapshot.reapply(),
            ));
            String::new()
        }
        (Some((name, file)), Some(in_cluster)) => {
            if file.trim_end() != in_cluster.trim_end() {
                findings.push(Finding::wrong(
                    format!("{name} is not what ConfigMap countersign-configuration holds"),
                    snapshot.reapply(),
                ));
            }
            format!("{name} is installed")
        }
    };
    Examined::new(says, findings)
}

#[cfg(test)]
mod tests {
    use super::super::healthy::healthy;
    use super::super::tests::findings;

    #[test]
    fn a_file_that_is_not_the_one_installed_is_told() {
        let mut snapshot = healthy();
        snapshot.configured.file = Some(("c.yaml".to_owned(), "a\n".to_owned()));
        assert!(findings("configuration", &snapshot)[0].problem.starts_with("c.yaml is not installed"));
        snapshot.configured.in_cluster = Ok(Some("b\n".to_owned()));
        let found = findings("configuration", &snapshot);
        assert!(found[0].problem.starts_with("c.yaml is not what ConfigMap"));
        assert!(found[0].mend.contains("--config c.yaml"), "{}", found[0].mend);
        snapshot.configured.in_cluster = Ok(Some("a".to_owned()));
        assert_eq!(findings("configuration", &snapshot), []);
    }

    #[test]
    fn a_configuration_in_the_cluster_that_cannot_be_read_is_told_with_its_line() {
        let mut snapshot = healthy();
        snapshot.configured.unreadable = Some("line 3, column 1: x: unknown field".to_owned());
        assert!(findings("configuration", &snapshot)[0].problem.contains("key configuration.yaml, line 3, column 1"));
    }
}
