//! The digest of a policy: what the hardware reports as host data.

use std::fmt::{self, Write as _};
use std::io::{self, Read};
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// A hash algorithm that an initdata document or an allow-list entry may name.
///
/// Source: Kata Containers initdata specification (algorithms `sha256`, `sha384`, `sha512`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256, 32 bytes: what AMD SEV-SNP holds as `HOST_DATA`.
    Sha256,
    /// SHA-384, 48 bytes: what Intel TDX holds as `MRCONFIGID`.
    Sha384,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl Algorithm {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name as it is written before the colon of a digest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The algorithm of exactly this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The length of a digest of this algorithm, in bytes.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A whole policy digest with its algorithm. Two digests are equal only if both agree.
///
/// Bytes beyond the algorithm's length are zero, so that equality and hashing may look at all of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: [u8; 64],
}

impl Digest {
    /// The SHA-256 digest of `content`.
    pub fn sha256_of(content: &[u8]) -> Self {
        Self::of(Algorithm::Sha256, content)
    }

    /// The SHA-256 digest of all that can be read, which is not kept.
    ///
    /// # Errors
    /// Where reading fails.
    pub fn sha256_of_all(mut content: impl Read) -> io::Result<Self> {
        let (mut hasher, mut part) = (Sha256::new(), vec![0; 64 * 1024]);
        loop {
            match content.read(&mut part) {
                Ok(0) => return Ok(Self::padding(Algorithm::Sha256, &hasher.finalize())),
                Ok(length) => hasher.update(part.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The digest of `content` by an algorithm.
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::padding(algorithm, &Sha256::digest(content)),
            Algorithm::Sha384 => Self::padding(algorithm, &Sha384::digest(content)),
            Algorithm::Sha512 => Self::padding(algorithm, &Sha512::digest(content)),
        }
    }

    fn padding(algorithm: Algorithm, digest: &[u8]) -> Self {
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(digest) {
            *to = *from;
        }
        Self { algorithm, bytes }
    }

    /// The algorithm that made this digest.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest's bytes: as many as its algorithm gives.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.split_at(self.algorithm.length()).0
    }

    /// The digest's bytes, and zeros up to the length of the longest one.
    pub(crate) const fn padded(&self) -> &[u8; 64] {
        &self.bytes
    }
}

/// Bytes as they are written: two lower-case hexadecimal digits each.
#[derive(Clone, Copy, Debug)]
pub struct Hexadecimal<'a>(pub &'a [u8]);

impl fmt::Display for Hexadecimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nibbles = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16)).try_for_each(|digit| f.write_char(digit))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), Hexadecimal(self.bytes()))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedDigest {
    /// The part before the colon is not an algorithm.
    #[error("\"{0}\" is not a digest algorithm: write sha256:, sha384: or sha512:, in lower case")]
    UnknownAlgorithm(String),
    /// A character that is not a lower-case hexadecimal digit.
    #[error(
        "character {0:?} at position {1} of the digest is not one of 0-9 and a-f: write the digest in lower-case hexadecimal"
    )]
    NotHex(char, usize),
    /// The wrong number of digits for the algorithm.
    #[error("a {} digest has {} hexadecimal digits, this one has {found}", .algorithm.name(), .algorithm.length() * 2)]
    Length {
        /// The algorithm that was named, or sha256 for bare digits.
        algorithm: Algorithm,
        /// How many digits were found.
        found: usize,
    },
    /// All digits are zero: what hardware reports when nothing was measured.
    #[error("a digest of zeros alone is what hardware reports when nothing was measured: it can never be listed")]
    Zeros,
}

impl FromStr for Digest {
    type Err = MalformedDigest;

    /// Reads `<algorithm>:<hex>`, or bare hexadecimal digits as SHA-256 (what `sha256sum` prints). One strict form: lower
    /// case, no white space, the whole length.
    fn from_str(text: &str) -> Result<Self, MalformedDigest> {
        let (algorithm, digits) = match text.split_once(':') {
            None => (Algorithm::Sha256, text),
            Some((name, digits)) => {
                let algorithm =
                    Algorithm::named(name).ok_or_else(|| MalformedDigest::UnknownAlgorithm(name.escape_debug().to_string()))?;
                (algorithm, digits)
            }
        };
        let strange = digits.chars().enumerate().find(|(_, c)| !matches!(c, '0'..='9' | 'a'..='f'));
        if let Some((position, character)) = strange {
            return Err(MalformedDigest::NotHex(character, position + 1));
        }
        if digits.len() != algorithm.length() * 2 {
            return Err(MalformedDigest::Length { algorithm, found: digits.len() });
        }
        let mut bytes = [0; 64];
        for (position, digit) in digits.chars().enumerate() {
            let value = u8::try_from(digit.to_digit(16).unwrap_or(0)).unwrap_or(0);
            if let Some(byte) = bytes.get_mut(position / 2) {
                *byte = *byte << 4 | value;
            }
        }
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(MalformedDigest::Zeros);
        }
        Ok(Self { algorithm, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn the_digest_of_nothing_is_the_known_one() {
        assert_eq!(Digest::sha256_of(b"").to_string(), format!("sha256:{EMPTY}"));
    }

    #[test]
    fn all_that_can_be_read_is_hashed_in_parts_and_what_cannot_is_an_error() {
        /// Gives one part after the other.
        struct Parts(Vec<io::Result<Vec<u8>>>);
        impl Read for Parts {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                let Some(part) = self.0.pop() else { return Ok(0) };
                part.map(|part| part.as_slice().read(to).unwrap())
            }
        }
        let long = vec![7; 200 * 1024];
        assert_eq!(Digest::sha256_of_all(&*long).unwrap(), Digest::sha256_of(&long));
        let interrupted = || Err(io::ErrorKind::Interrupted.into());
        let parts = vec![Ok(b"c".to_vec()), interrupted(), Ok(b"ab".to_vec())];
        assert_eq!(Digest::sha256_of_all(Parts(parts)).unwrap(), Digest::sha256_of(b"abc"));
        let broken = vec![Err(io::ErrorKind::InvalidData.into()), Ok(b"ab".to_vec())];
        assert_eq!(Digest::sha256_of_all(Parts(broken)).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn each_algorithm_hashes_by_itself() {
        let of_abc = |algorithm| Digest::of(algorithm, b"abc").to_string();
        assert!(of_abc(Algorithm::Sha256).starts_with("sha256:ba7816bf8f01cfea"));
        assert!(of_abc(Algorithm::Sha384).starts_with("sha384:cb00753f45a35e8b"));
        assert!(of_abc(Algorithm::Sha512).starts_with("sha512:ddaf35a193617aba"));
    }

    #[test]
    fn bare_hex_is_sha256() {
        assert_eq!(EMPTY.parse::<Digest>().unwrap(), Digest::sha256_of(b""));
        assert_eq!(format!("sha256:{EMPTY}").parse::<Digest>().unwrap(), Digest::sha256_of(b""));
    }

    #[test]
    fn longer_algorithms_print_what_they_read() {
        for (name, digits) in [("sha384", 96), ("sha512", 128)] {
            let text = format!("{name}:{}", "0f".repeat(digits / 2));
            assert_eq!(text.parse::<Digest>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_sha256_digest_is_not_a_longer_one_that_begins_alike() {
        let short: Digest = format!("sha256:{}", "ab".repeat(32)).parse().unwrap();
        let long: Digest = format!("sha512:{}{}", "ab".repeat(32), "00".repeat(32)).parse().unwrap();
        assert_ne!(short, long);
    }

    #[test]
    fn what_differs_from_the_strict_form_is_refused_by_name() {
        let reason = |text: &str| text.parse::<Digest>().unwrap_err().to_string();
        assert!(reason(&EMPTY.to_uppercase()).starts_with("character 'E' at position 1"));
        assert!(reason(&format!(" {EMPTY}")).starts_with("character ' ' at position 1"));
        assert!(reason(&format!("sha256:sha256:{EMPTY}")).starts_with("character 's' at position 1"));
        assert!(reason(&format!("SHA256:{EMPTY}")).starts_with("\"SHA256\" is not a digest algorithm"));
        assert!(reason(&format!("sha-256:{EMPTY}")).starts_with("\"sha-256\" is not a digest algorithm"));
        assert!(reason(&format!("00{EMPTY}")).ends_with("this one has 66"));
        assert!(reason(&EMPTY[2..]).ends_with("this one has 62"));
        assert!(reason(&EMPTY.replace('e', "\u{435}")).contains("is not one of 0-9 and a-f"));
        assert!(reason(&"0".repeat(64)).contains("can never be listed"));
        assert!(reason("").ends_with("this one has 0"));
    }
}
