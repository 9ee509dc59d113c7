//! The confidential pods that run now, for the first list of a cluster that runs some already.

use anyhow::Context as _;
use countersign_policy::Measured;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt as _};

use super::Candidate;

/// Every policy that runs in the cluster of the user's kubeconfig.
pub(super) fn candidates() -> anyhow::Result<Vec<Candidate>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::try_default().await.context("cannot reach a cluster: is the kubeconfig right?")?;
        running(&Api::all(client)).await.context("cannot list the pods of the cluster")
    })
}

async fn running(pods: &Api<Pod>) -> anyhow::Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    let mut page = ListParams::default().limit(500);
    loop {
        let list = pods.list(&page).await?;
        candidates.extend(list.items.iter().filter_map(candidate));
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => break,
        }
    }
    candidates.sort();
    candidates.dedup_by(|a, b| (&a.namespace, &a.service_account, a.digest) == (&b.namespace, &b.service_account, b.digest));
    Ok(candidates)
}

/// A pod that has not ended and carries a policy that can be read; one that cannot be read is named and left out.
fn candidate(pod: &Pod) -> Option<Candidate> {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
    let measured = Measured::AgentPolicy;
    let annotation = pod.annotations().get(measured.annotation()).filter(|_| !matches!(phase, "Succeeded" | "Failed"))?;
    let title = format!("Pod/{}/{}", pod.namespace().unwrap_or_default(), pod.name_any());
    match measured.read(annotation, usize::MAX) {
        Ok(reading) => Some(Candidate {
            namespace: pod.namespace(),
            service_account: pod
                .spec
                .as_ref()
                .and_then(|spec| spec.service_account_name.clone())
                .unwrap_or_else(|| "default".to_owned()),
            digest: reading.digest,
            title,
        }),
        Err(malformed) => {
            anstream::eprintln!("{title} is left out: its policy annotation {malformed}");
            None
        }
    }
}
