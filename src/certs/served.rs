//! The leaf in force, swapped whole: a handshake sees the old one or the new one.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::{
    pki_types::CertificateDer,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::leaf::{CertError, Leaf};
use crate::metrics::{Metrics, ReloadLabels, ReloadResult};

/// What the TLS handshake asks.
#[derive(Debug)]
pub struct Served {
    /// None while there is no certificate yet: handshakes fail until there is.
    key: ArcSwapOption<CertifiedKey>,
    metrics: Arc<Metrics>,
}

impl Served {
    /// Serves `leaf` until it is replaced.
    pub fn new(leaf: Leaf, metrics: Arc<Metrics>) -> Arc<Self> {
        metrics.certificate_not_after.set(leaf.not_after);
        Arc::new(Self { key: ArcSwapOption::new(Some(leaf.key)), metrics })
    }

    /// Serves nothing until the first leaf comes.
    pub fn waiting(metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { key: ArcSwapOption::empty(), metrics })
    }

    /// The chain that is served, leaf first; empty while there is none.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.key.load().as_ref().map(|key| key.cert.clone()).unwrap_or_default()
    }

    /// Serves the new leaf from the next handshake on, or the old one still if there is none; counts and logs it.
    pub fn renew(&self, renewed: Result<Leaf, CertError>) {
        let result = match renewed {
            Ok(leaf) => {
                tracing::info!(not_after = leaf.not_after, "serving a renewed certificate");
                self.metrics.certificate_not_after.set(leaf.not_after);
                self.key.store(Some(leaf.key));
                ReloadResult::Ok
            }
            Err(error) => {
                tracing::error!(%error, "the new certificate is not usable: what was served is served on");
                ReloadResult::Failed
            }
        };
        self.metrics.certificate_reloads.get_or_create(&ReloadLabels { result }).inc();
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.key.load_full()
    }
}
