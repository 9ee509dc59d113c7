//! The confidential pods that run now, for the first list of a cluster that runs some already.

use anyhow::Context as _;
use countersign_decision::configuration::Configuration;
use countersign_policy::{Limits, Measured};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::{Api, ListParams};

use super::Candidate;
use crate::args::ClusterArguments;
use crate::commands::cluster;
use crate::commands::explain::beside_the_policy;

/// Every policy that runs in the cluster. What cannot be listed is said on standard error, so that nobody takes the list for
/// complete.
pub(super) fn candidates(arguments: &ClusterArguments, configuration: &Configuration) -> anyhow::Result<Vec<Candidate>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = cluster::client(arguments).await?;
        running(&Api::all(client), configuration).await.context("cannot list the pods of the cluster")
    })
}

async fn running(pods: &Api<Pod>, configuration: &Configuration) -> anyhow::Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    cluster::each(pods, ListParams::default(), |pod| candidates.extend(candidate(&pod, configuration))).await?;
    candidates.sort();
    candidates.dedup_by(|a, b| (&a.namespace, &a.service_account, a.digest) == (&b.namespace, &b.service_account, b.digest));
    Ok(candidates)
}

/// A pod that runs on and carries a policy that can be read. One that has ended, is ending, or is the picture of a static pod, which
/// nobody can refuse, is no candidate; a confidential one without a policy that can be read is named and left out.
fn candidate(pod: &Pod, configuration: &Configuration) -> Option<Candidate> {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
    if !cluster::runs_on(phase, &pod.metadata) {
        return None;
    }
    let spec = pod.spec.as_ref()?;
    let title = format!("Pod/{}/{}", pod.namespace().unwrap_or_default(), pod.name_any());
    let carried = match Measured::carried(|key| pod.annotations().get(key).map(String::as_str)) {
        Ok(carried) => carried,
        Err(several) => {
            anstream::eprintln!("{title} is left out: {several}");
            return None;
        }
    };
    let Some((measured, annotation)) = carried else {
        if let Some(class) = spec.runtime_class_name.as_ref().filter(|class| configuration.is_confidential_class(class)) {
            anstream::eprintln!(
                "{title} is left out: it runs in {class} without a policy, and would be refused (policy-missing)"
            );
        }
        return None;
    };
    match measured.read(annotation, Limits::OFFLINE) {
        Ok(reading) => Some(Candidate {
            namespace: pod.namespace(),
            service_account: spec.service_account_name.clone().unwrap_or_else(|| "default".to_owned()),
            digest: reading.digest,
            title,
            name: Some(workload(pod)),
            beside: beside_the_policy(&reading),
        }),
        Err(malformed) => {
            anstream::eprintln!(
                "{title} is left out: its annotation {} is not {}: {malformed}",
                measured.annotation(),
                measured.noun()
            );
            None
        }
    }
}

/// What people know the pod by: what controls it, else itself; within the length that an entry's name may have.
fn workload(pod: &Pod) -> String {
    let owner = pod.owner_references().iter().find(|owner| owner.controller == Some(true));
    let name = owner.map_or_else(|| format!("Pod {}", pod.name_any()), |owner| format!("{} {}", owner.kind, owner.name));
    format!("as {name} ran").chars().take(128).collect()
}
