//! The leaf that a replica signs for itself, in memory, and renews.
//!
//! Every replica has the signing authority from the Secret, through the API: no file, no delay by the kubelet, and a leaf's
//! key never leaves its process.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::ca_certificate::two_thirds;
use super::keyring::{Certified as _, Keyring};
use super::secret::NotKeyring;
use super::served::Served;

/// The Secret of the authorities, as it was last seen.
#[derive(Debug, Clone, Default)]
pub enum CaSecret {
    /// There was no complete list yet.
    #[default]
    NotYetSeen,
    /// There is no such Secret.
    Missing,
    /// It holds this; an empty one is to be filled by the Lease holder.
    Holds(Arc<Keyring>),
    /// It holds something else.
    Unusable(NotKeyring),
}

impl CaSecret {
    /// The keyring, if there is one.
    pub fn keyring(&self) -> Option<&Keyring> {
        if let Self::Holds(keyring) = self { Some(keyring) } else { None }
    }
}

/// The names by which the Service is called in a cluster, the one that the API server uses first.
/// Source: Kubernetes, "DNS for Services and Pods"; API server, `ServerName` of a webhook's client is `<service>.<namespace>.svc`.
pub fn service_names(service: &str, namespace: &str) -> Vec<String> {
    let called = format!("{service}.{namespace}.svc");
    vec![called.clone(), format!("{called}.cluster.local"), format!("{service}.{namespace}"), service.to_owned()]
}

/// A replica's leaf.
#[derive(Debug)]
pub struct OwnLeaf {
    /// Whom it speaks for.
    pub names: Vec<String>,
    /// How long one is valid; the next is signed when two thirds of that are over.
    pub life: SignedDuration,
    /// Where it is served.
    pub served: Arc<Served>,
}

/// The clock may be set: the time to renew is looked at this often.
const LOOK: Duration = Duration::from_mins(1);
/// The rest after a failure to sign.
const AGAIN: Duration = Duration::from_secs(5);

/// Which leaf is served.
struct Signed {
    by: CertificateDer<'static>,
    renew: Timestamp,
}

impl OwnLeaf {
    /// Serves a leaf of the signing authority for ever: a new one when another authority signs, and when it ages.
    pub async fn keep(self, mut secret: watch::Receiver<CaSecret>) {
        let mut signed: Option<Signed> = None;
        loop {
            let seen = secret.borrow_and_update().clone();
            if self.renew(&seen, &mut signed).is_err() {
                sleep(AGAIN).await;
                continue;
            }
            let left = signed.as_ref().map_or(LOOK, |signed| {
                Duration::try_from(signed.renew.duration_since(Timestamp::now())).unwrap_or_default().min(LOOK)
            });
            // An error says that nothing watches the Secret any longer, which ends with the process.
            if let Ok(Err(_)) = timeout(left, secret.changed()).await {
                return;
            }
        }
    }

    /// Signs and serves another leaf if it is time.
    fn renew(&self, seen: &CaSecret, signed: &mut Option<Signed>) -> Result<(), ()> {
        let Some(authority) = seen.keyring().and_then(Keyring::signing) else { return Ok(()) };
        let now = Timestamp::now();
        let by = authority.certificate().der();
        if signed.as_ref().is_some_and(|signed| signed.by == *by && now < signed.renew) {
            return Ok(());
        }
        match authority.sign(&self.names, now, self.life) {
            Ok(leaf) => {
                let end = Timestamp::from_second(leaf.not_after()).unwrap_or(now);
                *signed = Some(Signed { by: by.clone(), renew: two_thirds(now, end).max(now + SignedDuration::from_secs(1)) });
                tracing::info!(%authority, "signed a certificate");
                self.served.renew(Ok(leaf));
                Ok(())
            }
            Err(error) => {
                self.served.renew(Err(error));
                Err(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::{Authority, verifies};

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn authority() -> Arc<Authority> {
        Arc::new(Authority::make(Timestamp::now(), HOUR).unwrap())
    }

    fn leaf() -> OwnLeaf {
        OwnLeaf { names: service_names("countersign", "a"), life: HOUR, served: Served::waiting(Arc::default()) }
    }

    fn is_of(leaf: &OwnLeaf, authority: &Arc<Authority>) -> bool {
        let roots = [authority.certificate().der().clone()];
        let chain = leaf.served.chain();
        leaf.names.iter().all(|name| verifies(&roots, &chain, name).is_ok())
    }

    #[test]
    fn the_leaf_is_of_the_authority_that_signs_and_not_of_the_next() {
        let (one, two) = (authority(), authority());
        let (leaf, mut signed) = (leaf(), None);
        let holds = |keyring: &Keyring| CaSecret::Holds(Arc::new(keyring.clone()));
        leaf.renew(&CaSecret::Missing, &mut signed).unwrap();
        assert!(leaf.served.chain().is_empty());
        let keyring = Keyring::begun(Arc::clone(&one), None);
        leaf.renew(&holds(&keyring), &mut signed).unwrap();
        assert!(is_of(&leaf, &one));
        let before = leaf.served.chain();
        let keyring = keyring.with_next(Arc::clone(&two), &[], None);
        leaf.renew(&holds(&keyring), &mut signed).unwrap();
        assert_eq!(leaf.served.chain(), before, "nothing is signed without need");
        leaf.renew(&holds(&keyring.promoted()), &mut signed).unwrap();
        assert!(is_of(&leaf, &two) && !is_of(&leaf, &one));
    }

    #[test]
    fn an_ageing_leaf_is_replaced_and_a_lost_secret_changes_nothing() {
        let one = authority();
        let (leaf, mut signed) = (leaf(), None);
        let seen = CaSecret::Holds(Arc::new(Keyring::begun(Arc::clone(&one), None)));
        leaf.renew(&seen, &mut signed).unwrap();
        let before = leaf.served.chain();
        let renew = signed.as_ref().unwrap().renew;
        let left = renew.duration_since(Timestamp::now());
        assert!(left > HOUR / 2 && left < HOUR / 4 * 3, "two thirds of an hour, not {left:#}");
        leaf.renew(&CaSecret::Missing, &mut signed).unwrap();
        assert_eq!(leaf.served.chain(), before);
        signed.as_mut().unwrap().renew = Timestamp::now();
        leaf.renew(&seen, &mut signed).unwrap();
        assert!(is_of(&leaf, &one));
        assert_ne!(leaf.served.chain(), before);
    }

    #[test]
    fn the_name_that_the_api_server_uses_comes_first() {
        assert_eq!(
            service_names("countersign", "a"),
            ["countersign.a.svc", "countersign.a.svc.cluster.local", "countersign.a", "countersign"]
        );
    }
}
