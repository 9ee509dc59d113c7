//! A certificate with its key, checked to belong together.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::CertifiedKey,
};

/// Why there is no usable certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertError {
    /// A file or directory could not be read or written.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// `read`, `create`, `write`.
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not the PEM that it should be.
    #[error("{path} has no {expected} in PEM: {because}")]
    Pem {
        /// Which file.
        path: PathBuf,
        /// `certificate`, `private key` or `authority's certificate`.
        expected: &'static str,
        /// What the reader found.
        because: String,
    },
    /// The certificate is malformed, the key is of a kind that is not supported, or they do not belong together.
    #[error("certificate and key cannot be served: {0}")]
    Pair(rustls::Error),
    /// The certificate is malformed.
    #[error("the certificate cannot be read: {0}")]
    Malformed(String),
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// A certificate that can be served.
#[derive(Clone, Debug)]
pub struct Leaf {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) not_after: i64,
}

impl Leaf {
    /// Checks that `key` belongs to the first certificate of `chain`.
    ///
    /// # Errors
    /// [`CertError::Pair`] if it does not, [`CertError::Malformed`] if the certificate cannot be read.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, CertError> {
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(CertError::Pair)?;
        let end_entity = key.end_entity_cert().map_err(CertError::Pair)?;
        let (_, certificate) =
            x509_parser::parse_x509_certificate(end_entity).map_err(|error| CertError::Malformed(error.to_string()))?;
        let not_after = certificate.validity().not_after.timestamp();
        Ok(Self { key: Arc::new(key), not_after })
    }

    /// The certificates that are served, this one first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.key.cert
    }

    /// The end of its validity, in seconds since 1970.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }
}
