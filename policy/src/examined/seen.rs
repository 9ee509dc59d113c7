//! Policies that were examined before, so that a known one costs nothing but the comparison of its pods.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::{Examined, Unexaminable};
use crate::digest::Digest;
use crate::reading::PolicyReading;

/// How much text all policies that are kept have together, in bytes. What is known of one takes up to twenty times its text; that is
/// some thirty policies as generators write them.
const BYTES: u64 = 2 * 1024 * 1024;
/// How many are expected. The library divides the room into parts of at least 32, and the longest policy has to fit into one.
const POLICIES: usize = 32;

/// What an examination gave.
pub type Examination = Arc<Result<Examined, Unexaminable>>;

/// The policies that were examined before, by digest; those not asked for make room.
#[derive(Debug)]
pub struct SeenExaminations(Cache<Digest, Kept, Text>);

/// An examination, and how long the policy's text is.
#[derive(Clone, Debug)]
struct Kept(Examination, u64);

#[derive(Clone, Debug)]
struct Text;

impl Weighter<Digest, Kept> for Text {
    fn weight(&self, _: &Digest, kept: &Kept) -> u64 {
        kept.1.max(1)
    }
}

impl Default for SeenExaminations {
    fn default() -> Self {
        Self(Cache::with_weighter(POLICIES, BYTES, Text))
    }
}

impl SeenExaminations {
    /// What is known of a policy, if it was examined before.
    pub fn known(&self, digest: &Digest) -> Option<Examination> {
        Some(self.0.get(digest)?.0)
    }

    /// What is known of a policy, examined now if it was not before. Who asks while another examines the same policy waits for that.
    pub fn of(&self, reading: &PolicyReading) -> Examination {
        let examine = || {
            let examined = Examined::of(&reading.document);
            // What failed for want of time may do better another time.
            let passing = matches!(&examined, Err(reason) if !reason.lasts());
            let bytes = reading.document.policy().map_or(0, str::len);
            let kept = Kept(Arc::new(examined), u64::try_from(bytes).unwrap_or(u64::MAX));
            if passing { Err(kept) } else { Ok(kept) }
        };
        self.0.get_or_insert_with(&reading.digest, examine).unwrap_or_else(|passing| passing).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::MOST_BYTES;
    use crate::reading::Document;

    /// One of several policies of the longest text that is examined.
    fn longest(number: usize) -> PolicyReading {
        let head = format!("package agent_policy # {number}");
        let text = head.clone() + &" ".repeat(MOST_BYTES - head.len());
        PolicyReading { digest: Digest::sha256_of(text.as_bytes()), document: Arc::new(Document::AgentPolicy(text.into())) }
    }

    #[test]
    fn some_of_the_longest_policies_are_kept_at_a_time_and_all_together_stay_within_2_mib() {
        let seen = SeenExaminations::default();
        let readings: Vec<_> = (0..6).map(longest).collect();
        for reading in &readings[..3] {
            assert!(seen.of(reading).is_ok(), "{:?}", seen.of(reading));
        }
        assert!(readings[..3].iter().all(|reading| seen.known(&reading.digest).is_some()));
        assert_eq!(seen.0.weight(), 3 * 512 * 1024);
        for reading in &readings[3..] {
            assert!(seen.of(reading).is_ok());
        }
        assert!(seen.0.weight() <= 2 * 1024 * 1024, "{} bytes are kept", seen.0.weight());
    }
}
