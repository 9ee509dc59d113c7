//! The certificate that each pod of Countersign serves: a port forward through the API server, and a TLS handshake in it.

use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::Api;
use tokio::time::timeout;

use super::unseen::{self, in_words};
use crate::certs::chain_over;
use crate::commands::doctor::snapshot::{Look, Served};
use crate::manifests::HTTPS_PORT;

/// How long the whole of it may take: the way is kubeconfig, API server, kubelet, pod.
const PATIENCE: Duration = Duration::from_secs(10);
const WHAT: &str = "create pods/portforward in the namespace of Countersign";

/// The chain of every running pod.
pub(super) async fn by(pods: &Api<Pod>, own: &Look<Vec<Pod>>, namespace: &str) -> Look<Vec<Served>> {
    let own = own.as_ref().map_err(Clone::clone)?;
    let running = own.iter().filter(|pod| {
        pod.metadata.deletion_timestamp.is_none()
            && pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running")
    });
    let host = format!("countersign.{namespace}.svc");
    let served = running.map(|pod| async {
        let name = pod.name_any();
        let chain = chain(pods, &name, &host).await?;
        Ok(Served { pod: name, chain })
    });
    join_all(served).await.into_iter().collect()
}

/// The chain that a pod serves: not to get there at all is another thing than a pod that does not answer as it should.
async fn chain(pods: &Api<Pod>, name: &str, host: &str) -> Look<Result<Vec<Vec<u8>>, String>> {
    let late = || format!("no answer within {} s", PATIENCE.as_secs());
    let unseen = |because: String| super::super::snapshot::Unseen {
        what: format!("reach pod {name} by port forward"),
        because,
        mend: "look at the node of the pod: `kubectl get nodes`; the API server reaches pods through its kubelet".to_owned(),
    };
    let mut forward = match timeout(PATIENCE, pods.portforward(name, &[HTTPS_PORT])).await {
        Err(_) => return Err(unseen(late())),
        Ok(Err(error @ kube::Error::UpgradeConnection(kube::client::UpgradeConnectionError::ProtocolSwitch(status))))
            if status.as_u16() == 403 =>
        {
            return Err(unseen::of(&error, WHAT));
        }
        Ok(Err(error)) => return Err(unseen(in_words(&error))),
        Ok(Ok(forward)) => forward,
    };
    let error = forward.take_error(HTTPS_PORT);
    let Some(stream) = forward.take_stream(HTTPS_PORT) else { return Err(unseen("there is no stream".to_owned())) };
    let chain = match timeout(PATIENCE, chain_over(stream, host)).await {
        Ok(Ok(chain)) => Ok(chain.iter().map(|certificate| certificate.to_vec()).collect()),
        Ok(Err(problem)) => Err(problem.to_string()),
        Err(_) => Err(late()),
    };
    let chain = match chain {
        Ok(chain) => Ok(chain),
        Err(problem) => {
            let told = match error {
                Some(error) => timeout(Duration::from_secs(1), error).await.ok().flatten(),
                None => None,
            };
            Err(told.unwrap_or(problem))
        }
    };
    forward.abort();
    Ok(chain)
}
