//! Every entry of both webhook configurations has a caBundle that is valid now.
//!
//! Why: the API server trusts nothing else; with a wrong one every confidential pod is refused with an x509 error.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::{Snapshot, text};

const CONFIGURATIONS: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
/// Who brings certificates by hand needs some days for it.
const SOON_SECONDS: i64 = 14 * 24 * 60 * 60;

/// Whether a certificate that is valid now should have been renewed. Programs renew at two thirds of its life: where a sixth is left,
/// they did not.
pub(super) fn ends_soon(from: i64, until: i64, now: i64) -> bool {
    let left = until.saturating_sub(now);
    left > 0 && left < SOON_SECONDS.min(until.saturating_sub(from) / 6)
}

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let mut findings = Vec::new();
    for wanted in snapshot.of_kinds(&CONFIGURATIONS) {
        if let Err(unseen) = &wanted.found {
            findings.push(Finding::unknown(unseen));
        }
    }
    let bundles = bundles(snapshot);
    let count = bundles.len();
    for (entry, bundle) in bundles {
        match bundle {
            Err(problem) => findings.push(Finding::wrong(format!("caBundle of {entry} {problem}"), renew(snapshot))),
            Ok(certificates) => judge(&entry, &certificates, snapshot, &mut findings),
        }
    }
    Examined::new(format!("the caBundle of each of the {count} webhooks is valid"), findings)
}

/// The name of every entry in the cluster with the certificates of its caBundle, or what is wrong with it.
pub(super) fn bundles(snapshot: &Snapshot) -> Vec<(String, Result<Vec<CertificateDer<'static>>, String>)> {
    let found = snapshot.of_kinds(&CONFIGURATIONS).filter_map(|wanted| wanted.found.as_ref().ok()?.as_ref());
    let entries = found.flat_map(|found| found.get("webhooks").and_then(Value::as_array).into_iter().flatten());
    entries.map(|entry| (text(entry, "/name").to_owned(), read(text(entry, "/clientConfig/caBundle")))).collect()
}

fn read(bundle: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    if bundle.is_empty() {
        return Err("is missing".to_owned());
    }
    let pem = STANDARD.decode(bundle).map_err(|error| format!("is not base64: {error}"))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|error| format!("is not PEM: {error}"))?;
    if certificates.is_empty() { Err("holds no certificate".to_owned()) } else { Ok(certificates) }
}

fn judge(entry: &str, certificates: &[CertificateDer<'static>], snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let now = snapshot.now.as_second();
    let mut ends = Vec::new();
    for certificate in certificates {
        match x509_parser::parse_x509_certificate(certificate) {
            Err(error) => {
                let problem = format!("caBundle of {entry} holds a certificate that cannot be read: {error}");
                findings.push(Finding::wrong(problem, renew(snapshot)));
            }
            Ok((_, certificate)) => {
                let validity = certificate.validity();
                ends.push((validity.not_after.timestamp(), validity.not_before.timestamp()));
            }
        }
    }
    let Some((last, from)) = ends.into_iter().max() else { return };
    let when = Timestamp::from_second(last).unwrap_or_default();
    if last < now {
        findings.push(Finding::wrong(format!("caBundle of {entry} expired at {when}"), renew(snapshot)));
    } else if ends_soon(from, last, now) {
        findings.push(Finding::warning(format!("caBundle of {entry} ends at {when}"), renew(snapshot)));
    }
}

/// How a certificate or a caBundle is made anew, by the way in which the installation gets them.
pub(super) fn renew(snapshot: &Snapshot) -> String {
    let namespace = &snapshot.namespace;
    let injected = snapshot.of_kinds(&CONFIGURATIONS).filter_map(|wanted| wanted.found.as_ref().ok()?.as_ref()).any(|found| {
        found
            .pointer("/metadata/annotations")
            .and_then(Value::as_object)
            .is_some_and(|annotations| annotations.keys().any(|key| key.starts_with("cert-manager.io/")))
    });
    if injected {
        format!(
            "kubectl describe certificates -n {namespace}\nkubectl logs -n cert-manager deployment/cert-manager-cainjector --tail 20"
        )
    } else if snapshot.own_certificates() {
        format!("kubectl annotate secret countersign-ca -n {namespace} --overwrite countersign.dev/rotate=\"$(date +%s)\"")
    } else {
        format!(
            "put the certificate into Secret countersign-tls in {namespace} and its authority into caBundle: certs/README.md"
        )
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use serde_json::json;

    use super::super::healthy::{change, healthy, with_own_certificates};
    use super::super::tests::findings;

    fn problems(bundle: serde_json::Value) -> Vec<String> {
        let mut snapshot = healthy();
        change(&mut snapshot, "ValidatingWebhookConfiguration", |found| {
            found["webhooks"][1]["clientConfig"]["caBundle"] = bundle;
        });
        findings("ca-bundle", &snapshot).into_iter().map(|finding| finding.problem).collect()
    }

    #[test]
    fn a_bundle_that_is_missing_or_none_is_told_with_its_webhook() {
        let of = "caBundle of judge.confidential-pods.countersign.dev ";
        assert_eq!(problems(json!(null)), [format!("{of}is missing")]);
        assert!(problems(json!("#"))[0].starts_with(&format!("{of}is not base64")));
        assert_eq!(problems(json!("Zm9v")), [format!("{of}holds no certificate")]);
    }

    #[test]
    fn a_bundle_that_has_expired_is_wrong_and_one_that_will_soon_is_a_warning() {
        let mut snapshot = healthy();
        snapshot.now += (366 * 24).hours();
        let found = findings("ca-bundle", &snapshot);
        assert!(found.len() == 7 && found[0].problem.contains(" expired at "), "{found:?}");
        snapshot.now -= (6 * 24).hours();
        let found = findings("ca-bundle", &snapshot);
        assert!(found.len() == 7 && found[0].problem.contains(" ends at "), "{found:?}");
    }

    #[test]
    fn the_mending_is_that_of_the_way_in_which_certificates_come() {
        let mend = |snapshot: &_| findings("ca-bundle", snapshot)[0].mend.clone();
        let break_it = |found: &mut serde_json::Value| found["webhooks"][0]["clientConfig"]["caBundle"] = json!("");
        let mut snapshot = healthy();
        change(&mut snapshot, "MutatingWebhookConfiguration", break_it);
        change(&mut snapshot, "Deployment", |found| {
            found["spec"]["template"]["spec"]["containers"][0]["args"] = json!(["serve", "--tls-cert=/x", "--tls-key=/y"]);
        });
        assert!(mend(&snapshot).contains("countersign-tls"), "{}", mend(&snapshot));
        let mut own = with_own_certificates(healthy());
        change(&mut own, "MutatingWebhookConfiguration", break_it);
        assert!(mend(&own).contains("countersign.dev/rotate"), "{}", mend(&own));
        change(&mut own, "MutatingWebhookConfiguration", |found| {
            found["metadata"]["annotations"] = json!({"cert-manager.io/inject-ca-from": "a/b"});
        });
        assert!(mend(&own).contains("cainjector"), "{}", mend(&own));
    }
}
