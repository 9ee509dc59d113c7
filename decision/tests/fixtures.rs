//! Real policies of the real generator, and the tutorial's pods, read from `../shared` where it is present.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// The lint keeps files out of the core, not out of its tests.
#![allow(clippy::disallowed_methods)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_decision::configuration::Configuration;
use countersign_decision::facts::{Facts, Known};
use countersign_decision::mutate;
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_policy::{Limits, Measured};
use serde_json::Value;

/// The folder, or `None` with a word about it where it does not stand beside the project.
fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let _ = writeln!(std::io::stderr(), "skipped: there is no {}", path.display());
    None
}

/// The documents of a YAML file.
fn documents(path: &Path) -> Vec<Value> {
    serde_saphyr::from_multiple(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The rows of the table in the fixtures' README: file, annotation, digest as `<algorithm> <hex>`.
fn rows(readme: &str) -> Vec<(String, String, String)> {
    let rows = readme.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, file, annotation, digest, _] = cells[..] else { return None };
        let mut words = digest.split_whitespace();
        let digest = format!("{}:{}", words.next()?, words.next()?);
        (annotation != "annotation").then(|| (file.to_owned(), annotation.to_owned(), digest))
    });
    rows.collect()
}

#[test]
fn the_digests_of_real_policies_are_those_that_the_hardware_reports() {
    let Some(fixtures) = shared("fixtures") else { return };
    let mut read = 0;
    for (file, annotation, digest) in rows(&std::fs::read_to_string(fixtures.join("README.md")).unwrap()) {
        let document = documents(&fixtures.join(&file))
            .into_iter()
            .find(|document| document["spec"].get("containers").is_some() || document["spec"].get("template").is_some())
            .unwrap();
        let pod = document["spec"].get("template").unwrap_or(&document);
        let measured = if annotation.contains("cc_init_data") { Measured::Initdata } else { Measured::AgentPolicy };
        let text = pod["metadata"]["annotations"][measured.annotation()].as_str().unwrap();
        let reading = measured.read(text, Limits::DEFAULT).unwrap();
        assert_eq!(reading.digest.to_string(), digest, "{file}");
        assert!(reading.document.policy().is_some_and(|policy| policy.contains("\npolicy_data := {")), "{file}");
        read += 1;
    }
    assert_eq!(read, 8);
}

#[test]
fn the_plain_consumer_is_completed_to_the_tutorials_pod() {
    let Some(manifests) = shared("seed-manifests") else { return };
    let mut plain = documents(&manifests.join("consumer-plain.yaml")).swap_remove(0);
    let tutorial = documents(&manifests.join("consumer.yaml")).swap_remove(0);
    let facts = Facts::unwatched(Arc::new(Configuration::built_in().unwrap()), "countersign-system");
    let text = plain.to_string();
    let request = PodRequest {
        operation: Operation::Create,
        namespace: "kafka",
        required: false,
        groups: Vec::new(),
        pod: Pod::from_json(&text).unwrap(),
        old: None,
    };
    let known = Known { facts: &facts, now: "2027-01-01T00:00:00Z".parse().unwrap(), stale_since: None };
    json_patch::patch(&mut plain, &mutate(&request, &known).patch).unwrap();

    // What the tutorial's pod does not have: the opt-in, what says so, and the selectors.
    let metadata = plain["metadata"].as_object_mut().unwrap();
    metadata["labels"].as_object_mut().unwrap().retain(|key, _| !key.starts_with("countersign.dev/"));
    let annotations = metadata.remove("annotations").unwrap();
    assert!(annotations.as_object().unwrap().keys().all(|key| key.starts_with("countersign.dev/")), "{annotations}");
    let selectors = plain["spec"].as_object_mut().unwrap().remove("nodeSelector").unwrap();
    assert_eq!(selectors.as_object().unwrap().len(), 2);
    assert_eq!(plain, tutorial);
}
