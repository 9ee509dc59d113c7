//! Nobody answers the API server: what stops, what goes on, and what people read.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use countersign_harness::STAND_IN_IMAGE;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::api::node::v1::RuntimeClass;
use kube::Client;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::pods;
use crate::site::{NAMESPACE, Site, countersign_pods, until};

/// What the API server says of a webhook that it cannot reach.
const UNREACHED: &str = r#"failed calling webhook "complete.confidential-pods.countersign.dev""#;

pub(crate) fn play(site: &mut Site) -> Result<String> {
    let site = &*site;
    site.run(async |client| {
        let all = Api::<Pod>::namespaced(client.clone(), NAMESPACE);
        let create = PostParams::default();
        site.until_admitting(&client).await?;
        // Confidential pods that exist when it happens.
        let mut held = pods::confidential("held");
        held.metadata.finalizers = Some(vec!["countersign.test/hold".to_owned()]);
        all.create(&create, &held).await?;
        let owner = own(&client).await?;
        let mut owned = pods::confidential("owned");
        owned.metadata.owner_references = Some(vec![owner]);
        all.create(&create, &owned).await?;

        scale(site, 0)?;
        until("all replicas are gone", async || Ok(countersign_pods(&client).await?.is_empty().then_some(()))).await?;

        let refused = all.create(&create, &pods::confidential("refused")).await;
        let text = words(refused.err().context("a confidential pod was admitted by nobody")?);
        ensure!(text.contains(UNREACHED), "{text}");
        policies_still_refuse(&all).await?;

        ordinary_pods_run(&client).await?;
        all.delete("held", &pods::at_once()).await?;
        ensure!(all.get("held").await?.metadata.deletion_timestamp.is_some(), "a finalizer holds the pod");
        let release = json!({"metadata": {"finalizers": null}});
        all.patch("held", &PatchParams::default(), &Patch::Merge(release)).await.context("taking a finalizer away")?;
        gone(&all, "held").await?;
        Api::<ConfigMap>::namespaced(client.clone(), NAMESPACE).delete("owner", &DeleteParams::background()).await?;
        gone(&all, "owned").await?;
        a_job_ends(&client).await?;

        scale(site, 3)?;
        let started = Instant::now();
        site.until_admitting(&client).await?;
        let healed = started.elapsed();
        tokio::task::block_in_place(|| site.cluster.wait_until_rolled_out())?;
        Ok(format!("admitted again {:.1} s after the replicas were asked back; users read: {text}", healed.as_secs_f64()))
    })
}

fn scale(site: &Site, replicas: u8) -> Result<()> {
    let replicas = format!("--replicas={replicas}");
    site.cluster.kubectl(&["-n", "countersign-system", "scale", "deployment/countersign", &replicas])?;
    Ok(())
}

/// The API server's own policies need nobody: a policy put in the place of the judged one, and a class that hides a handler.
async fn policies_still_refuse(all: &Api<Pod>) -> Result<()> {
    let another = json!({"metadata": {"annotations": {pods::POLICY: "cGFja2FnZSBhZ2VudF9wb2xpY3kK"}}});
    let patched = all.patch_status("held", &PatchParams::default(), &Patch::Merge(another)).await;
    let class: RuntimeClass = serde_json::from_value(json!({"metadata": {"name": "hidden"}, "handler": "kata-cc"}))?;
    let created = Api::<RuntimeClass>::all(all.clone().into_client()).create(&pods::dry_run(), &class).await;
    for (refused, expected) in [
        (patched.err(), "a write to pods/status must not change labels and annotations"),
        (created.err(), "ValidatingAdmissionPolicy 'confidential-handlers.countersign.dev'"),
    ] {
        let text = words(refused.with_context(|| format!("nobody refused where a policy says: {expected}"))?);
        ensure!(text.contains(expected), "{text}");
    }
    Ok(())
}

/// An object that a pod belongs to.
async fn own(client: &Client) -> Result<k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference> {
    let owner: ConfigMap = serde_json::from_value(json!({"metadata": {"name": "owner"}}))?;
    let stored = Api::<ConfigMap>::namespaced(client.clone(), NAMESPACE).create(&PostParams::default(), &owner).await?;
    let uid = stored.metadata.uid.context("the owner has no uid")?;
    Ok(serde_json::from_value(json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}))?)
}

/// In a namespace of users and in the platform's.
async fn ordinary_pods_run(client: &Client) -> Result<()> {
    for namespace in [NAMESPACE, "kube-system"] {
        let pods = Api::<Pod>::namespaced(client.clone(), namespace);
        pods.create(&PostParams::default(), &pods::ordinary("ordinary")).await?;
        until("an ordinary pod runs", async || Ok(pods.get_opt("ordinary").await?.filter(pods::is_ready))).await?;
        let label = json!({"metadata": {"labels": {"changed": "true"}}});
        pods.patch("ordinary", &PatchParams::default(), &Patch::Merge(label)).await?;
        pods.delete("ordinary", &pods::at_once()).await?;
        gone(&pods, "ordinary").await?;
    }
    Ok(())
}

async fn gone(pods: &Api<Pod>, name: &str) -> Result<()> {
    until(&format!("pod {name} is gone"), async || Ok(pods.get_opt(name).await?.is_none().then_some(()))).await
}

async fn a_job_ends(client: &Client) -> Result<()> {
    let jobs = Api::<Job>::namespaced(client.clone(), NAMESPACE);
    let job: Job = serde_json::from_value(json!({
        "metadata": {"name": "work"},
        "spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "main", "image": STAND_IN_IMAGE, "command": ["/job"]}],
        }}},
    }))?;
    jobs.create(&PostParams::default(), &job).await?;
    until("the job is done", async || {
        let status = jobs.get("work").await?.status;
        Ok(status.and_then(|status| status.succeeded).filter(|succeeded| *succeeded == 1))
    })
    .await?;
    jobs.delete("work", &DeleteParams::background()).await?;
    Ok(())
}

/// What people read of a refusal.
fn words(error: kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message,
        other => other.to_string(),
    }
}
