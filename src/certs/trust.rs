//! Whether a chain would be believed: the question that the API server asks at each handshake.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

/// Whether `chain` (leaf first) is for `name` and leads to one of `authorities`, now; the error says why not.
///
/// A leaf that stands among the authorities itself needs no chain: Go's verifier takes it, so this one does too.
pub fn verifies(authorities: &[CertificateDer<'static>], chain: &[CertificateDer<'static>], name: &str) -> Result<(), String> {
    let (leaf, intermediates) = chain.split_first().ok_or("no certificate is served")?;
    let server = ServerName::try_from(name).map_err(|error| format!("{name}: {error}"))?;
    if authorities.contains(leaf) {
        let leaf = rustls::server::ParsedCertificate::try_from(leaf).map_err(|error| error.to_string())?;
        return rustls::client::verify_server_name(&leaf, &server).map_err(|error| error.to_string());
    }
    leads_to(authorities, leaf, intermediates, &server, UnixTime::now())
}

/// Whether a leaf with its intermediates is for `server` and leads to one of `authorities`, at `now`; the error says why not.
pub fn leads_to(
    authorities: &[CertificateDer<'static>],
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    server: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities.iter().cloned());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|_| "there is no authority to verify it by".to_owned())?;
    verifier.verify_server_cert(leaf, intermediates, server, &[], now).map(|_| ()).map_err(|error| error.to_string())
}
