//! The Service selects Countersign's pods and leads to their HTTPS port.

use crate::commands::doctor::difference::differences;
use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let mut findings = Vec::new();
    for wanted in snapshot.of_kinds(&["Service"]) {
        let Some(found) = super::present(wanted, snapshot, &mut findings) else { continue };
        for difference in differences(&wanted.rendered, found) {
            findings.push(Finding::wrong(format!("{}: {difference}", wanted.title()), snapshot.reapply()));
        }
    }
    Examined::new("the Service is as it was installed", findings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::healthy::{change, healthy};
    use super::super::tests::findings;

    #[test]
    fn another_selector_or_port_is_told() {
        let mut snapshot = healthy();
        change(&mut snapshot, "Service", |found| found["spec"]["selector"] = json!({"app.kubernetes.io/name": "other"}));
        assert_eq!(
            findings("service", &snapshot)[0].problem,
            "Service countersign: spec.selector.app.kubernetes.io/name is \"other\", and should be \"countersign\""
        );
        let mut snapshot = healthy();
        change(&mut snapshot, "Service", |found| found["spec"]["ports"][0]["port"] = json!(444));
        assert!(findings("service", &snapshot)[0].problem.contains("spec.ports[https].port is 444, and should be 443"));
    }
}
