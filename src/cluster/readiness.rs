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
                // Without its sender it says nothing more, and the look goes on by time.
                Ok(()) = self.webhooks.changed() => {}
            }
        }
    }

    async fn look(&mut self) -> Result<(), String> {
        if let Some(secret) = &self.secret {
            authority(&secret.borrow())?;
        }
        let chain = served_chain(dialled(self.address).as_slice(), &self.name)
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

/// Where a listener is reached from its own host, in the order in which that is tried: who listens on every address of IPv6 takes
/// IPv4 too, and the host may have no loopback of IPv6.
fn dialled(listens: SocketAddr) -> Vec<SocketAddr> {
    let hosts: Vec<IpAddr> = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => vec![Ipv4Addr::LOCALHOST.into()],
        IpAddr::V6(ip) if ip.is_unspecified() => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        ip => vec![ip],
    };
    hosts.into_iter().map(|host| SocketAddr::new(host, listens.port())).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::certs::{Authority, Keyring};
    use crate::cluster::webhooks::{Configuration, Entry};

    const NAME: &str = "countersign.a.svc";
    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn made() -> Authority {
        Authority::make(Timestamp::now(), HOUR).unwrap()
    }

    /// Both configurations, each with a good entry and one that holds this.
    fn holding(good: &Authority, last: &[u8]) -> Webhooks {
        let entry = |name: &str, bundle: &[u8]| Entry { name: name.to_owned(), ca_bundle: bundle.to_vec() };
        let good = bundle::text([good.certificate().der()]);
        let entries = vec![entry("one", good.as_bytes()), entry("two", last)];
        let configuration = |entries| Seen::There(Configuration::numbered("1", entries));
        Webhooks { mutating: configuration(entries.clone()), validating: configuration(entries) }
    }

    #[test]
    fn every_entry_has_to_verify_the_chain_and_the_first_that_does_not_is_named() {
        let (ours, other) = (made(), made());
        let leaf = ours.sign(&[NAME.to_owned()], Timestamp::now(), HOUR).unwrap();
        let says = |webhooks: &Webhooks| published(webhooks, leaf.chain(), NAME).unwrap_err();
        assert_eq!(says(&Webhooks::default()), "MutatingWebhookConfiguration countersign has not been read yet");
        let missing = Webhooks { mutating: Seen::Missing, ..Webhooks::default() };
        assert!(says(&missing).starts_with("there is no MutatingWebhookConfiguration countersign: apply"));
        assert_eq!(
            says(&holding(&ours, b"")),
            "caBundle of MutatingWebhookConfiguration countersign, entry two, is not published yet"
        );
        let text = |authorities: &[&Authority]| bundle::text(authorities.iter().map(|one| one.certificate().der()));
        let wrong = says(&holding(&ours, text(&[&other]).as_bytes()));
        assert!(wrong.contains("entry two, does not verify the certificate that is served: "), "{wrong}");
        let mut one_kind = holding(&ours, text(&[&ours]).as_bytes());
        one_kind.validating = Seen::NotYet;
        assert!(says(&one_kind).starts_with("ValidatingWebhookConfiguration countersign has not been read"));
        let right = holding(&ours, text(&[&other, &ours]).as_bytes());
        assert_eq!(published(&right, leaf.chain(), NAME), Ok(()));
        assert!(published(&right, leaf.chain(), "other.a.svc").is_err());
    }

    #[test]
    fn what_is_wrong_with_the_secret_is_said_in_words() {
        let says = |secret: &CaSecret| authority(secret).unwrap_err();
        assert_eq!(says(&CaSecret::NotYetSeen), "Secret countersign-ca has not been read yet");
        assert!(says(&CaSecret::Missing).starts_with("there is no Secret countersign-ca: apply"));
        let empty = CaSecret::Holds(Arc::new(Keyring::default()));
        assert!(says(&empty).starts_with("Secret countersign-ca holds no authority that signs yet"));
        assert_eq!(authority(&CaSecret::Holds(Arc::new(Keyring::begun(Arc::new(made()), None)))), Ok(()));
    }

    #[test]
    fn a_server_on_every_address_is_dialled_on_loopback() {
        let dialled = |text: &str| dialled(text.parse().unwrap()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(dialled("[::]:8443"), ["127.0.0.1:8443", "[::1]:8443"]);
        assert_eq!(dialled("0.0.0.0:8443"), ["127.0.0.1:8443"]);
        assert_eq!(dialled("10.0.0.1:8443"), ["10.0.0.1:8443"]);
    }
}
