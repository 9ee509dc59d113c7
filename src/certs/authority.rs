//! A certificate authority of Countersign's own: made by the Lease holder, kept in a Secret, used by every replica to sign a
//! leaf for itself.
//!
//! Every authority has the same subject and a key of its own; key identifiers tell them apart, which is how verifiers choose
//! (RFC 5280, 4.2.1.1).

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData as _,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use super::ca_certificate::CaCertificate;
use super::leaf::{CertError, Leaf};

/// The subject of every authority.
const SUBJECT: &str = "countersign webhook authority";
/// Certificates are valid from a little before they are made, for those whose clocks are behind.
pub(super) const CLOCK_SKEW: Duration = Duration::from_mins(5);

/// An authority with its key. The key shows in no log: `Debug` and `Display` give the certificate's digest.
pub struct Authority {
    certificate: CaCertificate,
    key: KeyPair,
}

/// Why a certificate and a key are no authority of ours; each begins with which of the two is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAuthority {
    /// The certificate.
    #[error(".crt: {0}")]
    Certificate(String),
    /// The key.
    #[error(".key: {0}")]
    Key(String),
}

impl Authority {
    /// Makes a new one that is valid for `life` from `now`.
    ///
    /// # Errors
    /// [`CertError`] if the cryptography provider fails.
    pub fn make(now: Timestamp, life: SignedDuration) -> Result<Self, CertError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = parameters();
        valid(&mut params, now, now.saturating_add(life).map_err(|error| CertError::Malformed(error.to_string()))?);
        let der = params.self_signed(&key)?.der().clone();
        Ok(Self { certificate: CaCertificate::read(der).map_err(CertError::Malformed)?, key })
    }

    /// Reads what [`Authority::certificate`] and `Authority::key_pem` gave.
    pub fn read(certificate_pem: &[u8], key_pem: &[u8]) -> Result<Self, NotAuthority> {
        let wrong = |because: &str| NotAuthority::Certificate(because.to_owned());
        let der = CertificateDer::from_pem_slice(certificate_pem)
            .map_err(|error| wrong(&format!("no certificate in PEM: {error}")))?;
        let text = std::str::from_utf8(key_pem).map_err(|_| NotAuthority::Key("no private key in PEM".to_owned()))?;
        // The reader's own words are left out: nothing of a key goes into a log.
        let key = KeyPair::from_pem(text).map_err(|_| NotAuthority::Key("no private key in PEM (PKCS #8)".to_owned()))?;
        {
            let (_, parsed) = x509_parser::parse_x509_certificate(&der).map_err(|error| wrong(&error.to_string()))?;
            if !parsed.is_ca() {
                return Err(wrong("not the certificate of an authority"));
            }
            let mut names = parsed.subject().iter_common_name();
            if names.next().and_then(|name| name.as_str().ok()) != Some(SUBJECT) {
                return Err(wrong(&format!("its subject is not CN={SUBJECT}: Countersign has not made it")));
            }
            if parsed.public_key().raw != key.subject_public_key_info() {
                return Err(NotAuthority::Key("does not belong to the certificate".to_owned()));
            }
        }
        Ok(Self { certificate: CaCertificate::read(der).map_err(|because| wrong(&because))?, key })
    }

    /// Its certificate.
    pub fn certificate(&self) -> &CaCertificate {
        &self.certificate
    }

    /// Its private key as PEM, for the Secret and nothing else.
    pub(super) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// Signs a leaf for `names` that is valid for `life` from `now`, but no longer than the authority.
    ///
    /// # Errors
    /// [`CertError`] if a name is no DNS name, or the cryptography provider fails.
    pub fn sign(&self, names: &[String], now: Timestamp, life: SignedDuration) -> Result<Leaf, CertError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(names.to_vec())?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "countersign");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let end = now.saturating_add(life).map_err(|error| CertError::Malformed(error.to_string()))?;
        valid(&mut params, now, end.min(self.certificate.not_after()));
        let certificate = params.signed_by(&key, &Issuer::new(parameters(), &self.key))?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|because| CertError::Malformed(because.into()))?;
        Leaf::new(vec![certificate.der().clone()], key)
    }
}

/// What all authorities have in common; a leaf takes its issuer from here.
fn parameters() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, SUBJECT);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn valid(params: &mut CertificateParams, now: Timestamp, end: Timestamp) {
    params.not_before = (SystemTime::from(now) - CLOCK_SKEW).into();
    params.not_after = SystemTime::from(end).into();
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.certificate.fmt(f)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", self.certificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::bundle;
    use crate::certs::trust::verifies;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn made() -> Authority {
        Authority::make(Timestamp::now(), DAY).unwrap()
    }

    fn pem(authority: &Authority) -> Vec<u8> {
        bundle::text([authority.certificate().der()]).into_bytes()
    }

    #[test]
    fn what_is_written_is_read_again_and_its_leaves_are_verified_by_name() {
        let one = made();
        let again = Authority::read(&pem(&one), one.key_pem().as_bytes()).unwrap();
        assert_eq!(again.certificate(), one.certificate());
        let leaf = again.sign(&["a.svc".to_owned()], Timestamp::now(), DAY).unwrap();
        let roots = [one.certificate().der().clone()];
        assert_eq!(verifies(&roots, leaf.chain(), "a.svc"), Ok(()));
        assert!(verifies(&roots, leaf.chain(), "b.svc").unwrap_err().contains("not valid for name"));
        let other = [made().certificate().der().clone()];
        assert!(verifies(&other, leaf.chain(), "a.svc").is_err(), "the same subject is not the same authority");
        let both = [other[0].clone(), roots[0].clone()];
        assert_eq!(verifies(&both, leaf.chain(), "a.svc"), Ok(()), "in whatever order they are given");
    }

    #[test]
    fn a_leaf_is_valid_a_little_back_and_ends_with_its_authority_at_the_latest() {
        let authority = made();
        let leaf = authority.sign(&["a.svc".to_owned()], Timestamp::now(), DAY * 30).unwrap();
        assert_eq!(leaf.not_after(), authority.certificate().not_after().as_second());
        let leaf = CaCertificate::read(leaf.chain()[0].clone()).unwrap();
        let back = Timestamp::now().duration_since(leaf.not_before);
        assert!(back >= SignedDuration::from_mins(5) && back < SignedDuration::from_mins(6), "{back:?}");
    }

    #[test]
    fn what_is_no_authority_of_ours_is_refused_with_the_part_that_is_wrong() {
        let (one, other) = (made(), made());
        let refused = |certificate: &[u8], key: &str| Authority::read(certificate, key.as_bytes()).unwrap_err().to_string();
        assert!(refused(b"nonsense", &one.key_pem()).starts_with(".crt: no certificate in PEM"));
        assert_eq!(refused(&pem(&one), "nonsense"), ".key: no private key in PEM (PKCS #8)");
        assert_eq!(refused(&pem(&one), &other.key_pem()), ".key: does not belong to the certificate");
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["a.svc".to_owned()]).unwrap().self_signed(&key).unwrap();
        assert_eq!(refused(leaf.pem().as_bytes(), &key.serialize_pem()), ".crt: not the certificate of an authority");
        let mut params = parameters();
        params.distinguished_name.push(DnType::CommonName, "somebody else");
        let foreign = params.self_signed(&key).unwrap();
        assert!(refused(foreign.pem().as_bytes(), &key.serialize_pem()).contains("Countersign has not made it"));
    }

    #[test]
    fn the_key_shows_nowhere() {
        let authority = made();
        let key = authority.key_pem();
        let line = key.lines().nth(1).unwrap();
        for shown in [format!("{authority:?}"), format!("{authority:#?}"), authority.to_string()] {
            assert!(!shown.contains(line) && shown.len() < 64, "{shown}");
        }
    }
}
