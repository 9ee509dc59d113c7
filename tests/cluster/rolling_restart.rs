//! All replicas are replaced, one after another, while pods are created.

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::load::under_load;
use crate::site::{Site, countersign_pods, until};

/// How many creations there are at least.
const CREATIONS: usize = 1000;

pub(crate) fn play(site: &mut Site) -> Result<String> {
    let site = &*site;
    site.run(async |client| {
        site.until_admitting(&client).await?;
        let before = names(&countersign_pods(&client).await?);
        let restart = async {
            let started = Instant::now();
            let restart = ["-n", "countersign-system", "rollout", "restart", "deployment/countersign"];
            tokio::task::block_in_place(|| {
                site.cluster.kubectl(&restart)?;
                site.cluster.wait_until_rolled_out()
            })?;
            // The old replicas drain and end after the new ones are ready: that is when connections are lost, or not.
            until("the old replicas have ended", async || {
                let now = names(&countersign_pods(&client).await?);
                Ok(now.iter().all(|name| !before.contains(name)).then_some(()))
            })
            .await?;
            Ok(started.elapsed())
        };
        let (took, tally) = under_load(site, CREATIONS, restart).await?;
        ensure!(tally.failures() == 0 && tally.created >= CREATIONS, "{tally}");
        Ok(format!("{tally}; all three replicas replaced after {:.0} s", took.as_secs_f64()))
    })
}

fn names(pods: &[k8s_openapi::api::core::v1::Pod]) -> Vec<String> {
    pods.iter().filter_map(|pod| pod.metadata.name.clone()).collect()
}
