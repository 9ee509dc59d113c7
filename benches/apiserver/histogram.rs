//! What the API server itself counts of the webhooks that it calls.
//!
//! Source: Kubernetes, "Kubernetes Metrics Reference", `apiserver_admission_webhook_admission_duration_seconds`.

use std::collections::BTreeMap;

use countersign_harness::ApiServer;
use serde::Serialize;

const METRIC: &str = "apiserver_admission_webhook_admission_duration_seconds";

/// By the webhook's name: calls, the time of all together in seconds, and how many took at most 5 ms, the smallest bucket there is.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Histogram(pub(crate) BTreeMap<String, Calls>);

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Calls {
    pub(crate) count: f64,
    pub(crate) seconds: f64,
    pub(crate) within_5_ms: f64,
}

impl Histogram {
    pub(crate) fn read(server: &ApiServer) -> Self {
        let output = server.kubectl(&["get", "--raw", "/metrics"]).unwrap();
        let mut read = Self::default();
        for line in String::from_utf8(output.stdout).unwrap().lines().filter(|line| line.starts_with(METRIC)) {
            let (labels, value) = line.rsplit_once("} ").unwrap();
            let name = labels.split_once("name=\"").unwrap().1.split_once('"').unwrap().0;
            let calls = read.0.entry(name.to_owned()).or_default();
            let value: f64 = value.parse().unwrap();
            match line.strip_prefix(METRIC).unwrap() {
                rest if rest.starts_with("_count") => calls.count += value,
                rest if rest.starts_with("_sum") => calls.seconds += value,
                rest if rest.starts_with("_bucket") && labels.contains("le=\"0.005\"") => calls.within_5_ms += value,
                _ => {}
            }
        }
        read
    }

    /// What came since `before`; webhooks that were not called are left out.
    pub(crate) fn since(mut self, before: &Self) -> Self {
        for (name, calls) in &mut self.0 {
            let Calls { count, seconds, within_5_ms } = before.0.get(name).copied().unwrap_or_default();
            *calls = Calls {
                count: calls.count - count,
                seconds: calls.seconds - seconds,
                within_5_ms: calls.within_5_ms - within_5_ms,
            };
        }
        self.0.retain(|_, calls| calls.count > 0.0);
        self
    }
}
