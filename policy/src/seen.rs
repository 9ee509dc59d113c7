//! Policies that were read before, so that decoding and hashing them is done once and not for every pod of a Deployment.
//!
//! A keyed hash finds the text, and only equality, byte for byte, makes it the same: two policies are never taken for one.

use std::hash::{BuildHasher, Hash, Hasher};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, Weighter};

use crate::malformed::MalformedPolicy;
use crate::reading::{Limits, Measured, PolicyReading};

/// All remembered texts and what they decode to together, in bytes: some hundred policies as generators write them.
const BYTES: u64 = 16 * 1024 * 1024;
/// How many texts that may be. The library divides the room into parts of at least 32 texts, so that the largest policies, of some
/// hundred kilobytes, fit into each. An initdata that unpacks to more than a part has is read each time.
const TEXTS: usize = 128;

/// The policies that were read before, bounded in bytes; those not asked for make room.
#[derive(Debug)]
pub struct SeenPolicies<H = DefaultHashBuilder>
where
    H: BuildHasher + Clone,
{
    readings: Cache<Seen, PolicyReading, Bytes, H>,
}

/// An annotation's text, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen(Measured, Box<str>);

/// The same, borrowed: it hashes alike.
struct Asked<'a>(Measured, &'a str);

impl Hash for Asked<'_> {
    /// By the length and some bytes of every KiB: reading all of it costs as much as comparing it, and only listed texts, which
    /// nobody can make alike by the thousands, are kept.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self(measured, text) = self;
        (measured, text.len()).hash(state);
        text.as_bytes().chunks(1024).filter_map(|part| part.first_chunk::<32>()).for_each(|bytes| bytes.hash(state));
    }
}

impl Hash for Seen {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Asked(self.0, &self.1).hash(state);
    }
}

impl Equivalent<Seen> for Asked<'_> {
    fn equivalent(&self, seen: &Seen) -> bool {
        self.0 == seen.0 && *self.1 == *seen.1
    }
}

#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<Seen, PolicyReading> for Bytes {
    fn weight(&self, Seen(_, text): &Seen, reading: &PolicyReading) -> u64 {
        u64::try_from(text.len().saturating_add(reading.document.measured_bytes()).max(1)).unwrap_or(u64::MAX)
    }
}

impl SeenPolicies {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::hashed_by(DefaultHashBuilder::default())
    }
}

impl Default for SeenPolicies {
    fn default() -> Self {
        Self::new()
    }
}

impl<H: BuildHasher + Clone> SeenPolicies<H> {
    fn hashed_by(hasher: H) -> Self {
        Self { readings: Cache::with(TEXTS, BYTES, Bytes, hasher, DefaultLifecycle::default()) }
    }

    /// Reads an annotation's text as [`Measured::read`] does. What `keep` says yes to is remembered, so that strangers' texts
    /// take no room.
    pub fn read(
        &self,
        measured: Measured,
        annotation: &str,
        limits: Limits,
        keep: impl FnOnce(&PolicyReading) -> bool,
    ) -> Result<PolicyReading, MalformedPolicy> {
        if annotation.len() <= limits.characters
            && let Some(reading) = self.readings.get(&Asked(measured, annotation))
            && reading.document.initdata().is_none_or(|initdata| initdata.bytes <= limits.unpacked_bytes)
        {
            return Ok(reading);
        }
        let reading = measured.read(annotation, limits)?;
        if keep(&reading) {
            self.readings.insert(Seen(measured, annotation.into()), reading.clone());
        }
        Ok(reading)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasherDefault;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::reading::tests::packed;

    const LIMITS: Limits = Limits { characters: 100, unpacked_bytes: 1000 };

    /// Takes every text for every other.
    #[derive(Default)]
    struct AllAlike;

    impl Hasher for AllAlike {
        fn finish(&self) -> u64 {
            7
        }
        fn write(&mut self, _: &[u8]) {}
    }

    fn policy(number: usize, bytes: usize) -> String {
        STANDARD.encode(format!("{number:03}{}", " ".repeat(bytes - 3)))
    }

    fn digest(number: usize) -> Result<PolicyReading, MalformedPolicy> {
        Measured::AgentPolicy.read(&policy(number, 60), LIMITS)
    }

    #[test]
    fn texts_of_one_hash_and_length_keep_their_own_digests() {
        let seen = SeenPolicies::hashed_by(BuildHasherDefault::<AllAlike>::default());
        for _ in 0..2 {
            for number in 0..5 {
                assert_eq!(seen.read(Measured::AgentPolicy, &policy(number, 60), LIMITS, |_| true), digest(number));
            }
        }
    }

    #[test]
    fn what_was_read_before_is_not_read_again() {
        let seen = SeenPolicies::new();
        let asked = |keep: bool| {
            let mut read = false;
            let keep = |_: &PolicyReading| {
                read = true;
                keep
            };
            assert_eq!(seen.read(Measured::AgentPolicy, &policy(1, 60), LIMITS, keep), digest(1));
            read
        };
        assert!(asked(false), "never seen");
        assert!(asked(true), "seen, and not to be kept");
        assert!(!asked(true), "kept");
    }

    #[test]
    fn a_kept_text_above_the_limit_is_refused_all_the_same() {
        let seen = SeenPolicies::new();
        let asked = |characters| seen.read(Measured::AgentPolicy, &policy(1, 60), Limits { characters, ..LIMITS }, |_| true);
        assert!(asked(80).is_ok());
        assert_eq!(asked(79), Err(MalformedPolicy::TooLong { found: 80, limit: 79 }));
        let document = "version = '0.1.0'\nalgorithm = 'sha256'\ndata = {}\n";
        let asked = |unpacked_bytes| {
            let limits = Limits { characters: 1000, unpacked_bytes };
            seen.read(Measured::Initdata, &packed(document, 6), limits, |_| true)
        };
        let (enough, short) = (document.len(), document.len() - 1);
        assert!(asked(enough).is_ok());
        assert_eq!(asked(short), Err(MalformedPolicy::TooLarge { limit: short }));
    }

    #[test]
    fn what_is_kept_is_shared_and_weighed_with_what_it_decodes_to() {
        let seen = SeenPolicies::new();
        let asked = || seen.read(Measured::AgentPolicy, &policy(1, 60), LIMITS, |_| true).unwrap();
        assert!(std::sync::Arc::ptr_eq(&asked().document, &asked().document));
        assert_eq!(seen.readings.weight(), 60 + 80);
    }

    #[test]
    fn the_texts_together_stay_within_their_bytes_and_large_ones_fit() {
        let seen = SeenPolicies::new();
        for number in 0..100 {
            let large = policy(number, 190_000);
            seen.read(Measured::AgentPolicy, &large, Limits::OFFLINE, |_| true).unwrap();
            assert!(seen.readings.get(&Asked(Measured::AgentPolicy, &large)).is_some(), "{number}");
        }
        assert!(seen.readings.weight() <= BYTES, "{}", seen.readings.weight());
    }
}
