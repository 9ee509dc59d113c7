//! The keyring as the data of a Secret.
//!
//! Reading is strict: what Countersign has not written is not understood, and what is not understood is never overwritten.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::ByteString;

use super::authority::{Authority, NotAuthority};
use super::bundle;
use super::keyring::{Certified as _, Keyring};

const SIGNING: [&str; 2] = ["ca.crt", "ca.key"];
const NEXT: [&str; 2] = ["next.crt", "next.key"];
const PREVIOUS: &str = "previous.crt";
const ANSWERED: &str = "rotate";

/// Data that is no keyring: the field, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("data[{field}]: {because}")]
pub struct NotKeyring {
    /// The key of the data.
    pub field: String,
    /// What is wrong.
    pub because: String,
}

type Data = BTreeMap<String, ByteString>;

/// The keyring that a Secret's data holds; no data, an empty one.
///
/// # Errors
/// [`NotKeyring`] for data that [`write()`] has not made.
pub fn read(data: &Data) -> Result<Keyring, NotKeyring> {
    let known = [SIGNING[0], SIGNING[1], NEXT[0], NEXT[1], PREVIOUS, ANSWERED];
    if let Some(field) = data.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(wrong(field, "Countersign writes no such field"));
    }
    let keyring = Keyring {
        signing: authority(data, SIGNING)?,
        next: authority(data, NEXT)?,
        previous: match data.get(PREVIOUS) {
            Some(text) => bundle::read(&text.0).map_err(|because| wrong(PREVIOUS, &because))?,
            None => Vec::new(),
        },
        answered: match data.get(ANSWERED) {
            Some(text) => Some(String::from_utf8(text.0.clone()).map_err(|_| wrong(ANSWERED, "is not text"))?),
            None => None,
        },
    };
    if keyring.is_empty() && !data.is_empty() {
        return Err(wrong(SIGNING[0], "is missing"));
    }
    Ok(keyring)
}

/// A keyring as the data of a Secret.
pub fn write(keyring: &Keyring) -> Data {
    let mut data = Data::new();
    let mut put = |field: &str, text: String| drop(data.insert(field.to_owned(), ByteString(text.into_bytes())));
    for (authority, [certificate, key]) in [(&keyring.signing, SIGNING), (&keyring.next, NEXT)] {
        if let Some(authority) = authority {
            put(certificate, bundle::text([authority.certificate().der()]));
            put(key, authority.key_pem());
        }
    }
    if !keyring.previous.is_empty() {
        put(PREVIOUS, bundle::text(keyring.previous.iter().map(|previous| previous.certificate().der())));
    }
    if let Some(answered) = &keyring.answered {
        put(ANSWERED, answered.clone());
    }
    data
}

fn authority(data: &Data, [certificate, key]: [&str; 2]) -> Result<Option<Arc<Authority>>, NotKeyring> {
    match (data.get(certificate), data.get(key)) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(wrong(key, "is missing")),
        (None, Some(_)) => Err(wrong(certificate, "is missing")),
        (Some(certificate_pem), Some(key_pem)) => match Authority::read(&certificate_pem.0, &key_pem.0) {
            Ok(authority) => Ok(Some(Arc::new(authority))),
            Err(NotAuthority::Certificate(because)) => Err(wrong(certificate, &because)),
            Err(NotAuthority::Key(because)) => Err(wrong(key, &because)),
        },
    }
}

fn wrong(field: &str, because: &str) -> NotKeyring {
    NotKeyring { field: field.to_owned(), because: because.to_owned() }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    fn made() -> Arc<Authority> {
        Arc::new(Authority::make(Timestamp::now(), SignedDuration::from_hours(1)).unwrap())
    }

    /// Two rotations, the second one half done.
    fn full() -> Keyring {
        Keyring::begun(made(), None).with_next(made(), &[], Some("1")).promoted().with_next(made(), &[], Some("2"))
    }

    #[test]
    fn what_is_written_is_read_again() {
        for keyring in [Keyring::default(), Keyring::begun(made(), None), full()] {
            let again = read(&write(&keyring)).unwrap();
            assert_eq!(again.bundle(), keyring.bundle());
            assert_eq!((again.phase(), &again.answered), (keyring.phase(), &keyring.answered));
            let keys = |keyring: &Keyring| {
                keyring.signing.iter().chain(&keyring.next).map(|authority| authority.key_pem()).collect::<Vec<_>>()
            };
            assert_eq!(keys(&again), keys(&keyring));
        }
    }

    #[test]
    fn the_key_of_an_authority_that_signs_no_more_is_not_kept() {
        let data = write(&full());
        assert_eq!(data.keys().collect::<Vec<_>>(), ["ca.crt", "ca.key", "next.crt", "next.key", "previous.crt", "rotate"]);
        let previous = String::from_utf8(data["previous.crt"].0.clone()).unwrap();
        assert!(!previous.contains("PRIVATE"));
    }

    #[test]
    fn foreign_or_damaged_data_is_refused_with_the_field() {
        let good = write(&full());
        let other = write(&full());
        let refused = |change: &dyn Fn(&mut Data)| {
            let mut data = good.clone();
            change(&mut data);
            read(&data).unwrap_err().to_string()
        };
        let text = |text: &str| ByteString(text.as_bytes().to_vec());
        assert_eq!(
            refused(&|data| drop(data.insert("tls.crt".to_owned(), text("x")))),
            "data[tls.crt]: Countersign writes no such field"
        );
        assert_eq!(refused(&|data| drop(data.remove("ca.key"))), "data[ca.key]: is missing");
        assert_eq!(refused(&|data| drop(data.remove("next.crt"))), "data[next.crt]: is missing");
        assert!(
            refused(&|data| drop(data.insert("ca.crt".to_owned(), text("x"))))
                .starts_with("data[ca.crt]: no certificate in PEM")
        );
        assert_eq!(
            refused(&|data| drop(data.insert("ca.key".to_owned(), other["ca.key"].clone()))),
            "data[ca.key]: does not belong to the certificate"
        );
        assert_eq!(
            refused(&|data| drop(data.insert("previous.crt".to_owned(), text("x")))),
            "data[previous.crt]: no certificate in PEM"
        );
        assert_eq!(refused(&|data| data.retain(|field, _| field == "rotate")), "data[ca.crt]: is missing");
    }
}
