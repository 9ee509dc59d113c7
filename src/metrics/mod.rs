//! What the process counts: one list, with help texts and units, shown as `OpenMetrics` text.

mod labels;
mod watches;

use std::sync::Arc;

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use crate::knowledge::Knowledge;

pub use self::labels::{
    EndpointLabels, Listener, ListenerLabels, PhaseLabels, RefusalLabels, RefusedCaller, RefusedCallerLabels, ReloadLabels,
    ReloadResult, RequestLabels, ShedCause, ShedLabels, StatusLabels,
};

/// In seconds: an answer takes some 100 µs, and the API server waits 5 s for it.
const DURATIONS: [f64; 14] = [100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 5.0];
/// In bytes: an ordinary pod, one with a policy, the API server's own limits, the cap.
const SIZES: [f64; 8] = [4e3, 16e3, 64e3, 256e3, 1e6, 4e6, 16e6, 64e6];

/// Every metric of the process. Counting never fails and never waits long.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Reviews answered.
    pub requests: Family<RequestLabels, Counter>,
    /// Refusals by rule.
    pub refusals: Family<RefusalLabels, Counter>,
    /// From head to answer, whatever the answer.
    pub request_duration: Family<EndpointLabels, Histogram>,
    /// Sizes of the bodies read.
    pub body_bytes: Histogram,
    /// Room taken by bodies now.
    pub body_bytes_in_flight: Gauge,
    /// Open connections.
    pub connections: Family<ListenerLabels, Gauge>,
    /// Requests put off.
    pub shed: Family<ShedLabels, Counter>,
    /// Answers that are no review.
    pub http_errors: Family<StatusLabels, Counter>,
    /// Panics of the judge.
    pub panics: Counter,
    /// TLS handshakes that failed.
    pub tls_handshake_failures: Counter,
    /// Callers refused by their client certificate.
    pub client_certificates_refused: Family<RefusedCallerLabels, Counter>,
    /// Changes of the file with the authorities of client certificates.
    pub client_authorities_reloads: Family<ReloadLabels, Counter>,
    /// End of the served certificate, in seconds since 1970.
    pub certificate_not_after: Gauge,
    /// Changes of the certificate files.
    pub certificate_reloads: Family<ReloadLabels, Counter>,
    /// 1 while draining.
    pub draining: Gauge,
    /// 1 while this replica leads.
    pub leader: Gauge,
    /// End of the signing authority, in seconds since 1970.
    pub authority_not_after: Gauge,
    /// 1 while the Secret of the authorities holds something else.
    pub authority_unusable: Gauge,
    /// 1 for the phase that the rotation of authorities is in.
    pub rotation_phase: Family<PhaseLabels, Gauge>,
}

impl Metrics {
    /// All metrics at zero, registered in the order of the list below.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("countersign"),
            requests: Family::default(),
            refusals: Family::default(),
            request_duration: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            body_bytes: Histogram::new(SIZES),
            body_bytes_in_flight: Gauge::default(),
            connections: Family::default(),
            shed: Family::default(),
            http_errors: Family::default(),
            panics: Counter::default(),
            tls_handshake_failures: Counter::default(),
            client_certificates_refused: Family::default(),
            client_authorities_reloads: Family::default(),
            certificate_not_after: Gauge::default(),
            certificate_reloads: Family::default(),
            draining: Gauge::default(),
            leader: Gauge::default(),
            authority_not_after: Gauge::default(),
            authority_unusable: Gauge::default(),
            rotation_phase: Family::default(),
        };
        metrics.register();
        metrics
    }

    /// The same with the watches and the allow-list of `knowledge` shown too.
    #[must_use]
    pub fn showing(mut self, knowledge: Arc<Knowledge>) -> Self {
        self.registry.register_collector(Box::new(watches::Watches(knowledge)));
        self
    }

    /// The list: name, help, unit. Counters get the suffix `_total`, units theirs before it.
    #[rustfmt::skip]
    fn register(&mut self) {
        let registry = &mut self.registry;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", version);
        registry.register("requests", "Admission reviews answered, by endpoint and outcome", self.requests.clone());
        registry.register("refusals", "Rules that refused a pod, in any mode, by rule id", self.refusals.clone());
        registry.register_with_unit("request_duration", "Time from a request's head to its answer", Unit::Seconds, self.request_duration.clone());
        registry.register_with_unit("body", "Sizes of the request bodies read", Unit::Bytes, self.body_bytes.clone());
        registry.register_with_unit("body_in_flight", "Room taken by request bodies now", Unit::Bytes, self.body_bytes_in_flight.clone());
        registry.register("connections", "Connections open now, by listener", self.connections.clone());
        registry.register("shed", "Requests put off for the API server to try again, by cause", self.shed.clone());
        registry.register("http_errors", "Answers that are no admission review, by HTTP status", self.http_errors.clone());
        registry.register("panics", "Panics while judging; each was answered with a refusal", self.panics.clone());
        registry.register("tls_handshake_failures", "TLS handshakes that failed or took too long", self.tls_handshake_failures.clone());
        registry.register("client_certificates_refused", "Callers refused by their client certificate, by cause", self.client_certificates_refused.clone());
        registry.register("client_authorities_reloads", "Changed files of authorities of client certificates, by result; failed: those from before count", self.client_authorities_reloads.clone());
        registry.register_with_unit("certificate_not_after_timestamp", "When the served certificate ends, since 1970", Unit::Seconds, self.certificate_not_after.clone());
        registry.register("certificate_reloads", "Changed certificate files, by result; failed: the last good one is served", self.certificate_reloads.clone());
        registry.register("draining", "1 while the process drains before its end", self.draining.clone());
        registry.register("leader", "1 while this replica holds the Lease and writes", self.leader.clone());
        registry.register_with_unit("authority_not_after_timestamp", "When the authority that signs certificates ends, since 1970; 0 without one", Unit::Seconds, self.authority_not_after.clone());
        registry.register("authority_unusable", "1 while the Secret of the authorities holds something that Countersign has not written", self.authority_unusable.clone());
        registry.register("rotation_phase", "1 for the phase that the rotation of authorities is in", self.rotation_phase.clone());
    }

    /// All of it as `OpenMetrics` text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use countersign_decision::configuration::Configuration;

    use super::*;

    #[test]
    fn every_metric_is_in_the_documentation() {
        let documented = include_str!("../../docs/metrics.md");
        let knowledge = Knowledge::of_files(Arc::new(Configuration::built_in().unwrap()));
        let text = Metrics::new().showing(Arc::new(knowledge)).text();
        let names = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).map(|(name, _)| name);
        let missing: Vec<_> = names.filter(|name| !documented.contains(&format!("`{name}"))).collect();
        assert_eq!(missing, Vec::<&str>::new());
    }
}
