//! The authorities of an installation, as the Secret keeps them: which one signs, which one comes next, which ones went before.
//!
//! An authority comes as the next one, signs once everybody trusts it, and is still trusted after that until nobody serves its
//! leaf. What is decided when is in `rotation`; here is what each decision makes of the keyring. It is the same for authorities
//! with keys and for bare certificates, so that decisions can be tested on the latter.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::authority::Authority;
use super::ca_certificate::CaCertificate;

/// Something that has the certificate of an authority.
pub trait Certified {
    /// The certificate.
    fn certificate(&self) -> &CaCertificate;
}

impl Certified for Arc<Authority> {
    fn certificate(&self) -> &CaCertificate {
        Authority::certificate(self)
    }
}

impl Certified for CaCertificate {
    fn certificate(&self) -> &CaCertificate {
        self
    }
}

/// The authorities of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring<A = Arc<Authority>> {
    /// Signs the leaves; none before the first one does.
    pub(super) signing: Option<A>,
    /// Comes next: it is published and does not sign yet.
    pub(super) next: Option<A>,
    /// Signed once, and is still published, the latest first. Their keys are gone.
    pub(super) previous: Vec<CaCertificate>,
    /// The value of the annotation that asks for a rotation, as it was when the latest rotation began.
    pub(super) answered: Option<String>,
}

/// Where a rotation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// There is no authority yet.
    Empty,
    /// One authority, and nothing to do.
    Steady,
    /// The next authority is published, and signs after the waiting time.
    Publishing,
    /// The next authority has become the signing one; the previous one is trusted until nobody serves its leaf.
    Retiring,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Empty, Self::Steady, Self::Publishing, Self::Retiring];

    /// The word for it in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Steady => "steady",
            Self::Publishing => "publishing",
            Self::Retiring => "retiring",
        }
    }
}

impl<A> Default for Keyring<A> {
    fn default() -> Self {
        Self { signing: None, next: None, previous: Vec::new(), answered: None }
    }
}

impl<A: Certified + Clone> Keyring<A> {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.signing.is_none() && self.next.is_none()
    }

    /// The authority that signs.
    pub fn signing(&self) -> Option<&A> {
        self.signing.as_ref()
    }

    /// The authority that comes next.
    pub fn next(&self) -> Option<&A> {
        self.next.as_ref()
    }

    /// The authorities that are trusted for the leaves that are still served, the latest first.
    pub fn previous(&self) -> &[CaCertificate] {
        &self.previous
    }

    /// Where a rotation stands.
    pub fn phase(&self) -> Phase {
        match self {
            Self { next: Some(_), .. } => Phase::Publishing,
            Self { signing: None, .. } => Phase::Empty,
            Self { previous, .. } if !previous.is_empty() => Phase::Retiring,
            Self { .. } => Phase::Steady,
        }
    }

    /// What every `caBundle` must hold, each certificate once.
    pub fn bundle(&self) -> Vec<CertificateDer<'static>> {
        let owned = self.signing.iter().chain(&self.next).map(Certified::certificate);
        owned.chain(&self.previous).map(|certificate| certificate.der().clone()).collect()
    }

    /// With the very first authority, which signs at once.
    #[must_use]
    pub fn begun(first: A, asked: Option<&str>) -> Self {
        Self { signing: Some(first), answered: asked.map(str::to_owned), ..Self::default() }
    }

    /// With `next` as the next authority, in the place of an earlier next one, and `trusted` beside those that are trusted
    /// already. `asked` is what the annotation says now: this rotation answers it.
    #[must_use]
    pub fn with_next(&self, next: A, trusted: &[CaCertificate], asked: Option<&str>) -> Self {
        Self { next: Some(next), answered: asked.map(str::to_owned), ..self.keeping(trusted) }
    }

    /// The next authority signs from now on; the one that signed is trusted still.
    #[must_use]
    pub fn promoted(&self) -> Self {
        let Some(next) = self.next.clone() else { return self.clone() };
        let before = self.signing.iter().map(|signing| signing.certificate().clone());
        let previous = before.chain(self.previous.iter().cloned()).collect();
        Self { signing: Some(next), next: None, previous, answered: self.answered.clone() }
    }

    /// With these among the previous ones.
    #[must_use]
    pub fn keeping(&self, trusted: &[CaCertificate]) -> Self {
        let mut kept = self.clone();
        kept.previous.extend(trusted.iter().filter(|certificate| !self.previous.contains(certificate)).cloned());
        kept
    }

    /// Without these previous ones.
    #[must_use]
    pub fn without(&self, gone: &[CaCertificate]) -> Self {
        let mut kept = self.clone();
        kept.previous.retain(|certificate| !gone.contains(certificate));
        kept
    }
}
