//! The cluster of the user's kubeconfig, for the commands that look into one.

use std::time::Duration;

use anyhow::Context as _;
use countersign_decision::labels;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::args::ClusterArguments;

/// How long the API server may take to connect, and to say something.
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_mins(1);
/// How many objects are asked for at a time.
const PAGE: u32 = 500;

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

/// Gives every object of a list to `take`, page by page.
pub(super) async fn each<K>(api: &Api<K>, chosen: ListParams, mut take: impl FnMut(K)) -> kube::Result<()>
where
    K: Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let mut page = chosen.limit(PAGE);
    loop {
        let list = api.list(&page).await?;
        list.items.into_iter().for_each(&mut take);
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(()),
        }
    }
}

/// Whether a pod runs on and could have been refused: it has not ended, is not ending, and is not the picture of a static pod.
pub(super) fn runs_on(phase: &str, pod: &ObjectMeta) -> bool {
    let mirrored = pod.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(labels::MIRROR));
    !matches!(phase, "Succeeded" | "Failed") && pod.deletion_timestamp.is_none() && !mirrored
}
