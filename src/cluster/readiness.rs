//! What has to be seen once before a replica is ready: that the API server would believe it.
//!
//! The replica dials its own port, as the API server does, and holds the chain it gets to the `caBundle` of every entry of both
//! webhook configurations. Once that was so, it is never asked again: a `caBundle` that somebody strips later makes no replica
//! unready, or all of them would be, together, and putting it right would change nothing for those who still believe.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::sync::watch;
use tokio::time::sleep;

use super::seen::Seen;
use super::webhooks::Webhooks;
use crate::certs::{CaCertificate, CaSecret, bundle, served_chain, verifies};
use crate::http::Gate;

/// Between two looks, where nothing is heard.
const LOOK: Duration = Duration::from_millis(500);

/// What is looked at.
pub(super) struct Readiness {
    /// Where the replica listens.
    pub(super) address: SocketAddr,
    /// The name that the API server calls.
    pub(super) name: String,
    pub(super) webhooks: watch::Receiver<Webhooks>,
    /// Where certificates are the installation's own, the Secret of the authorities.
    pub(super) secret: Option<watch::Receiver<CaSecret>>,
    /// What is opened.
    pub(super) gate: Gate,
}

impl Readiness {
    /// Looks until the gate is open.
    pub(super) async fn open(mut self) {
        loop {
            match self.look().await {
                Ok(()) => {
                    tracing::info!("the certificate is served, and every caBundle verifies it");
                    return self.gate.open();
                }
                Err(because) => self.gate.close(&because),
            }
            tokio::select! {
                () = sleep(LOOK) => {}
                _ = self.webhooks.changed() => {}
            }
        }
    }

    async fn look(&mut self) -> Result<(), String> {
        if let Some(secret) = &self.secret {
            authority(&secret.borrow())?;
        }
        let chain = served_chain(dialled(self.address), &self.name)
            .await
            .map_err(|because| format!("dialling its own port {} gives no certificate: {because}", self.address.port()))?;
        published(&self.webhooks.borrow_and_update(), &chain, &self.name)
    }
}

/// Whether there is an authority to sign the leaf.
fn authority(secret: &CaSecret) -> Result<(), String> {
    let name = super::ca_secret::NAME;
    match secret {
        CaSecret::NotYetSeen => Err(format!("Secret {name} has not been read yet")),
        CaSecret::Missing => Err(format!("there is no Secret {name}: apply what `countersign manifests` prints")),
        CaSecret::Unusable(because) => Err(format!("Secret {name} cannot be used: {because}")),
        CaSecret::Holds(keyring) if keyring.signing().is_none() => {
            Err(format!("Secret {name} holds no authority that signs yet: the replica that holds the Lease makes it"))
        }
        CaSecret::Holds(_) => Ok(()),
    }
}

/// Whether every `caBundle` verifies the chain.
fn published(webhooks: &Webhooks, chain: &[CertificateDer<'static>], name: &str) -> Result<(), String> {
    for (kind, seen) in webhooks.both() {
        let configuration = match seen {
            Seen::NotYet => return Err(format!("{kind} countersign has not been read yet")),
            Seen::Missing => return Err(format!("there is no {kind} countersign: apply what `countersign manifests` prints")),
            Seen::There(configuration) => configuration,
        };
        for entry in &configuration.entries {
            let authorities = bundle::read(&entry.ca_bundle).map_err(|because| (because, &entry.name));
            let authorities: Vec<_> = match authorities {
                Ok(authorities) if authorities.is_empty() => {
                    return Err(format!("caBundle of {kind} countersign, entry {}, is not published yet", entry.name));
                }
                Ok(authorities) => authorities.iter().map(CaCertificate::der).cloned().collect(),
                Err((because, entry)) => return Err(format!("caBundle of {kind} countersign, entry {entry}: {because}")),
            };
            verifies(&authorities, chain, name).map_err(|because| {
                format!(
                    "caBundle of {kind} countersign, entry {}, does not verify the certificate that is served: {because}",
                    entry.name
                )
            })?;
        }
    }
    Ok(())
}

/// Where a listener is reached from its own host.
fn dialled(listens: SocketAddr) -> SocketAddr {
    let host = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(host, listens.port())
}
