//! What the figures were taken on.

use std::fs;

use serde::{Deserialize, Serialize};

/// A machine, as `/proc` describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) memory: String,
    pub(crate) kernel: String,
}

impl Machine {
    /// The machine that this runs on; what cannot be read is empty.
    pub(crate) fn this() -> Self {
        let of = |path: &str, key: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
            line.trim_start_matches([':', ' ', '\t']).to_owned()
        };
        Self {
            processor: of("/proc/cpuinfo", "model name"),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            memory: of("/proc/meminfo", "MemTotal"),
            kernel: of("/proc/sys/kernel/osrelease", ""),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} processors of {}, {}, Linux {}", self.processors, self.processor, self.memory, self.kernel)
    }
}
