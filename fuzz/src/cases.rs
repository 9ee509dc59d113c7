//! The golden cases and the samples, as seeds are made of them.

use std::path::Path;

use countersign_golden::{Given, change_cases, rule_cases};
use serde_json::Value;

/// A golden case: what is known, the pod, and the pod as it was where the case is an update.
pub(crate) struct Seed {
    pub(crate) given: Given,
    pub(crate) pod: Value,
    pub(crate) old: Option<Value>,
}

/// Every golden case.
pub(crate) fn all() -> Vec<Seed> {
    let rules = rule_cases().unwrap().into_iter().map(|case| Seed { given: case.given, pod: case.pod, old: case.old });
    let changes = change_cases().unwrap().into_iter().map(|case| Seed { given: case.given, pod: case.pod, old: case.old });
    rules.chain(changes).collect()
}

/// The files of this kind in `manifests/samples`.
pub(crate) fn samples(extension: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/samples");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// The texts, each once, as YAML.
pub(crate) fn yaml<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = values.map(|value| serde_saphyr::to_string(value).unwrap().into_bytes()).collect();
    texts.sort();
    texts.dedup();
    texts
}
