//! The leaf in force, swapped whole: a handshake sees the old one or the new one.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::leaf::{CertError, Leaf};
use crate::metrics::{Metrics, ReloadLabels, ReloadResult};

/// What the TLS handshake asks.
#[derive(Debug)]
pub struct Served {
    key: ArcSwap<CertifiedKey>,
    metrics: Arc<Metrics>,
}

impl Served {
    /// Serves `leaf` until it is replaced.
    pub fn new(leaf: Leaf, metrics: Arc<Metrics>) -> Arc<Self> {
        metrics.certificate_not_after.set(leaf.not_after);
        Arc::new(Self { key: ArcSwap::new(leaf.key), metrics })
    }

    /// Serves the new leaf from the next handshake on, or the old one still if there is none; counts and logs it.
    pub fn renew(&self, renewed: Result<Leaf, CertError>) {
        let result = match renewed {
            Ok(leaf) => {
                tracing::info!(not_after = leaf.not_after, "serving a renewed certificate");
                self.metrics.certificate_not_after.set(leaf.not_after);
                self.key.store(leaf.key);
                ReloadResult::Ok
            }
            Err(error) => {
                tracing::error!(%error, "the new certificate is not usable: serving the old one");
                ReloadResult::Failed
            }
        };
        self.metrics.certificate_reloads.get_or_create(&ReloadLabels { result }).inc();
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key.load_full())
    }
}
