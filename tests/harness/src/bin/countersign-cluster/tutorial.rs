//! What to try in the cluster: the tutorial, with files that are written for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use countersign_harness::{Binaries, Cluster, MANIFESTS};

/// Makes what the tutorial assumes (namespace and service account), and beside the kubeconfig a folder with its manifests:
/// the samples, and one pod whose policy nobody lists.
pub(crate) fn write(cluster: &Cluster) -> Result<PathBuf> {
    cluster.kubectl(&["create", "namespace", "kafka"])?;
    cluster.kubectl(&["-n", "kafka", "create", "serviceaccount", "workload-identity-sa"])?;
    let folder = cluster.api().folder().join("tutorial");
    fs::create_dir_all(&folder)?;
    for name in ["consumer-plain-with-policy.yaml", "allow-list.yaml", "producer.yaml"] {
        let sample = Path::new(MANIFESTS).join("samples").join(name);
        fs::copy(&sample, folder.join(name)).with_context(|| format!("cannot copy {}", sample.display()))?;
    }
    let consumer = fs::read_to_string(folder.join("consumer-plain-with-policy.yaml"))?;
    fs::write(folder.join("unlisted.yaml"), unlisted(&consumer))?;
    Ok(folder)
}

/// The consumer with another policy, `package agent_policy` and nothing else, under another name.
fn unlisted(consumer: &str) -> String {
    let another = |line: &str| match line.split_once("io.katacontainers.config.agent.policy: ") {
        Some((indent, _)) => format!("{indent}io.katacontainers.config.agent.policy: cGFja2FnZSBhZ2VudF9wb2xpY3kK\n"),
        None => format!("{}\n", line.replace("name: kafka-golang-consumer", "name: unlisted-consumer")),
    };
    consumer.lines().map(another).collect()
}

/// The commands, to be pasted into a shell.
pub(crate) fn commands(cluster: &Cluster, binaries: &Binaries, folder: &Path) -> String {
    let kubeconfig = cluster.api().kubeconfig_path();
    let (kubeconfig, folder, programs) = (kubeconfig.display(), folder.display(), binaries.folder().display());
    format!(
        "
export KUBECONFIG={kubeconfig}
export PATH=$PATH:{programs}

kubectl get nodes
kubectl -n countersign-system get deployment
cd {folder}
kubectl apply --server-side -f consumer-plain-with-policy.yaml   # refused: nobody has listed its policy yet
kubectl apply --server-side -f allow-list.yaml                   # what the security team does
kubectl apply --server-side -f consumer-plain-with-policy.yaml   # created, completed, and soon Running
kubectl -n kafka get pods
kubectl -n kafka get pod kafka-golang-consumer -o yaml           # the sidecar first, runtime class, node selectors
kubectl apply --server-side -f unlisted.yaml                     # refused, in words
kubectl apply --server-side -f producer.yaml                     # an ordinary pod: untouched
"
    )
}
