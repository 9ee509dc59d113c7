//! Over an older installation, away, and back: what is the user's stays, and what is Countersign's goes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use countersign_harness::MANIFESTS;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, PostParams};

use crate::pods;
use crate::site::{HOME, NAMESPACE, Site, until};

/// Every kind that the manifests may bring outside of the namespace.
const CLUSTER_WIDE: &str = "mutatingwebhookconfigurations,validatingwebhookconfigurations,clusterroles,clusterrolebindings,\
                            priorityclasses,validatingadmissionpolicies,validatingadmissionpolicybindings,namespaces";

/// What a running leader might write again, it would have written by then.
const AFTERWARDS: Duration = Duration::from_secs(5);

pub(crate) fn play(site: &mut Site) -> Result<String> {
    let manifest = Path::new(MANIFESTS).join("install.yaml");
    let older = older(site, &manifest)?;
    apply(site, &older)?;
    site.cluster.wait_until_rolled_out()?;
    ensure!(timeout(site)? == "3", "the older installation is there: {}", timeout(site)?);
    let list = allow_list(site)?;

    apply(site, &manifest)?;
    let updated = site.cluster.wait_until_rolled_out()?;
    ensure!(timeout(site)? == "5", "the update wrote the timeout: {}", timeout(site)?);
    ensure!(list.contains("sha256:") && allow_list(site)? == list, "the update kept the allow-list: {}", allow_list(site)?);
    site.run(async |client| site.until_admitting(&client).await)?;

    let started = Instant::now();
    let configurations = ["mutatingwebhookconfiguration,validatingwebhookconfiguration", "countersign"];
    site.cluster.kubectl(&["delete", configurations[0], configurations[1]])?;
    site.cluster.kubectl(&["delete", "--ignore-not-found", "-f", &manifest.to_string_lossy()])?;
    let removed = started.elapsed();
    std::thread::sleep(AFTERWARDS);
    let left = ["get", CLUSTER_WIDE, "-l", "app.kubernetes.io/name=countersign", "-o", "name"];
    let left = site.cluster.kubectl(&left)?;
    ensure!(left.is_empty(), "left behind: {left}");
    site.run(async |client| {
        let pods = Api::<Pod>::namespaced(client, NAMESPACE);
        let stored = pods.create(&PostParams::default(), &pods::with_policy("nobody-asks", "bm90IGxpc3RlZA==")).await?;
        ensure!(stored.spec.is_some_and(|spec| spec.containers.len() == 1), "nobody completes pods any more");
        pods.delete("nobody-asks", &pods::at_once()).await?;
        let namespaces = Api::<k8s_openapi::api::core::v1::Namespace>::all(pods.into_client());
        until("the namespace is gone", async || Ok(namespaces.get_opt(HOME).await?.is_none().then_some(()))).await
    })?;

    site.install()?;
    site.run(async |client| site.until_admitting(&client).await)?;
    Ok(format!(
        "updated in {:.0} s, removed in {:.0} s with nothing left behind, installed anew",
        updated.as_secs_f64(),
        removed.as_secs_f64()
    ))
}

fn apply(site: &Site, manifest: &Path) -> Result<()> {
    site.cluster.kubectl(&["apply", "--server-side", "-f", &manifest.to_string_lossy()])?;
    Ok(())
}

/// The shipped manifests as an earlier release may have had them: two replicas, another timeout, no disruption budget field.
fn older(site: &Site, manifest: &Path) -> Result<PathBuf> {
    let shipped = fs::read_to_string(manifest)?;
    let older = shipped.replace("replicas: 3", "replicas: 2").replace("timeoutSeconds: 5", "timeoutSeconds: 3");
    ensure!(older.contains("replicas: 2") && older.contains("timeoutSeconds: 3"), "the manifests changed their form");
    let path = site.cluster.api().folder().join("older.yaml");
    fs::write(&path, older)?;
    Ok(path)
}

fn timeout(site: &Site) -> Result<String> {
    let path = "jsonpath={.webhooks[0].timeoutSeconds}";
    site.cluster.kubectl(&["get", "mutatingwebhookconfiguration", "countersign", "-o", path])
}

/// The entries that the security team wrote.
fn allow_list(site: &Site) -> Result<String> {
    site.cluster.kubectl(&["-n", HOME, "get", "configmap", "allow-list-scenes", "-o", "jsonpath={.data}"])
}
