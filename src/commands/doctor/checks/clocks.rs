//! The clocks agree: the API server's, this machine's, and those of the nodes that run Countersign.
//!
//! Why: a certificate that is fresh here is not valid yet there; entries of the allow-list end at a time; a Lease of another time is
//! taken over by two.
//! Reads: the `Date` of the API server's answer; the time that each node writes into its Lease every ten seconds.
//! Source: Kubernetes, "Leases" (node heartbeats; a Lease lasts 40 seconds).

use jiff::SignedDuration;

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

/// A minute apart: the answer takes a while, and `Date` has whole seconds.
const APART: SignedDuration = SignedDuration::from_secs(60);
/// A node renews its Lease every ten seconds; a time this far ahead of the API server is not its.
const AHEAD: SignedDuration = SignedDuration::from_secs(15);
/// Six renewals missed.
const BEHIND: SignedDuration = SignedDuration::from_secs(90);

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let mut findings = Vec::new();
    let here = snapshot.local.duration_since(snapshot.now);
    if here.abs() > APART {
        findings.push(Finding::wrong(
            format!("this machine's clock is {} the API server's", apart(here)),
            "timedatectl status    # on both: one of the two is not synchronised",
        ));
    }
    match &snapshot.leases {
        Err(unseen) => findings.push(Finding::unknown(unseen)),
        Ok(leases) => findings.extend(leases.iter().filter_map(|lease| {
            let node = lease.metadata.name.as_deref().unwrap_or_default();
            let renewed = lease.spec.as_ref()?.renew_time.as_ref()?.0;
            let off = renewed.duration_since(snapshot.now);
            let next = format!("kubectl describe node {node}    # then, on the node: timedatectl status");
            if off > AHEAD {
                Some(Finding::wrong(format!("the clock of node {node}, which runs Countersign, is {} the API server's", apart(off)), next))
            } else if off < -BEHIND {
                let behind = format!(
                    "node {node}, which runs Countersign, renewed its Lease {} the API server's time: its clock is behind, or it is gone",
                    apart(off)
                );
                Some(Finding::wrong(behind, next))
            } else {
                None
            }
        })),
    }
    Examined::new("the clocks of the API server, of this machine and of Countersign's nodes agree", findings)
}

fn apart(off: SignedDuration) -> String {
    let seconds = SignedDuration::from_secs(off.as_secs().saturating_abs());
    format!("{seconds:#} {}", if off.is_negative() { "behind" } else { "ahead of" })
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

    use super::super::healthy::healthy;
    use super::super::tests::findings;

    #[test]
    fn a_clock_of_this_machine_that_is_off_is_told() {
        let mut snapshot = healthy();
        snapshot.local = snapshot.now + 5.minutes();
        assert_eq!(findings("clocks", &snapshot)[0].problem, "this machine's clock is 5m ahead of the API server's");
    }

    #[test]
    fn a_node_whose_lease_is_of_another_time_is_told() {
        let mut snapshot = healthy();
        let renewed = snapshot.now + 10.minutes();
        snapshot.leases.as_mut().unwrap()[0].spec.as_mut().unwrap().renew_time = Some(MicroTime(renewed));
        assert_eq!(
            findings("clocks", &snapshot)[0].problem,
            "the clock of node node-1, which runs Countersign, is 10m ahead of the API server's"
        );
        let renewed = snapshot.now - 10.minutes();
        snapshot.leases.as_mut().unwrap()[0].spec.as_mut().unwrap().renew_time = Some(MicroTime(renewed));
        assert!(findings("clocks", &snapshot)[0].problem.contains("renewed its Lease 10m behind the API server's time"));
    }
}
