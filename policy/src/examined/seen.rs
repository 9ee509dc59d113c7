//! Policies that were examined before, so that a known one costs nothing but the comparison of its pods.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::{Examined, Unexaminable};
use crate::coverage::Coverage;
use crate::digest::Digest;
use crate::engine::{Evaluator, InProcess};
use crate::reading::PolicyReading;

/// How much text, and JSON that it describes, all policies that are kept have together, in bytes. What is known of one takes up to ten
/// times that; it is room for some thirty policies as generators write them.
const BYTES: u64 = 4 * 1024 * 1024;
/// How many are expected. The library divides the room into parts of at least 32, and the longest policy has to fit into one.
const POLICIES: usize = 32;

/// What an examination gave.
pub type Examination = Arc<Result<Examined, Unexaminable>>;

/// The policies that were examined before, by digest; those not asked for make room.
#[derive(Debug)]
pub struct SeenExaminations {
    kept: Cache<Digest, Kept, Text>,
    evaluator: Arc<dyn Evaluator>,
}

/// An examination, and how long the policy's text and what it describes are.
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
        Self::by(Arc::new(InProcess))
    }
}

impl SeenExaminations {
    /// None yet; policies are examined there.
    pub fn by(evaluator: Arc<dyn Evaluator>) -> Self {
        Self { kept: Cache::with_weighter(POLICIES, BYTES, Text), evaluator }
    }

    /// What is known of a policy, if it was examined before.
    pub fn known(&self, digest: &Digest) -> Option<Examination> {
        Some(self.kept.get(digest)?.0)
    }

    /// What is known of a policy, examined now if it was not before. Who asks while another examines the same policy waits for that.
    pub fn of(&self, reading: &PolicyReading) -> Examination {
        let examine = || {
            let examined = Examined::of(&reading.document, &self.evaluator);
            // What failed for want of time may do better another time.
            let passing = matches!(&examined, Err(reason) if !reason.lasts());
            let described = examined.as_ref().ok().and_then(|examined| examined.coverage.as_ref()).map_or(0, Coverage::bytes);
            let bytes = reading.document.policy().map_or(0, str::len).saturating_add(described);
            let kept = Kept(Arc::new(examined), u64::try_from(bytes).unwrap_or(u64::MAX));
            if passing { Err(kept) } else { Ok(kept) }
        };
        self.kept.get_or_insert_with(&reading.digest, examine).unwrap_or_else(|passing| passing).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::MOST_BYTES;
    use crate::reading::Document;

    fn reading(text: &str) -> PolicyReading {
        PolicyReading { digest: Digest::sha256_of(text.as_bytes()), document: Arc::new(Document::AgentPolicy(text.into())) }
    }

    /// One of several policies of the longest text that is examined.
    fn longest(number: usize) -> PolicyReading {
        let head = format!("package agent_policy # {number}");
        reading(&(head.clone() + &" ".repeat(MOST_BYTES - head.len())))
    }

    #[test]
    fn a_text_that_is_no_policy_is_not_parsed_again() {
        let seen = SeenExaminations::default();
        let reading = reading("no rules");
        assert!(matches!(&*seen.of(&reading), Err(Unexaminable::Unreadable(_))));
        assert!(seen.known(&reading.digest).is_some_and(|known| known.is_err()));
    }

    #[test]
    fn what_a_policy_computes_counts_as_if_it_were_its_text() {
        let computed = (0..4).fold("b0 := [\"0123456789abcdef\", 1]\n".to_owned(), |rules, i| {
            format!("{rules}b{} := array.concat(b{i}, array.concat(b{i}, b{i}))\n", i + 1)
        });
        let text =
            format!("package agent_policy\n{computed}policy_data := {{\"containers\": [], \"common\": {{\"list\": b4}}}}\n");
        let seen = SeenExaminations::default();
        let reading = PolicyReading {
            digest: Digest::sha256_of(text.as_bytes()),
            document: Arc::new(Document::AgentPolicy(text.as_str().into())),
        };
        assert!(seen.of(&reading).is_ok(), "{:?}", seen.of(&reading));
        let described = 81 * r#""0123456789abcdef",1,"#.len();
        let weight = usize::try_from(seen.kept.weight()).unwrap();
        assert!(weight > text.len() + described && weight < text.len() + described + 64, "{weight}");
    }

    #[test]
    fn some_of_the_longest_policies_are_kept_at_a_time_and_all_together_stay_within_4_mib() {
        let seen = SeenExaminations::default();
        let readings: Vec<_> = (0..12).map(longest).collect();
        for reading in &readings[..3] {
            assert!(seen.of(reading).is_ok(), "{:?}", seen.of(reading));
        }
        assert!(readings[..3].iter().all(|reading| seen.known(&reading.digest).is_some()));
        assert_eq!(seen.kept.weight(), 3 * 512 * 1024);
        for reading in &readings[3..] {
            assert!(seen.of(reading).is_ok());
        }
        assert!(seen.kept.weight() <= 4 * 1024 * 1024, "{} bytes are kept", seen.kept.weight());
    }
}
