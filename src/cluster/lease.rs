//! The Lease: one replica at a time leads.
//!
//! The rules are those of client-go's leader election (`tools/leaderelection`): whose Lease has not changed for its duration has
//! lost it, measured by the observer's own steady clock from when it saw the last change, so that clocks need not agree; every
//! write is compare-and-swap; who ends in order gives the Lease back. The crates that there are for it were not taken:
//! kube-lease-manager and kube-leader-election compare the time written by the holder with the clock of the reader, and kubert's
//! is for another generation of kube.

use std::time::Duration;

use backon::{BackoffBuilder as _, ConstantBuilder};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::time::{Instant, sleep, timeout};

use super::leadership::Leadership;
use crate::http::Drain;

/// Its name, as the manifests have it.
pub const NAME: &str = "countersign";
/// How long a Lease counts that its holder does not renew.
const LEASE: Duration = Duration::from_secs(15);
/// A holder that could not renew for this long leads no longer: before anybody else may.
const RENEWED_WITHIN: Duration = Duration::from_secs(10);
/// Between two tries.
const RETRY: Duration = Duration::from_secs(2);
/// For one try.
const PATIENCE: Duration = Duration::from_secs(4);

/// Whose a Lease is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// Held by this replica.
    Mine,
    /// Held by nobody, or by somebody who has not renewed it in time.
    Free,
    /// Held by another.
    Theirs,
}

/// Whose the Lease is for `identity`, if it has been as it is for `unchanged`.
fn claim(spec: &LeaseSpec, identity: &str, unchanged: Duration) -> Claim {
    let holder = spec.holder_identity.as_deref().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let duration = seconds.map_or(LEASE, Duration::from_secs);
    match holder {
        "" => Claim::Free,
        holder if holder == identity => Claim::Mine,
        _ if unchanged > duration => Claim::Free,
        _ => Claim::Theirs,
    }
}

/// The Lease as `identity` holds it from `now` on.
fn held(before: &LeaseSpec, identity: &str, mine: bool, now: Timestamp) -> LeaseSpec {
    let transitions = before.lease_transitions.unwrap_or_default();
    LeaseSpec {
        holder_identity: Some(identity.to_owned()),
        lease_duration_seconds: i32::try_from(LEASE.as_secs()).ok(),
        renew_time: Some(MicroTime(now)),
        acquire_time: before.acquire_time.clone().filter(|_| mine).or(Some(MicroTime(now))),
        lease_transitions: Some(if mine { transitions } else { transitions.saturating_add(1) }),
        ..LeaseSpec::default()
    }
}

/// Takes part in the election.
pub(super) struct Candidate {
    leases: Api<Lease>,
    identity: String,
    leadership: Leadership,
    drain: Drain,
    /// The Lease as it was last seen, and since when it has been so.
    seen: Option<(LeaseSpec, Instant)>,
}

impl Candidate {
    /// The replica named `identity`, which gives the Lease back when `drain` begins.
    pub(super) fn new(client: Client, home: &str, identity: &str, leadership: Leadership, drain: Drain) -> Self {
        Self { leases: Api::namespaced(client, home), identity: identity.to_owned(), leadership, drain, seen: None }
    }

    /// Tries to lead, and to go on leading, until the process ends.
    pub(super) async fn run(mut self) {
        let mut renewed = Instant::now();
        let drain = self.drain.clone();
        let mut rests = ConstantBuilder::default().with_delay(RETRY).without_max_times().with_jitter().build();
        loop {
            let began = Instant::now();
            match timeout(PATIENCE, self.try_once()).await {
                Ok(Ok(true)) => {
                    renewed = began;
                    self.leadership.holds_until(began + RENEWED_WITHIN);
                }
                Ok(Ok(false)) => self.lose("another replica holds the Lease"),
                Ok(Err(kube::Error::Api(status))) if status.code == 404 => {
                    tracing::error!("nobody leads, there is no Lease {NAME}: apply what `countersign manifests` prints");
                }
                Ok(Err(error)) => {
                    tracing::warn!("the Lease {NAME} could not be read or renewed: {error}");
                }
                Err(_) => tracing::warn!("the Lease {NAME} could not be renewed: no answer within {PATIENCE:?}"),
            }
            if renewed.elapsed() >= RENEWED_WITHIN {
                self.lose("the Lease could not be renewed in time");
            }
            // A leader renews evenly; who waits does so with jitter, so that not all ask at once.
            let rest = if self.leadership.holds() { RETRY } else { rests.next().unwrap_or(RETRY) };
            tokio::select! {
                () = sleep(rest) => {}
                () = drain.begun() => return self.give_back().await,
            }
        }
    }

    fn lose(&self, because: &str) {
        if self.leadership.holds() {
            tracing::warn!("this replica leads no longer: {because}");
        }
        self.leadership.lost();
    }

    /// Takes or renews the Lease if that is possible; whether it is ours now.
    async fn try_once(&mut self) -> kube::Result<bool> {
        let mut lease = self.leases.get(NAME).await?;
        let spec = lease.spec.take().unwrap_or_default();
        let now = Instant::now();
        let since = match &self.seen {
            Some((seen, since)) if *seen == spec => *since,
            _ => now,
        };
        self.seen = Some((spec.clone(), since));
        let claim = claim(&spec, &self.identity, now.duration_since(since));
        if claim == Claim::Theirs {
            return Ok(false);
        }
        lease.spec = Some(held(&spec, &self.identity, claim == Claim::Mine, Timestamp::now()));
        self.write(&lease).await
    }

    /// Writes the Lease, if nobody has written it since it was read.
    async fn write(&mut self, lease: &Lease) -> kube::Result<bool> {
        match self.leases.replace(NAME, &PostParams::default(), lease).await {
            Ok(lease) => {
                self.seen = Some((lease.spec.unwrap_or_default(), Instant::now()));
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Leads no longer, and lets another lead at once.
    async fn give_back(mut self) {
        if !self.leadership.holds() {
            return;
        }
        self.leadership.lost();
        if let Ok(Err(error)) = timeout(PATIENCE, self.release()).await {
            tracing::warn!("the Lease could not be given back: another replica leads after {LEASE:?}: {error}");
        }
    }

    async fn release(&mut self) -> kube::Result<()> {
        let mut lease = self.leases.get(NAME).await?;
        let spec = lease.spec.take().unwrap_or_default();
        if spec.holder_identity.as_deref() == Some(&self.identity) {
            // Nobody, for one second, as client-go writes it.
            lease.spec = Some(LeaseSpec {
                holder_identity: Some(String::new()),
                lease_duration_seconds: Some(1),
                renew_time: Some(MicroTime(Timestamp::now())),
                ..spec
            });
            self.write(&lease).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(holder: &str) -> LeaseSpec {
        LeaseSpec { holder_identity: Some(holder.to_owned()), lease_duration_seconds: Some(15), ..LeaseSpec::default() }
    }

    #[test]
    fn a_lease_is_taken_when_nobody_holds_it_or_its_holder_has_been_silent_for_longer_than_it_lasts() {
        let none = Duration::ZERO;
        assert_eq!(claim(&LeaseSpec::default(), "a", none), Claim::Free);
        assert_eq!(claim(&of(""), "a", none), Claim::Free);
        assert_eq!(claim(&of("a"), "a", none), Claim::Mine);
        assert_eq!(claim(&of("b"), "a", none), Claim::Theirs);
        assert_eq!(claim(&of("b"), "a", Duration::from_secs(15)), Claim::Theirs);
        assert_eq!(claim(&of("b"), "a", Duration::from_secs(16)), Claim::Free);
    }

    #[test]
    fn the_time_that_the_holder_wrote_does_not_matter() {
        let long_ago = Some(MicroTime("2001-01-01T00:00:00Z".parse().unwrap()));
        let spec = LeaseSpec { renew_time: long_ago, ..of("b") };
        assert_eq!(claim(&spec, "a", Duration::from_secs(1)), Claim::Theirs, "its clock may be wrong");
    }

    #[test]
    fn taking_over_is_counted_and_renewing_is_not() {
        let now: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        let taken = held(&of("b"), "a", false, now);
        assert_eq!((taken.holder_identity.as_deref(), taken.lease_transitions), (Some("a"), Some(1)));
        let later = now + jiff::SignedDuration::from_secs(2);
        let renewed = held(&taken, "a", true, later);
        assert_eq!(renewed.lease_transitions, Some(1));
        assert_eq!((renewed.acquire_time, renewed.renew_time), (Some(MicroTime(now)), Some(MicroTime(later))));
    }
}
