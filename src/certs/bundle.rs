//! Several certificates as one PEM text: what `caBundle` holds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::ca_certificate::CaCertificate;

/// The certificates as PEM, in their order. Source of the form: RFC 7468, lines of 64 characters.
pub fn text<'a>(certificates: impl IntoIterator<Item = &'a CertificateDer<'static>>) -> String {
    let mut text = String::new();
    for certificate in certificates {
        let encoded = STANDARD.encode(certificate);
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
            text.push_str(line);
            text.push('\n');
            rest = after;
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

/// The certificates of a PEM text, in its order; an empty text has none. The error says why it is no such text.
pub fn read(text: &[u8]) -> Result<Vec<CaCertificate>, String> {
    let all = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    if all.is_empty() && !text.trim_ascii().is_empty() {
        return Err("no certificate in PEM".to_owned());
    }
    all.into_iter().map(CaCertificate::read).collect()
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::certs::Authority;

    #[test]
    fn what_is_written_is_read_in_the_same_order() {
        let made = || Authority::make(Timestamp::now(), SignedDuration::from_hours(1)).unwrap().certificate().clone();
        let both = [made(), made()];
        let written = text(both.iter().map(CaCertificate::der));
        assert_eq!(read(written.as_bytes()).unwrap(), both);
        assert!(written.lines().all(|line| line.len() <= 64));
        assert_eq!(read(b"").unwrap(), []);
        assert_eq!(read(b"x").unwrap_err(), "no certificate in PEM");
    }
}
