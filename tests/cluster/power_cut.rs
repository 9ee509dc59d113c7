//! The whole machine stops at once and starts again: API server, node and Countersign, whose pods the webhook must not block.

use std::time::{Duration, Instant};

use anyhow::Result;
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;

use crate::pods;
use crate::site::{NAMESPACE, Site, countersign_pods, replicas, until_within};

/// How long all of it may take.
const BACK_WITHIN: Duration = Duration::from_mins(4);

pub(crate) fn play(site: &mut Site) -> Result<String> {
    site.run(async |client| {
        // An ordinary pod that runs when it happens.
        let pods = Api::<Pod>::namespaced(client, NAMESPACE);
        pods.create(&kube::api::PostParams::default(), &pods::ordinary("bystander")).await?;
        until_within(BACK_WITHIN, "the bystander runs", async || Ok(pods.get_opt("bystander").await?.filter(pods::is_ready)))
            .await
    })?;
    site.cluster.stop();
    let started = Instant::now();
    site.cluster.start()?;
    let node = started.elapsed();
    site.run(async |client| {
        // The stored status is that of the time before: only what was started since then counts.
        until_within(BACK_WITHIN, "every container was started again", async || {
            let mut all = countersign_pods(&client).await?;
            all.extend(Api::<Pod>::namespaced(client.clone(), NAMESPACE).get_opt("bystander").await?);
            Ok(all.iter().all(|pod| pods::is_ready(pod) && pods::restarts(pod) > 0).then_some(()))
        })
        .await?;
        until_within(BACK_WITHIN, "all replicas are ready", async || Ok((replicas(&client).await? == (3, 3)).then_some(())))
            .await?;
        site.until_admitting(&client).await?;
        let admitting = started.elapsed();
        Api::<Pod>::namespaced(client, NAMESPACE).delete("bystander", &pods::at_once()).await?;
        Ok(format!(
            "node ready after {:.0} s, all replicas ready and confidential pods admitted after {:.0} s",
            node.as_secs_f64(),
            admitting.as_secs_f64()
        ))
    })
}
