//! What is known, as metrics: read from [`Knowledge`] when they are asked for.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::knowledge::{Knowledge, WatchReport};

/// The watches and the allow-list of a process.
#[derive(Debug)]
pub(super) struct Watches(pub(super) Arc<Knowledge>);

/// Name, help and value of a metric that every watch has.
type PerWatch = (&'static str, &'static str, fn(&WatchReport) -> i64);

impl Collector for Watches {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let report = self.0.report();
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let single = [
            ("allow_list_entries", "Entries of the allow-list in force", count(report.entries)),
            (
                "allow_list_config_maps",
                "ConfigMaps that make up the allow-list, rejected ones included",
                count(report.config_maps),
            ),
            ("allow_list_rejected", "ConfigMaps whose latest version is rejected", count(report.rejected.len())),
        ];
        for (name, help, value) in single {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        let per_watch: [PerWatch; 4] = [
            ("watch_complete", "1 once the first list of a watch was complete", |watch| i64::from(watch.complete())),
            ("watch_last_heard_timestamp_seconds", "When the API server last said something on a watch", |watch| {
                watch.last_heard.map_or(0, jiff::Timestamp::as_second)
            }),
            ("watch_resource_version", "The highest resource version seen on a watch", |watch| {
                i64::try_from(watch.resource_version).unwrap_or(i64::MAX)
            }),
            ("watch_restarts", "How often a watch started over with a list", |watch| {
                i64::try_from(watch.restarts).unwrap_or(i64::MAX)
            }),
        ];
        for (name, help, read) in per_watch {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for watch in &report.watches {
                ConstGauge::new(read(watch)).encode(family.encode_family(&[("watch", watch.watch.name())])?)?;
            }
        }
        Ok(())
    }
}
