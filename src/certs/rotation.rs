//! What the Lease holder does next about the authorities: one step, decided from what it sees.
//!
//! Three things must hold whatever happens, leaders dying at any moment included:
//! 1. A leaf is served only if its authority has been in every `caBundle` for the waiting time: API servers are several, see a
//!    change some time after it is made, and do not say when.
//! 2. An authority leaves `caBundle` only when nobody has served its leaf for the waiting time, whether the keyring knows it or not:
//!    a Secret may be an older one, and replicas may have served files until now.
//! 3. What is wrong in a `caBundle` is put right before anything else.
//!
//! That something has been so for a time is known only to who has watched it: the holder keeps it in memory, by its own steady
//! clock, and a new holder begins to wait anew. A time written down by one holder would be read by another with another clock.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

use super::ca_certificate::CaCertificate;
use super::keyring::{Certified, Keyring};

/// What the holder sees at one moment.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// The time of the day, for the age of certificates.
    pub now: Timestamp,
    /// A clock that never jumps, for waiting.
    pub steady: Duration,
    /// The value of the annotation on the Secret that asks for a rotation.
    pub asked: Option<&'a str>,
    /// What the `caBundle` of each entry of each webhook configuration holds; `None` where it is unreadable.
    pub bundles: &'a [Option<Vec<CaCertificate>>],
    /// Which authorities that do not sign, previous ones and others of a `caBundle`, are in use.
    pub in_use: &'a InUse,
}

/// Which authorities signed a leaf that somebody serves, of those that do not sign any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InUse {
    /// These, and perhaps others: what some replica serves is unknown.
    AtLeast(Vec<CaCertificate>),
    /// These and no others.
    Only(Vec<CaCertificate>),
}

impl InUse {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self::AtLeast(Vec::new());

    /// Whether it is known that this one is in use.
    fn certainly(&self, certificate: &CaCertificate) -> bool {
        let (Self::AtLeast(used) | Self::Only(used)) = self;
        used.contains(certificate)
    }
}

/// What a holder has watched, and since when.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// The next authority, and since when it has been in every `caBundle`.
    published: Option<(CertificateDer<'static>, Duration)>,
    /// Since when nobody has served a leaf of a previous authority.
    unused: HashMap<CertificateDer<'static>, Duration>,
    /// The latest look.
    last: Duration,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make the first authority: nobody trusts anything yet, so it signs at once.
    Begin,
    /// Write what the keyring says into every `caBundle`.
    Publish,
    /// Make the next authority. `trusted` stand in a `caBundle`, and the keyring does not know them: somebody may serve their
    /// leaves.
    Add {
        /// Those.
        trusted: Vec<CaCertificate>,
    },
    /// Count these among the previous authorities: they stand in a `caBundle`, the keyring does not know them, and replicas serve
    /// leaves of them.
    Keep(Vec<CaCertificate>),
    /// Let the next authority sign.
    Promote,
    /// Forget these previous authorities.
    Remove(Vec<CaCertificate>),
    /// Nothing, until something changes, or for this long.
    Rest(Duration),
}

/// Who has not looked for longer than this, because its process or its machine slept, has not watched.
const BLINK: Duration = Duration::from_secs(10);
/// How often a rotation that is under way is looked at.
const SOON: Duration = Duration::from_secs(1);
/// How often everything is looked at when nothing happens.
const LATER: Duration = Duration::from_mins(1);

impl Watched {
    /// Notes what is seen. Must be called with everything that is seen, in its order.
    pub fn note<A: Certified + Clone>(&mut self, keyring: &Keyring<A>, seen: &Seen<'_>) {
        if seen.steady.saturating_sub(self.last) > BLINK {
            *self = Self::default();
        }
        self.last = seen.steady;
        let next = keyring.next().map(Certified::certificate);
        let everywhere = |certificate: &CaCertificate| {
            seen.bundles.iter().all(|bundle| bundle.as_ref().is_some_and(|bundle| bundle.contains(certificate)))
        };
        self.published = next.filter(|next| everywhere(next)).map(|next| match &self.published {
            Some((known, since)) if known == next.der() => (known.clone(), *since),
            _ => (next.der().clone(), seen.steady),
        });
        let InUse::Only(used) = seen.in_use else {
            self.unused.clear();
            return;
        };
        let before = std::mem::take(&mut self.unused);
        for previous in keyring.previous().iter().filter(|previous| !used.contains(previous)) {
            let since = before.get(previous.der()).copied().unwrap_or(seen.steady);
            self.unused.insert(previous.der().clone(), since);
        }
    }
}

/// What to do next about `keyring`, given what is seen now and what `watched` has noted (with this sight included); a change
/// waits for `publish_for`.
pub fn next_step<A: Certified + Clone>(
    keyring: &Keyring<A>,
    seen: &Seen<'_>,
    watched: &Watched,
    publish_for: Duration,
) -> Step {
    if keyring.is_empty() {
        let trusted = unexpired(seen.bundles, seen.now);
        return if trusted.is_empty() { Step::Begin } else { Step::Add { trusted } };
    }
    let wanted = keyring.bundle();
    let mut strangers = strangers(keyring, seen.bundles, seen.now);
    strangers.retain(|stranger| seen.in_use.certainly(stranger));
    if !strangers.is_empty() {
        return Step::Keep(strangers);
    }
    if seen.bundles.iter().any(|bundle| !bundle.as_ref().is_some_and(|bundle| is(bundle, &wanted))) {
        return Step::Publish;
    }
    if let Some(next) = keyring.next().map(Certified::certificate) {
        if next.expired(seen.now) {
            return Step::Add { trusted: Vec::new() };
        }
        let since = watched.published.as_ref().filter(|(known, _)| known == next.der()).map(|(_, since)| *since);
        let left = since.map_or(publish_for, |since| (since + publish_for).saturating_sub(seen.steady));
        return if since.is_some() && left.is_zero() { Step::Promote } else { Step::Rest(left.min(SOON)) };
    }
    let done = |previous: &&CaCertificate| {
        let since = watched.unused.get(previous.der());
        // By the clock of this replica, which may be wrong: a leaf that is seen to be good weighs more.
        let expired = previous.expired(seen.now) && !seen.in_use.certainly(previous);
        expired || since.is_some_and(|since| *since + publish_for <= seen.steady)
    };
    let gone: Vec<_> = keyring.previous().iter().filter(done).cloned().collect();
    if !gone.is_empty() {
        return Step::Remove(gone);
    }
    let aged = keyring.signing().is_none_or(|signing| signing.certificate().ages() <= seen.now);
    let asked = seen.asked.is_some() && seen.asked != keyring.answered.as_deref();
    // One after the other, but age does not wait: a replica that nobody can reach must not let the authority expire.
    if aged || (asked && keyring.previous().is_empty()) {
        return Step::Add { trusted: Vec::new() };
    }
    Step::Rest(if keyring.previous().is_empty() { LATER } else { SOON })
}

/// What stands in a `caBundle`, is still valid, and unknown to the keyring: whether it is in use decides what becomes of it.
pub fn strangers<A: Certified + Clone>(
    keyring: &Keyring<A>,
    bundles: &[Option<Vec<CaCertificate>>],
    now: Timestamp,
) -> Vec<CaCertificate> {
    let known = keyring.bundle();
    let mut all = unexpired(bundles, now);
    all.retain(|certificate| !known.contains(certificate.der()));
    all
}

/// What is trusted already, each once, and still valid.
fn unexpired(bundles: &[Option<Vec<CaCertificate>>], now: Timestamp) -> Vec<CaCertificate> {
    let mut all: Vec<CaCertificate> = Vec::new();
    for certificate in bundles.iter().flatten().flatten() {
        if !certificate.expired(now) && !all.contains(certificate) {
            all.push(certificate.clone());
        }
    }
    all
}

/// Whether a bundle holds these certificates and no others, in whatever order.
fn is(bundle: &[CaCertificate], wanted: &[CertificateDer<'static>]) -> bool {
    bundle.len() == wanted.len() && bundle.iter().all(|certificate| wanted.contains(certificate.der()))
}

#[cfg(test)]
#[path = "rotation_tests/mod.rs"]
mod tests;
