//! Policies that were examined before, so that a known one costs nothing.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::{Examined, Unexaminable};
use crate::digest::Digest;
use crate::reading::PolicyReading;

/// How many are kept: what is known of one takes some 50 KB, so that all take few megabytes.
const POLICIES: usize = 128;
/// What is known of a policy with more text than this is not kept, so that all together stay within the bytes above.
const MOST_KEPT_BYTES: usize = 256 * 1024;

/// What an examination gave.
pub type Examination = Arc<Result<Examined, Unexaminable>>;

/// The policies that were examined before, by digest; those not asked for make room.
#[derive(Debug)]
pub struct SeenExaminations(Cache<Digest, Examination>);

impl Default for SeenExaminations {
    fn default() -> Self {
        Self(Cache::new(POLICIES))
    }
}

impl SeenExaminations {
    /// What is known of a policy, if it was examined before.
    pub fn known(&self, digest: &Digest) -> Option<Examination> {
        self.0.get(digest)
    }

    /// What is known of a policy, examined now if it was not before. Who asks while another examines the same policy waits for that.
    pub fn of(&self, reading: &PolicyReading) -> Examination {
        let examine = || Arc::new(Examined::of(&reading.document));
        if reading.document.policy().is_some_and(|policy| policy.len() > MOST_KEPT_BYTES) {
            return examine();
        }
        // What failed for want of time may do better another time.
        let examine = || {
            let examined = examine();
            match &*examined {
                Err(reason) if !reason.lasts() => Err(examined),
                _ => Ok(examined),
            }
        };
        self.0.get_or_insert_with(&reading.digest, examine).unwrap_or_else(|passing| passing)
    }
}
