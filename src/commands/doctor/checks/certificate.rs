//! Every replica serves a certificate that the API server will take: of an authority in every caBundle, for the Service's name, now
//! and for a while.
//!
//! Reads: the chain that each pod shows in a TLS handshake through a port forward; judged by the rules that rustls has for any
//! server, with each caBundle as the only roots, at the API server's time.

use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::ca_bundle::{self, bundles, ends_soon};
use crate::certs::leads_to;
use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::{Served, Snapshot};

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let served = match &snapshot.served {
        Ok(served) => served,
        Err(unseen) => return Examined::unseen(unseen),
    };
    if served.is_empty() {
        let problem = "no pod of Countersign runs, so no certificate is served";
        let next = format!("kubectl get pods -n {} -l app.kubernetes.io/name=countersign", snapshot.namespace);
        return Examined::new("", vec![Finding::wrong(problem, next)]);
    }
    let mut findings = Vec::new();
    for Served { pod, chain } in served {
        match chain {
            Err(problem) => findings.push(Finding::wrong(
                format!("pod {pod} does not serve HTTPS on port {}: {problem}", crate::manifests::HTTPS_PORT),
                format!("kubectl logs -n {} {pod} --tail 20", snapshot.namespace),
            )),
            Ok(chain) => judge(pod, chain, snapshot, &mut findings),
        }
    }
    Examined::new(format!("{} pods serve certificates that every caBundle vouches for", served.len()), findings)
}

fn judge(pod: &str, chain: &[Vec<u8>], snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let mend = ca_bundle::renew(snapshot);
    let Some(leaf) = chain.first() else {
        findings.push(Finding::wrong(format!("pod {pod} serves no certificate"), mend));
        return;
    };
    let mut problems: Vec<String> = Vec::new();
    for (entry, bundle) in bundles(snapshot) {
        let Ok(certificates) = bundle else { continue };
        if let Err(problem) = verified(chain, &certificates, snapshot) {
            let problem = format!("pod {pod} serves a certificate that the caBundle of {entry} does not vouch for: {problem}");
            problems.push(problem);
        }
    }
    findings.extend(problems.into_iter().map(|problem| Finding::wrong(problem, mend.clone())));
    match x509_parser::parse_x509_certificate(leaf) {
        Err(error) => {
            findings.push(Finding::wrong(format!("pod {pod} serves a certificate that cannot be read: {error}"), mend));
        }
        Ok((_, certificate)) => {
            let (from, until) = (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
            if ends_soon(from, until, snapshot.now.as_second()) {
                let when = jiff::Timestamp::from_second(until).unwrap_or_default();
                findings
                    .push(Finding::warning(format!("the certificate of pod {pod} ends at {when} and was not renewed"), mend));
            }
        }
    }
}

/// Whether the API server would take the chain with these roots.
fn verified(chain: &[Vec<u8>], roots: &[CertificateDer<'static>], snapshot: &Snapshot) -> Result<(), String> {
    let chain: Vec<CertificateDer<'_>> = chain.iter().map(|certificate| CertificateDer::from(certificate.as_slice())).collect();
    let (leaf, rest) = chain.split_first().ok_or("there is none")?;
    let name = ServerName::try_from(format!("countersign.{}.svc", snapshot.namespace)).map_err(|error| error.to_string())?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(snapshot.now.as_second()).unwrap_or_default()));
    leads_to(roots, leaf, rest, &name, now)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::super::healthy::{Keys, healthy};
    use super::super::tests::findings;
    use crate::commands::doctor::snapshot::Served;

    #[test]
    fn a_certificate_of_another_authority_is_told_with_the_webhook_that_will_not_take_it() {
        let mut snapshot = healthy();
        let other = Keys::make(snapshot.now, "countersign.countersign-system.svc");
        snapshot.served = Ok(vec![Served { pod: "c-1".to_owned(), chain: Ok(vec![other.leaf]) }]);
        let found = findings("certificate", &snapshot);
        assert_eq!(found.len(), 7, "one for each entry of the webhook configurations");
        assert!(
            found[0].problem.starts_with(
                "pod c-1 serves a certificate that the caBundle of complete.pods-in-required-namespaces.countersign.dev \
                 does not vouch for: "
            ) && found[0].problem.contains("invalid peer certificate: "),
            "{}",
            found[0].problem
        );
    }

    #[test]
    fn a_certificate_that_has_expired_or_is_not_valid_yet_or_for_another_name_is_told() {
        let mut snapshot = healthy();
        snapshot.now += 400.days_in_hours();
        assert!(findings("certificate", &snapshot)[0].problem.contains("expired"), "{:?}", findings("certificate", &snapshot));
        let mut snapshot = healthy();
        snapshot.now -= 48.hours();
        assert!(
            findings("certificate", &snapshot)[0].problem.contains("not valid yet"),
            "{:?}",
            findings("certificate", &snapshot)
        );
        let mut snapshot = healthy();
        snapshot.namespace = "security".to_owned();
        assert!(
            findings("certificate", &snapshot)[0].problem.contains("not valid for name"),
            "{:?}",
            findings("certificate", &snapshot)
        );
    }

    #[test]
    fn a_certificate_that_nobody_renewed_in_time_is_a_warning() {
        let mut snapshot = healthy();
        snapshot.now += 355.days_in_hours();
        let found = findings("certificate", &snapshot);
        assert!(found[0].problem.contains("was not renewed"), "{found:?}");
    }

    #[test]
    fn a_pod_that_does_not_answer_is_told_in_the_words_of_its_node() {
        let mut snapshot = healthy();
        snapshot.served = Ok(vec![Served { pod: "c-1".to_owned(), chain: Err("connection refused".to_owned()) }]);
        assert_eq!(
            findings("certificate", &snapshot)[0].problem,
            "pod c-1 does not serve HTTPS on port 8443: connection refused"
        );
        snapshot.served = Ok(Vec::new());
        assert!(findings("certificate", &snapshot)[0].problem.starts_with("no pod of Countersign runs"));
    }

    trait Days {
        fn days_in_hours(self) -> jiff::Span;
    }

    impl Days for i64 {
        fn days_in_hours(self) -> jiff::Span {
            (self * 24).hours()
        }
    }
}
