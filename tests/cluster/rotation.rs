//! The authority is replaced three times, with the times of the shipped manifests, while pods are created.
//!
//! The API server keeps its connections, so creations alone would pass by accident: all the time new connections to every replica are
//! verified too, by every entry's `caBundle`, as `countersign doctor` does it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use crate::doctor;
use crate::load::under_load;
use crate::site::{HOME, Site, until_within};

const ROTATIONS: usize = 3;

/// How many creations there are at least.
const CREATIONS: usize = 1000;

/// Publishing and retiring take 30 seconds each.
const ONE_WITHIN: Duration = Duration::from_mins(3);

pub(crate) fn play(site: &mut Site) -> Result<String> {
    let site = &*site;
    site.run(async |client| {
        site.until_admitting(&client).await?;
        let secrets = Api::<Secret>::namespaced(client.clone(), HOME);
        let rotations = async {
            let mut took = Vec::new();
            let mut looked = 0;
            for number in 1..=ROTATIONS {
                let started = Instant::now();
                looked += rotate(site, &secrets, &format!("scene {number}")).await?;
                took.push(format!("{:.0} s", started.elapsed().as_secs_f64()));
            }
            Ok((took.join(", "), looked))
        };
        let ((took, looked), tally) = under_load(site, CREATIONS, rotations).await?;
        ensure!(tally.failures() == 0 && tally.created >= CREATIONS, "{tally}");
        Ok(format!(
            "{ROTATIONS} rotations in {took}; {tally}; new connections to all replicas verified {looked} times, 0 failed"
        ))
    })
}

/// Asks for another authority and waits until the one before is forgotten; returns how often all replicas were verified meanwhile.
async fn rotate(site: &Site, secrets: &Api<Secret>, asked: &str) -> Result<usize> {
    let before = authority(&secrets.get("countersign-ca").await?)?;
    let annotation = json!({"metadata": {"annotations": {"countersign.dev/rotate": asked}}});
    secrets.patch("countersign-ca", &PatchParams::default(), &Patch::Merge(annotation)).await?;
    let mut looked = 0;
    until_within(ONE_WITHIN, "the rotation is over", async || {
        // It blocks, and the creations go on beside it.
        tokio::task::block_in_place(|| doctor::agrees(site, &["ca-bundle", "certificate"]))?;
        looked += 1;
        let secret = secrets.get("countersign-ca").await?;
        let data = secret.data.as_ref().context("the Secret is empty")?;
        let answered = data.get("rotate").is_some_and(|ByteString(value)| value == asked.as_bytes());
        let over = answered && !data.contains_key("next.crt") && !data.contains_key("previous.crt");
        Ok((over && authority(&secret)? != before).then_some(()))
    })
    .await?;
    Ok(looked)
}

/// The certificate of the authority that signs.
fn authority(secret: &Secret) -> Result<Vec<u8>> {
    let data = secret.data.as_ref().context("the Secret is empty")?;
    Ok(data.get("ca.crt").context("the Secret has no ca.crt")?.0.clone())
}
