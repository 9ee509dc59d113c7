//! Policies that were prepared before, so that a known one costs its pods a comparison and no parsing.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::Coverage;
use crate::digest::Digest;
use crate::reading::PolicyReading;

/// How many policies are kept prepared: each takes about a megabyte.
const POLICIES: usize = 32;

/// The policies that were prepared before, by digest; those not asked for make room.
#[derive(Debug)]
pub struct SeenCoverage(Cache<Digest, Option<Arc<Coverage>>>);

impl Default for SeenCoverage {
    fn default() -> Self {
        Self(Cache::new(POLICIES))
    }
}

impl SeenCoverage {
    /// A policy prepared for comparisons; `None` where it has nothing to compare with. Who asks while another prepares the same policy
    /// waits for that.
    pub fn of(&self, reading: &PolicyReading) -> Option<Arc<Coverage>> {
        let prepare = || match Coverage::prepared(&reading.document) {
            // What failed for want of time may do better another time.
            Err(reason) if !reason.lasts() => Err(()),
            prepared => Ok(prepared.ok().flatten().map(Arc::new)),
        };
        self.0.get_or_insert_with(&reading.digest, prepare).unwrap_or_default()
    }
}
