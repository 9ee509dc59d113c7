//! The leaf that a replica signs for itself, in memory, and renews.
//!
//! Every replica has the signing authority from the Secret, through the API: no file, no delay by the kubelet, and a leaf's
//! key never leaves its process.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::ca_certificate::{CaCertificate, two_thirds};
use super::keyring::Keyring;
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
    /// How long another authority must have been in every `caBundle` before a leaf of it takes the place of one that is still good.
    pub publish_for: Duration,
    /// Where it is served.
    pub served: Arc<Served>,
}

/// The clock may be set: the time to renew is looked at this often.
const LOOK: Duration = Duration::from_mins(1);
/// The rest after a failure to sign, and the least time between two leaves.
const AGAIN: Duration = Duration::from_secs(5);
/// The least rest between two looks.
const LEAST: Duration = Duration::from_secs(1);

/// Which leaf is served.
struct Signed {
    by: CertificateDer<'static>,
    renew: Timestamp,
    end: Timestamp,
}

/// The authorities of the keyring that have been in every `caBundle`, and since when.
type Published = HashMap<CertificateDer<'static>, Instant>;

/// How long to rest where nothing is heard.
fn rest(signed: Option<&Signed>, now: Timestamp) -> Duration {
    let left = signed.map(|signed| Duration::try_from(signed.renew.duration_since(now)).unwrap_or_default());
    left.unwrap_or(LOOK).clamp(LEAST, LOOK)
}

impl OwnLeaf {
    /// Serves a leaf of the signing authority for ever: a new one when another authority signs that everybody trusts, and when it
    /// ages. `hold` says of the webhook configurations whether each entry of them holds an authority. Ends only when nothing watches
    /// the Secret or the webhook configurations any longer.
    pub async fn keep<W>(
        self,
        mut secret: watch::Receiver<CaSecret>,
        mut webhooks: watch::Receiver<W>,
        hold: impl Fn(&W, &CaCertificate) -> bool,
    ) {
        let mut signed: Option<Signed> = None;
        let mut published = Published::new();
        loop {
            let seen = secret.borrow_and_update().clone();
            note(&mut published, &seen, |authority| hold(&webhooks.borrow_and_update(), authority));
            if self.renew(&seen, &mut signed, &published).is_err() {
                sleep(AGAIN).await;
                continue;
            }
            let mut left = rest(signed.as_ref(), Timestamp::now());
            let waits = |since: &Instant| self.publish_for.saturating_sub(since.elapsed());
            if let Some(waits) = published.values().map(waits).filter(|waits| !waits.is_zero()).min() {
                left = left.min(waits);
            }
            tokio::select! {
                () = sleep(left) => {}
                Ok(()) = webhooks.changed() => {}
                changed = secret.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Signs and serves another leaf if it is time. A leaf that is still good is not given up for one of an authority that nobody
    /// may trust yet: that signs where somebody has put an older Secret back.
    fn renew(&self, seen: &CaSecret, signed: &mut Option<Signed>, published: &Published) -> Result<(), ()> {
        let Some(authority) = seen.keyring().and_then(Keyring::signing) else { return Ok(()) };
        let now = Timestamp::now();
        let by = authority.certificate().der();
        if let Some(signed) = signed {
            let trusted = || published.get(by).is_some_and(|since| since.elapsed() >= self.publish_for);
            let good = if signed.by == *by { now < signed.renew } else { now < signed.end && !trusted() };
            if good {
                return Ok(());
            }
        }
        match authority.sign(&self.names, now, self.life) {
            Ok(leaf) => {
                let end = Timestamp::from_second(leaf.not_after()).unwrap_or(now);
                let least = now.saturating_add(AGAIN).unwrap_or(now);
                *signed = Some(Signed { by: by.clone(), renew: two_thirds(now, end).max(least), end });
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

/// Notes since when the authorities that sign now, and next, have been in every `caBundle`.
fn note(published: &mut Published, seen: &CaSecret, mut everywhere: impl FnMut(&CaCertificate) -> bool) {
    let keyring = seen.keyring();
    let authorities = keyring.into_iter().flat_map(|keyring| keyring.signing().into_iter().chain(keyring.next()));
    let now = authorities.map(|authority| authority.certificate()).filter(|certificate| everywhere(certificate));
    let before = std::mem::take(published);
    *published = now
        .map(|certificate| {
            let since = before.get(certificate.der()).copied().unwrap_or_else(Instant::now);
            (certificate.der().clone(), since)
        })
        .collect();
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
        let served = Served::waiting(Arc::default());
        OwnLeaf { names: service_names("countersign", "a"), life: HOUR, publish_for: Duration::from_secs(30), served }
    }

    fn is_of(leaf: &OwnLeaf, authority: &Arc<Authority>) -> bool {
        let roots = [authority.certificate().der().clone()];
        let chain = leaf.served.chain();
        leaf.names.iter().all(|name| verifies(&roots, &chain, name).is_ok())
    }

    #[test]
    fn the_leaf_is_of_the_authority_that_signs_and_not_of_the_next() {
        let (one, two) = (authority(), authority());
        let (leaf, mut signed, none) = (leaf(), None, Published::new());
        let holds = |keyring: &Keyring| CaSecret::Holds(Arc::new(keyring.clone()));
        leaf.renew(&CaSecret::Missing, &mut signed, &none).unwrap();
        assert!(leaf.served.chain().is_empty());
        let keyring = Keyring::begun(Arc::clone(&one), None);
        leaf.renew(&holds(&keyring), &mut signed, &none).unwrap();
        assert!(is_of(&leaf, &one));
        let before = leaf.served.chain();
        let keyring = keyring.with_next(Arc::clone(&two), &[], None);
        leaf.renew(&holds(&keyring), &mut signed, &none).unwrap();
        assert_eq!(leaf.served.chain(), before, "nothing is signed without need");
        let published = Published::from([(two.certificate().der().clone(), Instant::now() - leaf.publish_for)]);
        leaf.renew(&holds(&keyring.promoted()), &mut signed, &published).unwrap();
        assert!(is_of(&leaf, &two) && !is_of(&leaf, &one));
    }

    #[test]
    fn an_ageing_leaf_is_replaced_and_a_lost_secret_changes_nothing() {
        let one = authority();
        let (leaf, mut signed, none) = (leaf(), None, Published::new());
        let seen = CaSecret::Holds(Arc::new(Keyring::begun(Arc::clone(&one), None)));
        leaf.renew(&seen, &mut signed, &none).unwrap();
        let before = leaf.served.chain();
        let renew = signed.as_ref().unwrap().renew;
        let left = renew.duration_since(Timestamp::now());
        assert!(left > HOUR / 2 && left < HOUR / 4 * 3, "two thirds of an hour, not {left:#}");
        leaf.renew(&CaSecret::Missing, &mut signed, &none).unwrap();
        assert_eq!(leaf.served.chain(), before);
        signed.as_mut().unwrap().renew = Timestamp::now();
        leaf.renew(&seen, &mut signed, &none).unwrap();
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

    #[test]
    fn a_look_at_an_ageing_leaf_without_an_authority_is_no_hot_loop() {
        let now = Timestamp::now();
        let signed = |seconds| Signed {
            by: CertificateDer::from(Vec::new()),
            renew: now + SignedDuration::from_secs(seconds),
            end: now,
        };
        assert_eq!(rest(Some(&signed(-100)), now), Duration::from_secs(1));
        assert_eq!(rest(Some(&signed(20)), now), Duration::from_secs(20));
        assert_eq!(rest(Some(&signed(2000)), now), LOOK);
        assert_eq!(rest(None, now), LOOK);
    }

    #[test]
    fn an_authority_that_has_expired_signs_no_more_than_one_leaf_in_a_few_seconds() {
        let old = Timestamp::now() - HOUR * 2;
        let expired = Arc::new(Authority::make(old, HOUR).unwrap());
        let (leaf, mut signed) = (leaf(), None);
        leaf.renew(&CaSecret::Holds(Arc::new(Keyring::begun(expired, None))), &mut signed, &Published::new()).unwrap();
        let left = signed.unwrap().renew.duration_since(Timestamp::now());
        assert!(left > SignedDuration::from_secs(4), "{left:#}");
    }

    /// What a Secret that was put back from a backup does.
    #[tokio::test(start_paused = true)]
    async fn a_good_leaf_is_given_up_only_for_one_of_an_authority_that_has_been_everywhere_for_the_waiting_time() {
        let (one, older) = (authority(), authority());
        let holds = |authority: &Arc<Authority>| CaSecret::Holds(Arc::new(Keyring::begun(Arc::clone(authority), None)));
        let trusted = |all: &[&Arc<Authority>]| all.iter().map(|one| one.certificate().clone()).collect::<Vec<_>>();
        let (secret, webhooks) = (watch::Sender::new(holds(&one)), watch::Sender::new(Vec::new()));
        let leaf = leaf();
        let seen = OwnLeaf { served: Arc::clone(&leaf.served), names: leaf.names.clone(), ..leaf };
        let keeping = seen.keep(secret.subscribe(), webhooks.subscribe(), |held: &Vec<_>, one| held.contains(one));
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(keeping);
        sleep(Duration::from_secs(1)).await;
        assert!(is_of(&leaf, &one), "the first one waits for nothing");
        webhooks.send_replace(trusted(&[&one]));
        secret.send_replace(holds(&older));
        sleep(Duration::from_mins(10)).await;
        assert!(is_of(&leaf, &one), "nobody trusts the other");
        webhooks.send_replace(trusted(&[&one, &older]));
        sleep(Duration::from_secs(29)).await;
        assert!(is_of(&leaf, &one), "not everybody may know yet");
        sleep(Duration::from_secs(2)).await;
        assert!(is_of(&leaf, &older));
    }
}
