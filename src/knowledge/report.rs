//! How the watches and the allow-list stand, for metrics and health.

use jiff::Timestamp;

use super::{Knowledge, Watch};

/// How everything stands at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One for each watch; none where files are the only source.
    pub watches: Vec<WatchReport>,
    /// How many entries the allow-list in force has.
    pub entries: usize,
    /// How many `ConfigMap`s make it up, rejected ones included.
    pub config_maps: usize,
    /// The `ConfigMap`s (standalone: also files) whose latest version is rejected.
    pub rejected: Vec<Rejected>,
}

/// How one watch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchReport {
    /// Which.
    pub watch: Watch,
    /// When the API server last said something; `None` before the first complete list.
    pub last_heard: Option<Timestamp>,
    /// The highest resource version seen; 0 before the first.
    pub resource_version: u64,
    /// How often it started over with a list.
    pub restarts: u64,
}

impl WatchReport {
    /// Whether there was a complete list.
    pub const fn complete(&self) -> bool {
        self.last_heard.is_some()
    }
}

/// A part of the allow-list whose latest version is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The `ConfigMap` (standalone: file and `ConfigMap`, or the file).
    pub name: String,
    /// What is wrong, and where.
    pub message: String,
}

impl Knowledge {
    /// How everything stands now.
    pub fn report(&self) -> Report {
        let standing = self.allow_list.load();
        let report = |(watch, heard): &(Watch, super::Heard)| WatchReport {
            watch: *watch,
            last_heard: heard.at(),
            resource_version: heard.resource_version(),
            restarts: heard.restarts(),
        };
        Report {
            watches: self.watches.iter().map(report).collect(),
            entries: self.facts.load().allow_list.len(),
            config_maps: standing.config_maps,
            rejected: standing.rejected.clone(),
        }
    }
}
