//! The way to the API server, and the product's own namespace.

use std::path::Path;

use kube::{Client, Config};

use crate::knowledge::HOME;

/// Where a pod finds its namespace. Source: Kubernetes, "Accessing the API from a Pod".
const SERVICE_ACCOUNT_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// There is no way to an API server.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Neither a kubeconfig nor a service account.
    #[error(
        "no cluster: {0}; run it in a pod with a service account, set KUBECONFIG, or add --standalone --allow-list FILE to run without a cluster"
    )]
    NoCluster(#[from] kube::config::InferConfigError),
    /// A configuration that no client can be made of.
    #[error("the client configuration of the cluster cannot be used: {0}")]
    Unusable(#[source] kube::Error),
}

/// A client from `KUBECONFIG`, `~/.kube/config` or the pod's service account, in this order, and the namespace that holds the
/// allow-list: from the environment variable `POD_NAMESPACE`, the service account, or the kubeconfig's context, else
/// [`HOME`]. Nothing is sent yet.
pub async fn connect() -> Result<(Client, String), ConnectError> {
    let config = Config::infer().await?;
    let home = home(
        std::env::var("POD_NAMESPACE").ok().as_deref(),
        read(Path::new(SERVICE_ACCOUNT_NAMESPACE)).as_deref(),
        &config.default_namespace,
    );
    let client = Client::try_from(config).map_err(ConnectError::Unusable)?;
    Ok((client, home))
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// `context` is what kube makes of the kubeconfig: `default` also where it names no namespace.
fn home(pod_namespace: Option<&str>, service_account: Option<&str>, context: &str) -> String {
    let named = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    pod_namespace
        .and_then(named)
        .or_else(|| service_account.and_then(named))
        .or_else(|| named(context).filter(|context| context != "default"))
        .unwrap_or_else(|| HOME.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_namespace_is_the_pods_then_the_contexts_then_the_manifests() {
        assert_eq!(home(Some("a"), Some("b"), "c"), "a");
        assert_eq!(home(Some(""), Some("default\n"), "c"), "default");
        assert_eq!(home(None, None, "c"), "c");
        assert_eq!(home(None, None, "default"), HOME);
    }
}
