//! The pods, and how long the API server takes to create them.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_harness::ApiServer;
use countersign_policy::Digest;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::PostParams;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// A policy as generators write it, for pods of one name; its pattern is widened here to the names that a bench makes.
const POLICY: &str = include_str!("../../golden/policies/complete.rego");
/// The pod that it is for, as its author writes it.
const MANIFEST: &str = include_str!("../../golden/rules/policy-covers-the-pod/covered/pod.yaml");

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// No label, nothing to do with Countersign.
    Ordinary,
    /// Confidential, as /mutate leaves it: Countersign has nothing to add, and judges it.
    Complete,
    /// The same pod as its author writes it: Countersign completes it.
    Incomplete,
}

/// A pod of each kind, and the policy of the confidential ones.
pub(crate) struct Pods {
    complete: Value,
    incomplete: Value,
    digest: Digest,
}

/// In milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Times {
    pub(crate) per_second: f64,
    pub(crate) median_ms: f64,
    pub(crate) p99_ms: f64,
}

/// The scheduler and the nodes still have their part of a pod to do when it is created.
const TO_SETTLE: Duration = Duration::from_secs(2);

impl Pods {
    pub(crate) fn new() -> Self {
        let widened = POLICY.replace("^consumer$", "^consumer-[0-9]+$");
        assert_ne!(widened, POLICY, "the policy names its pod");
        let mut incomplete: Value = serde_saphyr::from_str(MANIFEST).unwrap();
        incomplete["metadata"]["annotations"] = json!({"io.katacontainers.config.agent.policy": STANDARD.encode(&widened)});
        let complete = completed(&incomplete);
        Self { complete, incomplete, digest: Digest::sha256_of(widened.as_bytes()) }
    }

    /// A pod of that kind, without a name.
    pub(crate) fn template(&self, kind: Kind) -> Value {
        match kind {
            Kind::Ordinary => {
                json!({"metadata": {}, "spec": {"containers": [{"name": "app", "image": "registry.example/app:1"}]}})
            }
            Kind::Complete => self.complete.clone(),
            Kind::Incomplete => self.incomplete.clone(),
        }
    }

    /// The allow-list that lists their policy, and these digests too.
    pub(crate) fn allow_list(&self, others: &[String]) -> Value {
        let entry = |digest: &str| format!("- {{digest: \"{digest}\", namespaces: [kafka]}}\n");
        let others: String = others.iter().map(|digest| entry(digest)).collect();
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "allow-list", "namespace": "countersign-system", "labels": {"countersign.dev/allow-list": "true"}},
            "data": {"kafka.yaml": entry(&self.digest.to_string()), "others.yaml": others}
        })
    }
}

/// A pod as `countersign render` prints it.
fn completed(pod: &Value) -> Value {
    let mut render = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["render", "--namespace", "kafka", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    render.stdin.take().unwrap().write_all(pod.to_string().as_bytes()).unwrap();
    let output = render.wait_with_output().unwrap();
    assert!(output.status.success(), "countersign render ended with {}", output.status);
    serde_saphyr::from_slice(&output.stdout).unwrap()
}

/// Over the whole run: no name comes twice.
static NAMED: AtomicUsize = AtomicUsize::new(0);

/// Creates so many pods like `template`, by so many clients at a time.
pub(crate) async fn create(server: &ApiServer, template: Value, count: usize, clients: usize) -> Times {
    tokio::time::sleep(TO_SETTLE).await;
    let template = Arc::new(template);
    let left = Arc::new(AtomicUsize::new(count));
    let began = Instant::now();
    let mut creating = JoinSet::new();
    for _ in 0..clients {
        let pods: Api<Pod> = Api::namespaced(server.client().unwrap(), "kafka");
        let (template, left) = (Arc::clone(&template), Arc::clone(&left));
        creating.spawn(async move {
            let mut times = Vec::new();
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                let mut pod = Value::clone(&template);
                pod["metadata"]["name"] = json!(format!("consumer-{}", NAMED.fetch_add(1, Ordering::Relaxed)));
                let pod = serde_json::from_value(pod).unwrap();
                let asked = Instant::now();
                pods.create(&PostParams::default(), &pod).await.unwrap();
                times.push(asked.elapsed());
            }
            times
        });
    }
    let mut times = creating.join_all().await.concat();
    let took = began.elapsed();
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    // A few hundred: exact as a float.
    #[allow(clippy::cast_precision_loss)]
    let per_second = count as f64 / took.as_secs_f64();
    Times { per_second, median_ms: ms(times[times.len() / 2]), p99_ms: ms(times[(times.len() * 99).div_ceil(100) - 1]) }
}
