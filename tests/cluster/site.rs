//! The cluster that all scenes share, and how they wait.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use countersign_harness::{Cluster, Options, stage, static_binary};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::Client;
use kube::api::{Api, ListParams};
use tokio::runtime::Runtime;

use crate::pods;

/// Where the scenes create their pods, beside the tutorial's own namespace.
pub(crate) const NAMESPACE: &str = "bad-days";

/// Where Countersign lives.
pub(crate) const HOME: &str = "countersign-system";

/// How long something may take that happens by itself; nothing waits that long when all is well.
pub(crate) const DEADLINE: Duration = Duration::from_secs(90);

/// A cluster with Countersign installed, and what the scenes assume.
pub(crate) struct Site {
    pub(crate) cluster: Cluster,
    runtime: Runtime,
}

impl Site {
    /// Boots, installs, and lists the policy that the scenes' pods carry.
    pub(crate) fn open() -> Result<Self> {
        let product = static_binary()?;
        let cluster = Cluster::boot(&Options::default(), &product)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let site = Self { cluster, runtime };
        site.add_namespace(NAMESPACE, "default")?;
        site.install()?;
        Ok(site)
    }

    /// Installs Countersign as a user does, and waits until the API server reaches it.
    pub(crate) fn install(&self) -> Result<()> {
        stage("Countersign: manifests applied, all replicas ready", || self.cluster.install())?;
        self.cluster.kubectl_with_input(&["apply", "--server-side", "-f", "-"], &pods::allow_list())?;
        // kube-proxy knows the replicas a moment after they are ready.
        self.run(async |client| self.until_admitting(&client).await)?;
        Ok(())
    }

    /// A namespace in which this service account can be used.
    pub(crate) fn add_namespace(&self, name: &str, account: &str) -> Result<()> {
        self.cluster.kubectl(&["create", "namespace", name])?;
        if account != "default" {
            self.cluster.kubectl(&["-n", name, "create", "serviceaccount", account])?;
        }
        // A controller makes this one.
        self.run(async |client| {
            let accounts = Api::<ServiceAccount>::namespaced(client, name);
            until("the default service account", async || Ok(accounts.get_opt("default").await?)).await
        })?;
        Ok(())
    }

    /// Runs asynchronous work with a new client for `admin`.
    pub(crate) fn run<T>(&self, work: impl AsyncFnOnce(Client) -> Result<T>) -> Result<T> {
        self.runtime.block_on(async { work(self.cluster.api().client()?).await })
    }

    /// Waits until a new confidential pod is admitted; returns how long that took. The probe is not stored.
    pub(crate) async fn until_admitting(&self, client: &Client) -> Result<Duration> {
        let started = Instant::now();
        let pods = Api::<Pod>::namespaced(client.clone(), NAMESPACE);
        until("a confidential pod is admitted", async || {
            Ok(pods.create(&pods::dry_run(), &pods::confidential("probe")).await.ok())
        })
        .await?;
        Ok(started.elapsed())
    }
}

/// How many replicas are ready, and how many there should be.
pub(crate) async fn replicas(client: &Client) -> Result<(i32, i32)> {
    let deployment = Api::<Deployment>::namespaced(client.clone(), HOME).get("countersign").await?;
    let ready = deployment.status.and_then(|status| status.ready_replicas).unwrap_or_default();
    Ok((ready, deployment.spec.and_then(|spec| spec.replicas).unwrap_or_default()))
}

/// The pods of Countersign, terminating ones too.
pub(crate) async fn countersign_pods(client: &Client) -> Result<Vec<Pod>> {
    let selected = ListParams::default().labels("app.kubernetes.io/name=countersign");
    Ok(Api::<Pod>::namespaced(client.clone(), HOME).list(&selected).await?.items)
}

/// Asks again until there is an answer. An error of the question itself ends the wait.
pub(crate) async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    until_within(DEADLINE, what, ask).await
}

/// The same within another time.
pub(crate) async fn until_within<T>(limit: Duration, what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            bail!("not within {} s: {what}", limit.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
