//! One replica is killed with SIGKILL: it says goodbye to nobody.
//!
//! The API server does not try again when a connection breaks, so creations that ask this replica fail, but only until it is
//! no longer listed or runs again.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::load::under_load;
use crate::pods::restarts;
use crate::process::process_of;
use crate::site::{Site, countersign_pods, replicas, until};

/// How many creations there are at least.
const CREATIONS: usize = 750;

/// From the first failure to the last: the kubelet sees the end of a container within a second or two, and so on down the line.
const FAILURES_WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn play(site: &mut Site) -> Result<String> {
    let site = &*site;
    site.run(async |client| {
        site.until_admitting(&client).await?;
        let accident = async {
            // Connections to all replicas are in use by then.
            tokio::time::sleep(Duration::from_secs(5)).await;
            let pod = countersign_pods(&client).await?.into_iter().next().context("no replica runs")?;
            let victim = process_of(site, &pod)?;
            let id = victim.file_name().context("no process id")?;
            ensure!(Command::new("kill").arg("-KILL").arg(id).status()?.success(), "cannot kill {}", victim.display());
            let killed = Instant::now();
            until("it was started again, and all replicas are ready", async || {
                let now = countersign_pods(&client).await?.into_iter().find(|now| now.metadata.uid == pod.metadata.uid);
                let again = now.is_some_and(|now| restarts(&now) > restarts(&pod));
                Ok((again && replicas(&client).await? == (3, 3)).then_some(()))
            })
            .await?;
            Ok(killed.elapsed())
        };
        let (healed, tally) = under_load(site, CREATIONS, accident).await?;
        ensure!(tally.created + tally.failures() >= CREATIONS && tally.failures_lasted() < FAILURES_WITHIN, "{tally}");
        Ok(format!("{tally}; 3/3 ready {:.1} s after the kill", healed.as_secs_f64()))
    })
}
