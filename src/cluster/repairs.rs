//! How often a `caBundle` is put right: at once, but a fight over it does not become a storm.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest rest after a repair.
const BREATH: Duration = Duration::from_millis(200);
/// So many repairs in a row are made at once; somebody who goes on changing it is answered ever more rarely.
const PROMPT: u32 = 5;
/// The longest rest in such a fight, and how long a peace must last to end it.
const TRUCE: Duration = Duration::from_secs(30);
const PEACE: Duration = Duration::from_mins(2);

/// How often a `caBundle` was put right in a row.
#[derive(Default)]
pub(super) struct Repairs {
    latest: Option<Instant>,
    number: u32,
}

impl Repairs {
    /// How long to rest after one more.
    pub(super) fn rest(&mut self, now: Instant) -> Duration {
        if self.latest.is_none_or(|latest| now.duration_since(latest) >= PEACE) {
            self.number = 0;
        }
        self.latest = Some(now);
        self.number = self.number.saturating_add(1);
        BREATH.saturating_mul(2_u32.saturating_pow(self.number.saturating_sub(PROMPT))).min(TRUCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fight_over_a_bundle_is_fought_ever_more_rarely_and_forgotten_after_a_peace() {
        let mut repairs = Repairs::default();
        let mut now = Instant::now();
        let rests: Vec<_> = (0..20)
            .map(|_| {
                let rest = repairs.rest(now);
                now += rest;
                rest
            })
            .collect();
        assert_eq!(rests[..5], [BREATH; 5], "what somebody does by hand is put right at once");
        assert!(rests.is_sorted() && rests[19] == TRUCE, "{rests:?}");
        assert_eq!(repairs.rest(now + PEACE), BREATH);
    }
}
