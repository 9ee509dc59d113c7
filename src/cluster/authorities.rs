//! The Lease holder's work on the authorities: look, take one step, look again.

use std::sync::Arc;
use std::time::Duration;

use countersign_decision::configuration::Certificates;
use jiff::Timestamp;
use kube::Client;
use rustls::pki_types::CertificateDer;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::ca_secret::{self, Stored};
use super::events::{About, Report, Reporter};
use super::leadership::Leadership;
use super::repairs::Repairs;
use super::replicas::{self, Question};
use super::webhooks::Webhooks;
use crate::certs::rotation::{InUse, Seen, Step, Watched, next_step, strangers};
use crate::certs::secret::NotKeyring;
use crate::certs::{Authority, CaCertificate, CaSecret, CertError, Keyring};

/// The rest after something went wrong.
const AGAIN: Duration = Duration::from_secs(2);
/// Between two steps.
const BREATH: Duration = Duration::from_millis(200);
/// The rest while the Secret is not there or unusable: its next version is seen at once.
const WAITING: Duration = Duration::from_mins(1);
/// For all that is asked and written in one step.
const PATIENCE: Duration = Duration::from_secs(20);

/// Keeps the authorities while this replica leads.
pub(super) struct Authorities {
    pub(super) client: Client,
    pub(super) home: String,
    /// The name that the API server calls.
    pub(super) name: String,
    pub(super) settings: Certificates,
    pub(super) leadership: Leadership,
    pub(super) reporter: Reporter,
    /// Tells that the Secret has changed.
    pub(super) secret: watch::Receiver<CaSecret>,
    /// Tells that a webhook configuration has changed.
    pub(super) webhooks: watch::Receiver<Webhooks>,
}

/// Why a step was not taken.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// The API server refused, or could not be asked.
    #[error("{0}")]
    Api(#[from] kube::Error),
    /// No certificate could be made.
    #[error("{0}")]
    Make(#[from] CertError),
    /// There is no Secret to keep them in.
    #[error("there is no Secret {}: apply what `countersign manifests` prints", ca_secret::NAME)]
    NoSecret,
    /// It holds something else.
    #[error("{0}")]
    Unusable(#[from] NotKeyring),
}

/// What a holder remembers.
struct Reign {
    began: Instant,
    watched: Watched,
    /// What every `caBundle` held when it was last right.
    right: Option<Vec<CertificateDer<'static>>>,
    repairs: Repairs,
    /// What was said of the replicas last.
    told: Vec<String>,
}

/// What comes after work.
enum Rest {
    /// So long, unless something is heard of the Secret or of a webhook configuration.
    UntilNews(Duration),
    /// So long, whatever is heard.
    Truce(Duration),
}

impl Authorities {
    /// Works whenever this replica leads, for ever.
    pub(super) async fn keep(mut self) {
        loop {
            self.leadership.gained().await;
            let mut reign = Reign {
                began: Instant::now(),
                watched: Watched::default(),
                right: None,
                repairs: Repairs::default(),
                told: Vec::new(),
            };
            while self.leadership.holds() {
                let rest = match timeout(PATIENCE, self.work(&mut reign)).await {
                    Ok(Ok(rest)) => rest,
                    Ok(Err(trouble)) => Rest::UntilNews(self.trouble(&trouble).await),
                    Err(_) => {
                        tracing::error!(
                            "the authorities could not be looked after within {PATIENCE:?}; trying again in {AGAIN:?}"
                        );
                        Rest::UntilNews(AGAIN)
                    }
                };
                self.rest(rest).await;
            }
        }
    }

    /// Rests, at most until this replica leads no longer.
    async fn rest(&mut self, rest: Rest) {
        let leadership = self.leadership.clone();
        match rest {
            Rest::Truce(truce) => {
                let _ = timeout(truce, leadership.ended()).await;
            }
            // A channel without its sender says nothing more, and the work goes on by time.
            Rest::UntilNews(rest) => tokio::select! {
                () = sleep(rest) => {}
                Ok(()) = self.secret.changed() => {}
                Ok(()) = self.webhooks.changed() => {}
                () = leadership.ended() => {}
            },
        }
    }

    /// Takes steps until there is a reason to rest.
    async fn work(&mut self, reign: &mut Reign) -> Result<Rest, Trouble> {
        loop {
            self.secret.mark_unchanged();
            self.webhooks.mark_unchanged();
            // The webhook configurations come first: whoever writes the Secret later than this read writes them later too, and
            // then a `caBundle` made of the older Secret meets a conflict.
            let webhooks = Webhooks::get(&self.client).await?;
            let stored = Stored::get(&self.client, &self.home).await?.ok_or(Trouble::NoSecret)?;
            let keyring = stored.keyring()?;
            let (now, bundles) = (Timestamp::now(), webhooks.bundles());
            let in_use = self.in_use(&keyring, &strangers(&keyring, &bundles, now), reign).await?;
            let seen = Seen { now, steady: reign.began.elapsed(), asked: stored.asked(), bundles: &bundles, in_use: &in_use };
            reign.watched.note(&keyring, &seen);
            let publish_for = Duration::try_from(self.settings.publish_for).unwrap_or_default();
            let step = next_step(&keyring, &seen, &reign.watched, publish_for);
            if !self.leadership.holds() {
                return Ok(Rest::UntilNews(Duration::ZERO));
            }
            if step != Step::Publish {
                reign.right = Some(keyring.bundle());
            }
            if let Step::Rest(rest) = step {
                return Ok(Rest::UntilNews(rest));
            }
            let repairs = step == Step::Publish && reign.right.as_ref() == Some(&keyring.bundle());
            self.take(step, stored, &keyring, &webhooks, repairs).await?;
            if repairs {
                return Ok(Rest::Truce(reign.repairs.rest(Instant::now())));
            }
            sleep(BREATH).await;
        }
    }

    /// Which authorities that do not sign any more are in use: previous ones, and strangers in a `caBundle`.
    async fn in_use(&self, keyring: &Keyring, strangers: &[CaCertificate], reign: &mut Reign) -> kube::Result<InUse> {
        let others = [keyring.previous(), strangers].concat();
        if keyring.is_empty() || others.is_empty() {
            return Ok(InUse::UNKNOWN);
        }
        let present: Vec<_> =
            keyring.signing().into_iter().chain(keyring.next()).map(|authority| authority.certificate().clone()).collect();
        let question = Question { name: &self.name, present: &present, others: &others };
        let found = replicas::in_use(&self.client, &self.home, &question).await?;
        // Once, not with every look.
        if found.because != reign.told {
            found.because.iter().for_each(|because| tracing::info!("{because}"));
            reign.told = found.because;
        }
        Ok(found.in_use)
    }

    /// Takes one step: one write.
    async fn take(
        &self,
        step: Step,
        stored: Stored,
        keyring: &Keyring,
        webhooks: &Webhooks,
        repairs: bool,
    ) -> Result<(), Trouble> {
        let uid = stored.uid();
        let (next, warning, reason, note) = match step {
            Step::Rest(_) => return Ok(()),
            Step::Publish => {
                let wanted = keyring.bundle();
                webhooks.publish(&self.client, &wanted).await?;
                let (warning, reason, note) = if repairs {
                    (true, "CaBundleRepaired", "caBundle of a webhook configuration had been changed; it is right again")
                } else {
                    (false, "CaBundlePublished", "caBundle of every webhook configuration holds every authority in use")
                };
                self.report(uid, warning, reason, format!("{note}: {}", words(keyring))).await;
                return Ok(());
            }
            Step::Begin => {
                let first = self.make()?;
                let note = format!("authority {first} made: nothing was trusted before, so it signs at once");
                (Keyring::begun(first, stored.asked()), false, "AuthorityCreated", note)
            }
            Step::Add { trusted } => {
                let next = self.make()?;
                let note =
                    format!("authority {next} made; it signs after it has been published for {:#}", self.settings.publish_for);
                (keyring.with_next(next, &trusted, stored.asked()), false, "AuthorityCreated", note)
            }
            Step::Keep(used) => {
                let next = keyring.keeping(&used);
                let note = format!("replicas serve certificates of an authority that was trusted already: {}", words(&next));
                (next, false, "AuthorityKept", note)
            }
            Step::Promote => {
                let next = keyring.promoted();
                let note = format!("replicas serve certificates of another authority from now on: {}", words(&next));
                (next, false, "AuthorityInUse", note)
            }
            Step::Remove(gone) => {
                let names: Vec<_> = gone.iter().map(CaCertificate::to_string).collect();
                let next = keyring.without(&gone);
                let note = format!("no replica serves a certificate of {}: it is trusted no longer", names.join(", "));
                (next, false, "AuthorityRemoved", note)
            }
        };
        stored.replace(&self.client, &self.home, &next).await?;
        self.report(uid, warning, reason, note).await;
        Ok(())
    }

    fn make(&self) -> Result<Arc<Authority>, CertError> {
        Authority::make(Timestamp::now(), self.settings.authority_life).map(Arc::new)
    }

    async fn report(&self, uid: Option<String>, warning: bool, reason: &'static str, note: String) {
        let about = About { api_version: "v1", kind: "Secret", name: ca_secret::NAME.to_owned(), uid };
        self.reporter.report(Report { about, warning, reason, note }).await;
    }

    /// Says what is wrong; how long to rest after it.
    async fn trouble(&self, trouble: &Trouble) -> Duration {
        match trouble {
            // Somebody has written since we have read: what is to be done is decided anew.
            Trouble::Api(kube::Error::Api(status)) if status.code == 409 => BREATH,
            Trouble::Unusable(because) => {
                let note = format!("{because}; nothing is changed and no authority is rotated. Remove its data to begin anew");
                self.report(None, true, "AuthorityUnusable", note).await;
                WAITING
            }
            Trouble::NoSecret => {
                tracing::error!("{trouble}");
                WAITING
            }
            Trouble::Api(_) | Trouble::Make(_) => {
                tracing::error!("the authorities could not be looked after: {trouble}; trying again in {AGAIN:?}");
                AGAIN
            }
        }
    }
}

/// A keyring in a few words.
fn words(keyring: &Keyring) -> String {
    let mut words: Vec<String> = keyring.signing().iter().map(|signing| format!("{signing} signs")).collect();
    words.extend(keyring.next().iter().map(|next| format!("{next} comes next")));
    words.extend(keyring.previous().iter().map(|previous| format!("{previous} is trusted still")));
    words.join(", ")
}
