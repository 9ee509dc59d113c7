//! The names that a client's certificate bears.
//!
//! Both kinds count, because both are in use: Kubernetes itself takes the common name (users by client certificate,
//! `--requestheader-allowed-names` of the API server), and certificates that cert-manager makes often have DNS names alone.
//! Source: Kubernetes, "Authenticating", "X509 client certificates"; cert-manager, "Certificate resource".

use std::fmt::{self, Write as _};

use countersign_decision::configuration::ClientName;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{GeneralName, X509Certificate};

/// The longest text of names that is told: what the certificate holds is a stranger's.
const TOLD: usize = 200;

/// What a certificate says of its owner.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    common: Option<String>,
    dns: Vec<String>,
}

impl Names {
    /// Those of a certificate; none of what is no certificate.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Self {
        x509_parser::parse_x509_certificate(certificate).map(|(_, read)| Self::read(&read)).unwrap_or_default()
    }

    fn read(certificate: &X509Certificate<'_>) -> Self {
        // Of several common names each reader takes another one, so none of them counts.
        let mut all = certificate.subject().iter_common_name();
        let common = match (all.next(), all.next()) {
            (Some(only), None) => only.as_str().ok().map(str::to_owned),
            _ => None,
        };
        let alternative = certificate.subject_alternative_name().ok().flatten();
        let dns = alternative.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        });
        Self { common, dns: dns.collect() }
    }

    /// Whether one of them is listed.
    pub(super) fn any_is_in(&self, listed: &[ClientName]) -> bool {
        self.common.iter().chain(&self.dns).any(|name| listed.iter().any(|listed| *listed == **name))
    }
}

/// In one line, whatever is in them.
impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let common = self.common.iter().map(|name| format!("CN={name}"));
        let all: Vec<_> = common.chain(self.dns.iter().map(|name| format!("DNS:{name}"))).collect();
        if all.is_empty() {
            return f.write_str("a certificate without names");
        }
        let mut shown = all.join(", ").escape_debug().to_string();
        if let Some((cut, _)) = shown.char_indices().nth(TOLD) {
            shown.truncate(cut);
            let _ = shown.write_char('…');
        }
        f.write_str(&shown)
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::*;

    fn names(common: &[&str], dns: &[&str]) -> Names {
        let mut params = CertificateParams::new(dns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for name in common {
            params.distinguished_name.push(DnType::CommonName, *name);
        }
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Names::of(certificate.der())
    }

    fn listed(names: &[&str]) -> Vec<ClientName> {
        names.iter().map(|name| ClientName::parse(name).unwrap()).collect()
    }

    #[test]
    fn the_common_name_and_dns_names_count_whole_and_as_they_stand() {
        let bears = names(&["kube-apiserver"], &["api.example", "*.example"]);
        for name in ["kube-apiserver", "api.example", "*.example"] {
            assert!(bears.any_is_in(&listed(&["other", name])), "{name}");
        }
        for name in ["kube-apiserver-kubelet-client", "kube", "KUBE-APISERVER", "b.example", "example"] {
            assert!(!bears.any_is_in(&listed(&[name])), "{name}");
        }
        assert!(!bears.any_is_in(&[]));
    }

    #[test]
    fn what_is_no_certificate_bears_no_name() {
        assert_eq!(Names::of(&CertificateDer::from(b"x".to_vec())), Names::default());
        assert_eq!(Names::default().to_string(), "a certificate without names");
        assert!(!Names::default().any_is_in(&listed(&["a"])));
    }

    #[test]
    fn names_are_told_in_one_short_line_whatever_is_in_them() {
        assert_eq!(names(&["a\n\u{1b}[31m"], &["b.example"]).to_string(), "CN=a\\n\\u{1b}[31m, DNS:b.example");
        let long = names(&[&"ä".repeat(60)], &[&format!("{}.example", "b".repeat(200))]).to_string();
        assert_eq!(long.chars().count(), TOLD + 1, "{long}");
    }
}
