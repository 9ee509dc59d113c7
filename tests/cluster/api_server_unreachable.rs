//! The replicas cannot reach the API server, which still reaches them: a partition in one direction.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use crate::pods;
use crate::site::{HOME, NAMESPACE, Site, countersign_pods, replicas, until};

/// How long it lasts.
const LASTS: Duration = Duration::from_mins(1);

/// How often a pod is created meanwhile.
const EVERY: Duration = Duration::from_secs(1);

/// The metric of the last word from the API server, by watch.
const HEARD: &str = "countersign_watch_last_heard_timestamp_seconds";

pub(crate) fn play(site: &mut Site) -> Result<String> {
    let site = &*site;
    site.run(async |client| {
        site.until_admitting(&client).await?;
        let cut = Cut::between(site, &countersign_pods(&client).await?)?;
        // What was on its way has arrived.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let since = now();
        let admitted = answers_meanwhile(&client).await?;
        ensure!(replicas(&client).await? == (3, 3), "{:?} are ready", replicas(&client).await?);
        for (watch, heard) in last_heard(&client).await? {
            ensure!(heard < since, "{watch} heard something {:.0} s after the cut", heard - since);
        }
        drop(cut);

        // What changes now has to come into force by itself.
        let healed = now();
        let mended = Instant::now();
        let list = Api::<ConfigMap>::namespaced(client.clone(), HOME);
        let unlisted = pods::with_policy("unlisted", "cGFja2FnZSBhZ2VudF9wb2xpY3kK");
        let all = Api::<Pod>::namespaced(client.clone(), NAMESPACE);
        let entry = |data| Patch::Merge(json!({"data": {"later.yaml": data}}));
        let digest = refused_digest(&all, &unlisted).await?;
        let later = json!([{"digest": digest, "namespaces": [NAMESPACE]}]).to_string();
        list.patch("allow-list-scenes", &PatchParams::default(), &entry(Some(later))).await?;
        // Each creation asks one replica: several in a row ask all.
        let mut in_a_row = 0;
        until("the new entry is in force everywhere", async || {
            in_a_row = if all.create(&pods::dry_run(), &unlisted).await.is_ok() { in_a_row + 1 } else { 0 };
            let heard = last_heard(&client).await?;
            Ok((in_a_row >= 5 && heard.values().all(|heard| *heard >= healed)).then_some(()))
        })
        .await?;
        let recovered = mended.elapsed();
        list.patch("allow-list-scenes", &PatchParams::default(), &entry(None)).await?;
        Ok(format!(
            "{admitted} creations in {} s without a word from the API server, 0 failed; new facts {:.1} s after the end",
            LASTS.as_secs(),
            recovered.as_secs_f64()
        ))
    })
}

/// Listed pods are admitted, others refused, all the time.
async fn answers_meanwhile(client: &Client) -> Result<usize> {
    let all = Api::<Pod>::namespaced(client.clone(), NAMESPACE);
    let (listed, unlisted) = (pods::confidential("listed"), pods::with_policy("unlisted", "cGFja2FnZSBhZ2VudF9wb2xpY3kK"));
    let end = Instant::now() + LASTS;
    let mut admitted = 0;
    while Instant::now() < end {
        all.create(&pods::dry_run(), &listed).await.context("a listed pod, from the last facts")?;
        admitted += 1;
        refused_digest(&all, &unlisted).await?;
        tokio::time::sleep(EVERY).await;
    }
    Ok(admitted)
}

/// The digest in the refusal of an unlisted pod.
async fn refused_digest(all: &Api<Pod>, unlisted: &Pod) -> Result<String> {
    let refused = all.create(&pods::dry_run(), unlisted).await.err().context("an unlisted pod was admitted")?.to_string();
    let digest = refused.split_once("policy-not-allowed: policy digest ").and_then(|(_, rest)| rest.split_once(' '));
    Ok(digest.with_context(|| refused.clone())?.0.to_owned())
}

/// When each watch of each replica last heard from the API server, as the replicas' own metrics say. Seconds of Unix time.
async fn last_heard(client: &Client) -> Result<BTreeMap<String, f64>> {
    let mut heard = BTreeMap::new();
    for pod in countersign_pods(client).await? {
        let name = pod.metadata.name.context("a replica without a name")?;
        let path = format!("/api/v1/namespaces/{HOME}/pods/{name}:8080/proxy/metrics");
        let metrics = client.request_text(axum::http::Request::get(path).body(Vec::new())?).await?;
        for line in metrics.lines().filter_map(|line| line.strip_prefix(HEARD)) {
            let (watch, seconds) = line.rsplit_once(' ').context("a metric without a value")?;
            heard.insert(format!("{name}{watch}"), seconds.parse()?);
        }
    }
    ensure!(heard.len() >= 3, "no metric {HEARD}: {heard:?}");
    Ok(heard)
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Rules in the cluster's own network namespace that drop all packets between the replicas and the API server's port, in both
/// directions; what the API server sends to the replicas' port passes. Dropping the value takes them away.
struct Cut<'a> {
    site: &'a Site,
    rules: Vec<Vec<String>>,
}

impl<'a> Cut<'a> {
    fn between(site: &'a Site, pods: &[Pod]) -> Result<Self> {
        let mut cut = Self { site, rules: Vec::new() };
        for pod in pods {
            let address = pod.status.as_ref().and_then(|status| status.pod_ip.clone()).context("no address")?;
            for rule in [
                format!("INPUT --source {address} --protocol tcp --dport 6443 --jump DROP"),
                format!("OUTPUT --destination {address} --protocol tcp --sport 6443 --jump DROP"),
            ] {
                let rule: Vec<String> = rule.split(' ').map(str::to_owned).collect();
                iptables(site, "--insert", &rule)?;
                cut.rules.push(rule);
            }
        }
        Ok(cut)
    }
}

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        for rule in &self.rules {
            iptables(self.site, "--delete", rule).unwrap();
        }
    }
}

fn iptables(site: &Site, action: &str, rule: &[String]) -> Result<()> {
    let mut arguments = vec!["--wait", action];
    arguments.extend(rule.iter().map(String::as_str));
    let output = site.cluster.command("iptables", &arguments)?.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
