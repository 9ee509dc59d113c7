//! A certificate and its key in PEM files.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use super::leaf::{CertError, Leaf};
use super::served::Served;
use super::watch;

/// Where the two are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What the two files say; equal text need not be loaded again.
#[derive(PartialEq, Eq)]
pub(super) struct Text {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    pub(super) fn read(&self) -> Result<Text, CertError> {
        Ok(Text { certificate: read(&self.certificate)?, key: read(&self.key)? })
    }

    /// The leaf of what was read.
    pub(super) fn leaf(&self, text: &Text) -> Result<Leaf, CertError> {
        let chain = CertificateDer::pem_slice_iter(&text.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| not_pem(&self.certificate, "certificate", &error.to_string()))?;
        if chain.is_empty() {
            return Err(not_pem(&self.certificate, "certificate", "no section CERTIFICATE"));
        }
        let key =
            PrivateKeyDer::from_pem_slice(&text.key).map_err(|error| not_pem(&self.key, "private key", &error.to_string()))?;
        Leaf::new(chain, key)
    }
}

/// The two as they are followed: each new version of them is served.
pub(super) struct Followed {
    pub(super) files: Files,
    pub(super) served: Arc<Served>,
}

impl watch::Followed for Followed {
    type Text = Text;

    fn paths(&self) -> Vec<&Path> {
        vec![&self.files.certificate, &self.files.key]
    }

    fn read(&self) -> Result<Text, CertError> {
        self.files.read()
    }

    fn renew(&self, text: Result<&Text, CertError>) {
        self.served.renew(text.and_then(|text| self.files.leaf(text)));
    }
}

/// The bytes of a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CertError> {
    fs::read(path).map_err(|source| CertError::File { action: "read", path: path.to_owned(), source })
}

/// The error of a file that is not what it should be.
pub(super) fn not_pem(path: &Path, expected: &'static str, because: &str) -> CertError {
    CertError::Pem { path: path.to_owned(), expected, because: because.to_owned() }
}
