//! What is told of refused callers: each is counted, and one a second is logged, since whoever reaches the port can make as many as
//! they like.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::metrics::{Metrics, RefusedCaller, RefusedCallerLabels};

/// The time between two lines of the log.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Account {
    metrics: Arc<Metrics>,
    told: Mutex<Told>,
}

/// When a line was written last, and how many refusals were not told since.
#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    untold: u64,
}

impl Account {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, told: Mutex::default() }
    }

    /// Counts a refusal, and writes it to the log if it is time for a line. `names` is what the certificate says of its owner.
    pub(super) fn refused(&self, cause: RefusedCaller, names: &str) {
        self.metrics.client_certificates_refused.get_or_create(&RefusedCallerLabels { cause }).inc();
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).tell(Instant::now());
        if let Some(untold) = told {
            tracing::warn!(cause = cause.as_str(), names, untold, "refused a caller by its client certificate");
        }
    }
}

impl Told {
    /// How many were not told since the last line, if it is time for another one.
    fn tell(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < PAUSE) {
            self.untold += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_is_written_and_says_how_many_were_not() {
        let (mut told, began) = (Told::default(), Instant::now());
        let told = [0, 1, 999, 1000, 1999, 2000].map(|millis| told.tell(began + Duration::from_millis(millis)));
        assert_eq!(told, [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
