//! What the first pages of the documentation promise, on a node that really runs the pods.

use std::fs;
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;

use crate::pods;
use crate::site::{Site, replicas, until};

const APPLY: &[&str] = &["apply", "--server-side", "-f", "-"];

pub(crate) fn play(site: &mut Site) -> Result<String> {
    let ready = site.run(async |client| replicas(&client).await)?;
    ensure!(ready == (3, 3), "replicas ready and wanted: {ready:?}");
    site.add_namespace("kafka", "workload-identity-sa")?;

    let rendered = rendered(site)?;
    let refused = refusal(site, &rendered)?;
    ensure!(refused.contains("policy-not-allowed: policy digest sha256:") && refused.contains("To allow it"), "{refused}");
    site.cluster.kubectl_with_input(APPLY, &pods::sample("allow-list.yaml"))?;
    let listed = Instant::now();
    site.run(async |_| {
        until("the listed consumer is admitted", async || Ok(site.cluster.kubectl_with_input(APPLY, &rendered).ok())).await
    })?;
    let admitted_after = listed.elapsed();
    site.cluster.kubectl_with_input(APPLY, &pods::sample("producer.yaml"))?;
    let (consumer, producer) = (running(site, "kafka-golang-consumer")?, running(site, "kafka-producer")?);
    let running_after = listed.elapsed();

    let spec = consumer.spec.unwrap();
    let names: Vec<&str> = spec.containers.iter().map(|container| container.name.as_str()).collect();
    ensure!(names == ["skr", "kafka-golang-consumer"], "{names:?}");
    ensure!(spec.runtime_class_name.as_deref() == Some("kata-cc-isolation"), "{:?}", spec.runtime_class_name);
    let overhead = spec.overhead.unwrap_or_default();
    ensure!(overhead.get("memory").is_some_and(|memory| memory.0 == "2Gi"), "{overhead:?}");
    let selected = spec.node_selector.unwrap_or_default();
    for label in ["kata-cc-isolation", "trusted-launch", "secure-boot"] {
        ensure!(selected.get(&format!("kubernetes.azure.com/{label}")).is_some_and(|value| value == "true"), "{selected:?}");
    }

    let producer_spec = producer.spec.unwrap();
    ensure!(producer.metadata.labels.is_none() && producer.metadata.annotations.is_none(), "{:?}", producer.metadata);
    ensure!(
        producer_spec.containers.len() == 1
            && producer_spec.runtime_class_name.is_none()
            && producer_spec.node_selector.is_none(),
        "{producer_spec:?}"
    );

    let another = rendered
        .replace(&pods::sample_policy(), "cGFja2FnZSBhZ2VudF9wb2xpY3kK")
        .replace("name: kafka-golang-consumer", "name: unlisted-consumer");
    let refused = refusal(site, &another)?;
    ensure!(refused.contains("policy-not-allowed") && refused.contains("namespaces: [kafka]"), "{refused}");
    Ok(format!(
        "3/3 ready; admitted {} ms after its policy was listed, running after {:.1} s",
        admitted_after.as_millis(),
        running_after.as_secs_f64()
    ))
}

/// The sample consumer with its policy, as `countersign render` completes it.
fn rendered(site: &Site) -> Result<String> {
    let path = site.cluster.api().folder().join("consumer.yaml");
    fs::write(&path, pods::sample("consumer-plain-with-policy.yaml"))?;
    let output = Command::new(env!("CARGO_BIN_EXE_countersign")).args(["render", "-f"]).arg(&path).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// What a user reads when a manifest is refused.
fn refusal(site: &Site, manifest: &str) -> Result<String> {
    let answer = site.cluster.kubectl_with_input(APPLY, manifest);
    ensure!(answer.is_err(), "it was admitted");
    Ok(format!("{:#}", answer.unwrap_err()))
}

fn running(site: &Site, name: &str) -> Result<Pod> {
    site.run(async |client| {
        let pods = Api::<Pod>::namespaced(client, "kafka");
        until(&format!("pod {name} runs"), async || Ok(pods.get_opt(name).await?.filter(pods::is_ready))).await
    })
}
