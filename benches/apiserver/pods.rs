//! The pods, and how long the API server takes to create them.

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No label, nothing to do with Countersign.
    Ordinary,
    /// Complete, with a listed policy that covers it.
    Confidential,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Ordinary, Self::Confidential];
}

/// The confidential pod, complete as /mutate would leave it, so that it is the same with Countersign and without.
pub(crate) struct Confidential {
    pod: Value,
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

impl Confidential {
    pub(crate) fn new() -> Self {
        let widened = POLICY.replace("^consumer$", "^consumer-[0-9]+$");
        assert_ne!(widened, POLICY, "the policy names its pod");
        let digest = Digest::sha256_of(widened.as_bytes());
        let manifest = include_str!("../../golden/rules/policy-covers-the-pod/covered/pod.yaml");
        let mut pod: Value = serde_saphyr::from_str(manifest).unwrap();
        pod["metadata"]["annotations"] = json!({"io.katacontainers.config.agent.policy": STANDARD.encode(&widened)});
        Self { pod, digest }
    }

    /// The allow-list that lists it, and these digests too.
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

/// Over the whole run: no name comes twice.
static NAMED: AtomicUsize = AtomicUsize::new(0);

/// Creates so many pods of a kind, by so many clients at a time.
pub(crate) async fn create(server: &ApiServer, kind: Kind, confidential: &Confidential, count: usize, clients: usize) -> Times {
    tokio::time::sleep(TO_SETTLE).await;
    let template = Arc::new(match kind {
        Kind::Ordinary => json!({"metadata": {}, "spec": {"containers": [{"name": "app", "image": "registry.example/app:1"}]}}),
        Kind::Confidential => confidential.pod.clone(),
    });
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
    Times { per_second, median_ms: ms(times[times.len() / 2]), p99_ms: ms(times[times.len() * 99 / 100]) }
}
