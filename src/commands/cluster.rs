//! The cluster of the user's kubeconfig, for the commands that look into one.

use std::time::Duration;

use anyhow::Context as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::args::ClusterArguments;

/// How long the API server may take to connect, and to say something.
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_mins(1);

/// A client for the cluster that the arguments name: a file and a context of it; without them what kubectl would take, or in a
/// pod its service account. Nothing is sent yet.
pub(super) async fn client(arguments: &ClusterArguments) -> anyhow::Result<Client> {
    let options = KubeConfigOptions { context: arguments.context.clone(), ..KubeConfigOptions::default() };
    let mut config = match (&arguments.kubeconfig, &arguments.context) {
        (Some(path), _) => {
            let file = Kubeconfig::read_from(path).with_context(|| format!("cannot use {}", path.display()))?;
            Config::from_custom_kubeconfig(file, &options).await.with_context(|| format!("cannot use {}", path.display()))?
        }
        (None, Some(_)) => Config::from_kubeconfig(&options).await.context("no cluster")?,
        (None, None) => Config::infer().await.context("no cluster: give --kubeconfig FILE, or set KUBECONFIG")?,
    };
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(ANSWER);
    Client::try_from(config).context("the kubeconfig cannot be used")
}
