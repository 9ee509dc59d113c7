//! The certificate of an authority, as others see it: without a key.

use std::fmt;

use countersign_policy::Digest;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

/// A certificate that leaves can be verified by. Two are equal if they are the same certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct CaCertificate {
    der: CertificateDer<'static>,
    pub(super) not_before: Timestamp,
    not_after: Timestamp,
}

impl CaCertificate {
    /// Reads a certificate; the error says why it is none.
    pub fn read(der: CertificateDer<'static>) -> Result<Self, String> {
        let (not_before, not_after) = {
            let (_, certificate) = x509_parser::parse_x509_certificate(&der).map_err(|error| error.to_string())?;
            let validity = certificate.validity();
            (validity.not_before.timestamp(), validity.not_after.timestamp())
        };
        let time = |seconds| Timestamp::from_second(seconds).map_err(|error| error.to_string());
        Ok(Self { der, not_before: time(not_before)?, not_after: time(not_after)? })
    }

    /// The certificate itself.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// The end of its validity.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether its validity is over at `now`.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.not_after <= now
    }

    /// When two thirds of its life are over: time for the next one.
    pub fn ages(&self) -> Timestamp {
        two_thirds(self.not_before, self.not_after)
    }
}

/// The moment at which two thirds of the time from `begin` to `end` are over.
pub(super) fn two_thirds(begin: Timestamp, end: Timestamp) -> Timestamp {
    let life = end.duration_since(begin);
    begin.checked_add(life / 3 * 2).unwrap_or(end)
}

/// The first digits of its SHA-256 digest: enough to tell a handful apart.
impl fmt::Display for CaCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = Digest::sha256_of(&self.der).to_string();
        f.write_str(digest.get(..19).unwrap_or(&digest))
    }
}

impl fmt::Debug for CaCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
impl CaCertificate {
    /// A certificate that is only a number, for tests of what becomes of certificates.
    pub(crate) fn numbered(number: u32, not_before: Timestamp, not_after: Timestamp) -> Self {
        Self { der: CertificateDer::from(number.to_be_bytes().to_vec()), not_before, not_after }
    }
}
