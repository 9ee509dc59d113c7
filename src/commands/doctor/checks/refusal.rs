//! A pod that must be refused is refused, by Countersign and in its words.
//!
//! Why: this is the whole way: the API server finds the webhook configuration, the Service, an endpoint, the certificate that it
//! trusts, and the rules. Nothing else proves it.
//! Reads: the answer to a pod that bears `countersign.dev/countersigned` unearned, sent with dry run: refused in every mode, and by
//! nobody else, as long as its RuntimeClass is there.

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::{Probe, Snapshot};

/// What the rule says. Source: `validate` in the decision core.
const OURS: [&str; 2] = [".countersign.dev\" denied the request: ", "countersigned-unearned: "];

/// What the API server says when it cannot ask, and what to look at.
const CAUSES: [(&str, &str); 8] = [
    ("no endpoints available", "there are no ready endpoints: see the check `endpoints`"),
    ("\" not found", "see the checks `service` and `namespace`"),
    (
        "unknown authority",
        "caBundle is not of the authority that signed the certificate: see the checks `ca-bundle` and `certificate`",
    ),
    ("certificate has expired", "the certificate, or a clock: see the checks `certificate` and `clocks`"),
    ("certificate is valid for", "the certificate is for another name: see the check `certificate`"),
    ("certificate", "see the checks `certificate` and `ca-bundle`"),
    ("connection refused", "nothing listens behind the Service: see the checks `service` and `deployment`"),
    (
        "deadline exceeded",
        "the API server does not get through to the pods: a NetworkPolicy, a firewall between control plane and nodes, or kube-proxy",
    ),
];

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let logs = format!("kubectl logs -n {} -l app.kubernetes.io/name=countersign --tail 20", snapshot.namespace);
    let finding = match &snapshot.claim {
        Probe::Unsent(unseen) => Finding::unknown(unseen),
        Probe::Admitted => Finding::wrong(
            "a pod that claims to be countersigned and is not would be admitted: the API server does not ask Countersign",
            snapshot.reapply(),
        ),
        Probe::Refused(words) if OURS.iter().all(|ours| words.contains(ours)) => {
            return Examined::new("a pod that must be refused is refused by Countersign", Vec::new());
        }
        Probe::Refused(words) if words.contains("failed calling webhook") && words.contains(".countersign.dev") => {
            let cause = CAUSES.iter().find(|(said, _)| words.contains(said)).map(|(_, cause)| *cause);
            Finding::wrong(
                format!("the API server cannot call Countersign: {words}"),
                cause.map_or_else(|| logs.clone(), |cause| format!("{cause}\nor {logs}")),
            )
        }
        Probe::Refused(words) if words.contains(".countersign.dev") => {
            Finding::wrong(format!("Countersign answers something else than it should: {words}"), logs)
        }
        Probe::Refused(words) => Finding {
            level: crate::commands::doctor::finding::Level::Unknown,
            problem: format!("somebody else refuses the pod that was to try the way, before Countersign is asked: {words}"),
            mend: if words.contains("RuntimeClass") {
                "see the check `runtime-classes`".to_owned()
            } else {
                format!("let pods of namespace {} pass there, or try as another user", snapshot.namespace)
            },
        },
    };
    Examined::new("", vec![finding])
}

#[cfg(test)]
mod tests {
    use super::super::healthy::healthy;
    use super::super::tests::findings;
    use crate::commands::doctor::finding::Level;
    use crate::commands::doctor::snapshot::Probe;

    #[test]
    fn a_pod_that_passes_says_that_nobody_is_asked() {
        let mut snapshot = healthy();
        snapshot.claim = Probe::Admitted;
        assert!(findings("refusal", &snapshot)[0].problem.ends_with("the API server does not ask Countersign"));
    }

    #[test]
    fn the_api_servers_own_words_are_shown_with_what_to_look_at() {
        let mut snapshot = healthy();
        let words = "Internal error occurred: failed calling webhook \"complete.confidential-pods.countersign.dev\": failed to \
                     call webhook: Post \"https://countersign.countersign-system.svc:443/mutate?timeout=5s\": tls: failed to \
                     verify certificate: x509: certificate signed by unknown authority";
        snapshot.claim = Probe::Refused(words.to_owned());
        let found = &findings("refusal", &snapshot)[0];
        assert!(found.problem.contains(words));
        assert!(found.mend.starts_with("caBundle is not of the authority"), "{}", found.mend);
    }

    #[test]
    fn a_refusal_by_somebody_else_proves_nothing() {
        let mut snapshot = healthy();
        snapshot.claim = Probe::Refused("admission webhook \"validation.gatekeeper.sh\" denied the request: no".to_owned());
        assert_eq!(findings("refusal", &snapshot)[0].level, Level::Unknown);
        snapshot.claim = Probe::Refused(
            "admission webhook \"judge.confidential-pods.countersign.dev\" denied the request: facts-stale: old".to_owned(),
        );
        assert_eq!(findings("refusal", &snapshot)[0].level, Level::Wrong);
    }
}
