//! The authorities of client certificates: a file, and the verifier that is made of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::Clients;
use crate::certs::leaf::CertError;
use crate::certs::{files, watch};

/// Verifies that a certificate leads to the authorities, may be used by a client, and is in force.
pub(super) type Verifier = Arc<dyn ClientCertVerifier>;

/// Where they are.
#[derive(Debug)]
pub(super) struct Authorities(PathBuf);

impl Authorities {
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn read(&self) -> Result<Vec<u8>, CertError> {
        files::read(&self.0)
    }

    /// The verifier of what was read.
    pub(super) fn verifier(&self, text: &[u8]) -> Result<Verifier, CertError> {
        let unusable = |because: String| files::not_pem(&self.0, "authority's certificate", &because);
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text) {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(unusable("no section CERTIFICATE".to_owned()));
        }
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(aws_lc_rs::default_provider()))
            .build()
            .map_err(|error| unusable(error.to_string()))
    }
}

/// The file as it is followed: each new version of it goes to the check.
pub(super) struct Followed {
    pub(super) authorities: Authorities,
    pub(super) clients: Arc<Clients>,
}

impl watch::Followed for Followed {
    type Text = Vec<u8>;

    fn paths(&self) -> Vec<&Path> {
        vec![&self.authorities.0]
    }

    fn read(&self) -> Result<Vec<u8>, CertError> {
        self.authorities.read()
    }

    fn renew(&self, text: Result<&Vec<u8>, CertError>) {
        self.clients.renew(text.and_then(|text| self.authorities.verifier(text)));
    }
}
