//! The Secret that keeps the authorities: followed by every replica, written by the Lease holder.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinError;

use super::follow::{Keeper, News};
use super::seen::Seen;
use crate::certs::secret::{self, NotKeyring};
use crate::certs::{CaSecret, Certified as _, Keyring, Phase};
use crate::metrics::{Metrics, PhaseLabels};

/// Its name, as the manifests have it.
pub const NAME: &str = "countersign-ca";
/// The annotation on it that asks for a rotation, by any new value.
pub const ROTATE: &str = "countersign.dev/rotate";

/// The Secret as it was read, to be written again.
pub(super) struct Stored(Secret);

impl Stored {
    /// Asks the API server for it.
    pub(super) async fn get(client: &Client, home: &str) -> kube::Result<Option<Self>> {
        Ok(Api::namespaced(client.clone(), home).get_opt(NAME).await?.map(Self))
    }

    /// The keyring in it.
    pub(super) fn keyring(&self) -> Result<Keyring, NotKeyring> {
        read(self.0.data.as_ref())
    }

    /// The value of the annotation that asks for a rotation.
    pub(super) fn asked(&self) -> Option<&str> {
        self.0.metadata.annotations.as_ref()?.get(ROTATE).map(String::as_str)
    }

    /// Its identity, for events.
    pub(super) fn uid(&self) -> Option<String> {
        self.0.metadata.uid.clone()
    }

    /// Writes another keyring. Fails with a conflict (409) if somebody has written since it was read.
    pub(super) async fn replace(mut self, client: &Client, home: &str, keyring: &Keyring) -> kube::Result<()> {
        self.0.data = Some(secret::write(keyring));
        // The version that was read goes along in the metadata: that makes it compare-and-swap.
        Api::<Secret>::namespaced(client.clone(), home).replace(NAME, &PostParams::default(), &self.0).await?;
        Ok(())
    }
}

fn read(data: Option<&BTreeMap<String, ByteString>>) -> Result<Keyring, NotKeyring> {
    data.map_or_else(|| Ok(Keyring::default()), secret::read)
}

/// Follows it, and shows in the metrics how it stands.
pub(super) struct Follow {
    seen: watch::Sender<CaSecret>,
    metrics: Arc<Metrics>,
}

impl Follow {
    pub(super) fn new(seen: watch::Sender<CaSecret>, metrics: Arc<Metrics>) -> Self {
        Self { seen, metrics }
    }

    fn show(&self, seen: &CaSecret) {
        let keyring = seen.keyring();
        for phase in Phase::ALL {
            let is = keyring.is_some_and(|keyring| keyring.phase() == phase);
            self.metrics.rotation_phase.get_or_create(&PhaseLabels { phase }).set(i64::from(is));
        }
        self.metrics.authority_unusable.set(i64::from(matches!(seen, CaSecret::Unusable(_))));
        let end = keyring.and_then(Keyring::signing).map(|signing| signing.certificate().not_after().as_second());
        self.metrics.authority_not_after.set(end.unwrap_or_default());
    }
}

impl Keeper for Follow {
    type Object = Secret;
    type Kept = CaSecret;

    fn keep(&self, object: Secret) -> CaSecret {
        match read(object.data.as_ref()) {
            Ok(keyring) => CaSecret::Holds(Arc::new(keyring)),
            Err(because) => CaSecret::Unusable(because),
        }
    }

    async fn take(&mut self, news: News<CaSecret>) -> Result<(), JoinError> {
        let now = match news.of(NAME) {
            None => return Ok(()),
            Some(Seen::There(seen)) => seen,
            Some(_) => CaSecret::Missing,
        };
        match &now {
            CaSecret::Unusable(because) => tracing::error!(
                "Secret {NAME} holds something that Countersign has not written: {because}; nothing is changed. Begin \
                 anew by removing its data: kubectl patch secret {NAME} --type=json -p '[{{\"op\":\"remove\",\"path\":\"/data\"}}]'"
            ),
            CaSecret::Missing => tracing::error!("there is no Secret {NAME}: apply what `countersign manifests` prints"),
            CaSecret::NotYetSeen | CaSecret::Holds(_) => {}
        }
        self.show(&now);
        self.seen.send_replace(now);
        Ok(())
    }

    fn name(&self) -> &'static str {
        "the Secret of the authorities"
    }

    fn heard(&self, _: &str, _: Timestamp) {}

    fn restarted(&self) {}
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::certs::Authority;

    #[test]
    fn without_an_authority_the_metric_of_its_end_is_zero_again() {
        let metrics = Arc::new(Metrics::new());
        let follow = Follow::new(watch::Sender::new(CaSecret::NotYetSeen), Arc::clone(&metrics));
        let authority = Authority::make(Timestamp::now(), SignedDuration::from_hours(1)).unwrap();
        follow.show(&CaSecret::Holds(Arc::new(Keyring::begun(Arc::new(authority), None))));
        assert!(metrics.authority_not_after.get() > 0);
        follow.show(&CaSecret::Holds(Arc::default()));
        assert_eq!(metrics.authority_not_after.get(), 0);
    }
}
