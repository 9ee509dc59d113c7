//! What a replica is beside a server: a follower of the cluster, and a candidate for its leadership.

use std::net::SocketAddr;
use std::sync::Arc;

use countersign_decision::configuration::Configuration;

use super::Parts;
use crate::certs::CertSource;
use crate::cluster::{self, Member, Part};
use crate::evaluator::Separate;
use crate::exec_door::ExecDoor;
use crate::http::{Drain, Gate};
use crate::knowledge::Knowledge;

/// Connects, and begins to follow the cluster. `listens` is where the API server reaches this replica; `exec_door` says whether ways into
/// pods are judged.
pub(super) async fn join(
    configuration: Arc<Configuration>,
    source: Option<CertSource>,
    listens: SocketAddr,
    exec_door: bool,
    drain: &Drain,
) -> anyhow::Result<(Parts, Member)> {
    let (client, home) = cluster::connect().await?;
    let knowledge = Arc::new(Knowledge::of_cluster(configuration, &home).evaluating(Separate::by_this_program()));
    // A certificate for loopback is for trying out: no caBundle can verify it by the Service's name.
    let tried_out = matches!(source, Some(CertSource::SelfSigned { .. }));
    let own = source.is_none();
    let mut parts = Parts::with(Arc::clone(&knowledge), source)?;
    if !tried_out {
        parts.gate = Gate::closed("the certificate has not been looked at yet");
    }
    if exec_door {
        parts.exec = Some(Arc::new(ExecDoor::new(client.clone(), Arc::clone(&knowledge))));
    }
    let member = cluster::take_part(Part {
        client,
        home,
        identity: cluster::identity(),
        knowledge,
        metrics: Arc::clone(&parts.metrics),
        drain: drain.clone(),
        own: own.then(|| Arc::clone(&parts.certificates.served)),
        gate: (!tried_out).then(|| (parts.gate.clone(), listens)),
    });
    Ok((parts, member))
}
