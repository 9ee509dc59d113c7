//! What to try in the cluster: the tutorial, with files that are written for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use countersign_harness::{Binaries, Cluster, MANIFESTS};

/// Makes what the tutorial assumes (namespace and service account), and beside the kubeconfig a folder with its manifests:
/// the samples, and one pod whose policy nobody lists.
pub(crate) fn write(cluster: &Cluster, product: &Path) -> Result<PathBuf> {
    cluster.kubectl(&["create", "namespace", "kafka"])?;
    cluster.kubectl(&["-n", "kafka", "create", "serviceaccount", "workload-identity-sa"])?;
    let folder = cluster.api().folder().join("tutorial");
    fs::create_dir_all(&folder)?;
    let samples = Path::new(MANIFESTS).join("samples");
    for name in ["allow-list.yaml", "producer.yaml"] {
        fs::copy(samples.join(name), folder.join(name)).with_context(|| format!("cannot copy sample {name}"))?;
    }
    let render = Command::new(product).args(["render", "-f"]).arg(samples.join("consumer-plain-with-policy.yaml")).output()?;
    ensure!(render.status.success(), "countersign render: {}", String::from_utf8_lossy(&render.stderr));
    let consumer = String::from_utf8(render.stdout)?;
    fs::write(folder.join("unlisted.yaml"), unlisted(&consumer))?;
    fs::write(folder.join("consumer.yaml"), consumer)?;
    until_it_refuses(cluster, &folder.join("unlisted.yaml"))?;
    Ok(folder)
}

/// kube-proxy knows the replicas a moment after they are ready: until then nobody would answer.
fn until_it_refuses(cluster: &Cluster, unlisted: &Path) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let output =
            cluster.api().kubectl(&["apply", "--server-side", "--dry-run=server", "-f", &unlisted.to_string_lossy()])?;
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("policy-not-allowed") {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the webhook does not answer as it should: {said}");
        sleep(Duration::from_millis(200));
    }
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
kubectl apply --server-side -f consumer.yaml            # rendered, with its policy: refused, since nobody has listed that yet
kubectl apply --server-side -f allow-list.yaml          # what the security team does
kubectl apply --server-side -f consumer.yaml            # created, and soon Running
kubectl -n kafka get pods
kubectl -n kafka get pod kafka-golang-consumer -o yaml  # the sidecar first, runtime class, node selectors
kubectl apply --server-side -f unlisted.yaml            # refused, in words
kubectl apply --server-side -f producer.yaml            # an ordinary pod: untouched
"
    )
}
