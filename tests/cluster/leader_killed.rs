//! The replica that holds the Lease is killed with SIGKILL, and its pod never comes back.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;

use crate::load::under_load;
use crate::pods;
use crate::process::process_of;
use crate::site::{HOME, Site, countersign_pods, until};

/// How many creations there are at least.
const CREATIONS: usize = 750;

/// A Lease is over 15 seconds after it was last renewed; the others look every two, and the machine may be busy.
const ANOTHER_WITHIN: Duration = Duration::from_secs(25);

/// From the first failure to the last: as long as the dead endpoint is listed.
const FAILURES_WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn play(site: &mut Site) -> Result<String> {
    let site = &*site;
    site.run(async |client| {
        site.until_admitting(&client).await?;
        let leases = Api::<Lease>::namespaced(client.clone(), HOME);
        let accident = async {
            // Connections to all replicas are in use by then.
            tokio::time::sleep(Duration::from_secs(5)).await;
            let leader = holder(&leases).await?;
            let pods = countersign_pods(&client).await?;
            let pod = pods.into_iter().find(|pod| pod.metadata.name.as_ref() == Some(&leader));
            let victim = process_of(site, &pod.with_context(|| format!("no pod is named {leader}, as the Lease says"))?)?;
            let id = victim.file_name().context("no process id")?;
            ensure!(Command::new("kill").arg("-KILL").arg(id).status()?.success(), "cannot kill {}", victim.display());
            let killed = Instant::now();
            // Else the kubelet starts it again, and it still holds the Lease.
            Api::<Pod>::namespaced(client.clone(), HOME).delete(&leader, &pods::at_once()).await?;
            let next = until("another replica leads", async || {
                Ok(Some(holder(&leases).await?).filter(|now| !now.is_empty() && *now != leader))
            });
            let next = next.await?;
            let led_after = killed.elapsed();
            ensure!(next != leader && led_after < ANOTHER_WITHIN, "{next} leads after {led_after:?}");
            tokio::task::block_in_place(|| site.cluster.wait_until_rolled_out())?;
            Ok(led_after)
        };
        let (led_after, tally) = under_load(site, CREATIONS, accident).await?;
        ensure!(tally.created + tally.failures() >= CREATIONS && tally.failures_lasted() < FAILURES_WITHIN, "{tally}");
        Ok(format!("another leads {:.1} s after the kill; {tally}", led_after.as_secs_f64()))
    })
}

/// The pod that holds the Lease; empty between two.
async fn holder(leases: &Api<Lease>) -> Result<String> {
    Ok(leases.get("countersign").await?.spec.and_then(|spec| spec.holder_identity).unwrap_or_default())
}
