//! One replica leads: it keeps the certificates and writes caBundle.
//!
//! Why: without a leader everything works until the certificate ends.
//! Reads: the Lease `countersign`, where the webhook makes its own certificates.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::{Snapshot, text};

/// Beyond the Lease's own duration: another replica takes it after that.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let mut findings = Vec::new();
    let mut says = "the webhook reads its certificate from files: nobody has to lead".to_owned();
    if !snapshot.own_certificates() {
        // Whether it does is told by the Deployment.
        for wanted in snapshot.of_kinds(&["Deployment"]) {
            if let Err(unseen) = &wanted.found {
                findings.push(Finding::unknown(unseen));
            }
        }
        return Examined::new(says, findings);
    }
    for wanted in snapshot.of_kinds(&["Lease"]) {
        let Some(found) = super::present(wanted, snapshot, &mut findings) else { continue };
        let holder = text(found, "/spec/holderIdentity");
        let seconds = found.pointer("/spec/leaseDurationSeconds").and_then(Value::as_i64).unwrap_or_default();
        let renewed = text(found, "/spec/renewTime").parse::<Timestamp>();
        says = format!("{holder} leads");
        let over = |renewed: Timestamp| snapshot.now.duration_since(renewed) > SignedDuration::from_secs(seconds) + GRACE;
        let problem = match renewed {
            _ if holder.is_empty() => "nobody leads: no replica holds the Lease countersign".to_owned(),
            Ok(renewed) if !over(renewed) => continue,
            Ok(renewed) => format!("nobody leads: {holder} renewed the Lease countersign last at {renewed}"),
            Err(_) => format!("nobody leads: {holder} never renewed the Lease countersign"),
        };
        let namespace = &snapshot.namespace;
        findings.push(Finding::wrong(
            format!("{problem}; certificates are not renewed"),
            format!("kubectl logs -n {namespace} -l app.kubernetes.io/name=countersign --tail 50"),
        ));
    }
    Examined::new(says, findings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::healthy::{healthy, with_own_certificates};
    use super::super::tests::findings;
    use crate::commands::doctor::snapshot::Wanted;

    fn led(spec: &serde_json::Value) -> Vec<String> {
        let mut snapshot = with_own_certificates(healthy());
        snapshot.objects.retain(|wanted| wanted.kind() != "Lease");
        snapshot.objects.push(Wanted {
            rendered: json!({"kind": "Lease", "metadata": {"name": "countersign"}}),
            found: Ok(Some(json!({"spec": spec}))),
        });
        findings("leader", &snapshot).into_iter().map(|finding| finding.problem).collect()
    }

    #[test]
    fn a_lease_that_nobody_holds_or_renews_is_told() {
        let now = healthy().now;
        assert!(led(&json!({}))[0].starts_with("nobody leads: no replica holds"));
        let held = |renewed: &str| json!({"holderIdentity": "c-1", "leaseDurationSeconds": 15, "renewTime": renewed});
        assert_eq!(led(&held(&now.to_string())), [] as [&str; 0]);
        assert!(
            led(&held("2020-01-01T00:00:00Z"))[0].contains("c-1 renewed the Lease countersign last at 2020-01-01T00:00:00Z")
        );
    }
}
