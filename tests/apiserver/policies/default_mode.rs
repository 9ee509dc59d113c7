//! `defaultMode` and `requiredNamespaces` of the configuration stand in the policies.

use serde_json::json;

use super::{boot, pod};
use crate::pods::create;
use crate::site::{block_on, manifests, until};

const CONFIGURATION: &str =
    "{apiVersion: countersign.dev/v1alpha1, kind: Configuration, defaultMode: warn, requiredNamespaces: [payments]}";

#[test]
fn the_default_mode_holds_where_a_namespace_names_none() {
    let folder = std::env::temp_dir().join(format!("countersign-default-mode-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("configuration.yaml");
    std::fs::write(&file, CONFIGURATION).unwrap();
    let rendered = manifests(Some(&file));
    std::fs::remove_dir_all(&folder).unwrap();
    let server = boot(&rendered);
    block_on(server.namespace("payments", &[], &[])).unwrap();
    let warned = until("the default binding is in force", || {
        let answer = create(&server, &pod("payments", "p", json!({})), true);
        answer.stored.as_ref().unwrap_or_else(|error| panic!("{error}"));
        (!answer.warnings.is_empty()).then_some(answer.warnings)
    });
    assert!(warned.contains("'confidential-pods-default.countersign.dev': runtime-class: "), "{warned}");
    block_on(server.namespace("payments", &[("countersign.dev/mode", "enforce")], &[])).unwrap();
    until("the label counts more", || create(&server, &pod("payments", "p", json!({})), true).stored.err());
}
