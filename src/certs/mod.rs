//! The certificate that the server shows: signed by an authority that the installation keeps for itself, from files that may
//! change, or made at start.
//!
//! A source makes a [`Leaf`]; [`Served`] holds the one in force, and the TLS handshake asks it. A bad new leaf never
//! replaces a good one.

mod authority;
pub mod bundle;
mod ca_certificate;
mod clients;
mod dial;
mod files;
mod keyring;
mod leaf;
mod own;
pub mod rotation;
pub mod secret;
mod self_signed;
mod served;
mod trust;
mod watch;

use std::{path::PathBuf, sync::Arc};

pub use self::{
    authority::{Authority, NotAuthority},
    ca_certificate::CaCertificate,
    clients::{ClientCheck, Clients, Stranger},
    dial::{NoChain, chain_over, served_chain},
    keyring::{Certified, Keyring, Phase},
    leaf::{CertError, Leaf},
    own::{CaSecret, OwnLeaf, service_names},
    self_signed::CA_FILE,
    served::Served,
    trust::{leads_to, verifies},
};
use crate::metrics::Metrics;

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub enum CertSource {
    /// PEM files, watched: `certificate` is the chain, leaf first; `key` is its private key.
    Files {
        /// The chain.
        certificate: PathBuf,
        /// The private key (PKCS #8, PKCS #1 or SEC 1).
        key: PathBuf,
    },
    /// A certificate authority made at each start, whose certificate is written to [`CA_FILE`] in `directory`.
    SelfSigned {
        /// Made if it is missing.
        directory: PathBuf,
    },
}

/// A certificate in force, and what keeps it up to date while this lives.
#[derive(Debug)]
pub struct Certificates {
    /// What the TLS handshake asks.
    pub served: Arc<Served>,
    _watch: Option<watch::Watch>,
}

impl Certificates {
    /// None yet: handshakes fail until one is served.
    pub fn waiting(metrics: Arc<Metrics>) -> Self {
        Self { served: Served::waiting(metrics), _watch: None }
    }
}

impl CertSource {
    /// Loads or makes the first certificate, and watches files for the next ones.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`CertError`] if there is no usable certificate to begin with.
    pub fn open(self, metrics: Arc<Metrics>) -> Result<Certificates, CertError> {
        match self {
            Self::Files { certificate, key } => {
                let files = files::Files { certificate, key };
                let text = files.read()?;
                let served = Served::new(files.leaf(&text)?, metrics);
                let watch = watch::Watch::start(files::Followed { files, served: Arc::clone(&served) }, text);
                Ok(Certificates { served, _watch: Some(watch) })
            }
            Self::SelfSigned { directory } => {
                let served = Served::new(self_signed::make(&directory)?, metrics);
                Ok(Certificates { served, _watch: None })
            }
        }
    }
}
