//! The shipped image, as the kernel sees it run.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::Api;

use crate::pods;
use crate::process::process_of;
use crate::site::{HOME, Site, countersign_pods};

/// What container runtimes put into every root: mount points.
const MOUNT_POINTS: &[&str] = &["dev", "etc", "proc", "run", "sys", "var"];

pub(crate) fn play(site: &mut Site) -> Result<String> {
    let replicas = site.run(async |client| {
        let namespace = Api::<Namespace>::all(client.clone()).get(HOME).await?;
        let level = namespace.metadata.labels.unwrap_or_default().remove("pod-security.kubernetes.io/enforce");
        ensure!(level.as_deref() == Some("restricted"), "the namespace enforces {level:?}");
        // The level is in force, so that what runs there has passed it.
        let lax = Api::<Pod>::namespaced(client.clone(), HOME).create(&pods::dry_run(), &pods::ordinary("lax")).await;
        let refused = lax.err().context("a pod with more rights was admitted")?.to_string();
        ensure!(refused.contains(r#"violates PodSecurity "restricted"#), "{refused}");
        countersign_pods(&client).await
    })?;
    ensure!(replicas.len() == 3, "{} replicas", replicas.len());
    for replica in &replicas {
        let process = process_of(site, replica)?;
        let status = fs::read_to_string(process.join("status"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
            line.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default()
        };
        ensure!(field("Uid") == "65532 65532 65532 65532" && field("Gid") == "65532 65532 65532 65532", "{status}");
        for capabilities in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            ensure!(field(capabilities) == "0000000000000000", "{status}");
        }
        ensure!(field("NoNewPrivs") == "1", "{status}");
        // 2 is a filter: the runtime's default profile.
        ensure!(field("Seccomp") == "2", "{status}");

        let mounts = fs::read_to_string(process.join("mountinfo"))?;
        let root = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>()).find(|mount| mount[4] == "/");
        let options = root.context("no root file system")?[5].to_owned();
        ensure!(options.split(',').any(|option| option == "ro"), "the root file system is mounted {options}");

        let mut files = Vec::new();
        for entry in fs::read_dir(process.join("root"))? {
            files.push(entry?.file_name().to_string_lossy().into_owned());
        }
        files.retain(|name| !MOUNT_POINTS.contains(&name.as_str()));
        ensure!(files == ["countersign"], "the image holds {files:?}");
    }
    let size = fs::metadata(process_of(site, &replicas[0])?.join("root/countersign"))?.len();
    let megabytes = f64::from(u32::try_from(size)?) / 1e6;
    Ok(format!(
        "{} replicas, uid 65532, no capability, root read-only, seccomp filter; binary {megabytes:.1} MB",
        replicas.len()
    ))
}
