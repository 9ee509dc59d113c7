//! `defaultMode` and `requiredNamespaces` of the configuration stand in the policies.

use serde_json::json;

use super::{boot, pod, rendered_for};
use crate::pods::create;
use crate::site::{block_on, until};

const CONFIGURATION: &str =
    "{apiVersion: countersign.dev/v1alpha1, kind: Configuration, defaultMode: warn, requiredNamespaces: [payments]}";

#[test]
fn the_default_mode_holds_where_a_namespace_names_none() {
    let server = boot(&rendered_for(CONFIGURATION));
    block_on(server.namespace("payments", &[], &[])).unwrap();
    let warned = until("the default binding is in force", || {
        let answer = create(&server, &pod("payments", "p", json!({})), true);
        answer.stored.as_ref().unwrap_or_else(|error| panic!("{error}"));
        (!answer.warnings.is_empty()).then_some(answer.warnings)
    });
    assert!(warned.contains("'confidential-pods-default.countersign.dev': runtime-class: "), "{warned}");
    block_on(server.namespace("payments", &[("countersign.dev/mode", "enforce")], &[])).unwrap();
    let refused = |error: &String| error.contains("with binding 'confidential-pods-enforce.countersign.dev'");
    until("the label counts more", || create(&server, &pod("payments", "p", json!({})), true).stored.err().filter(refused));
    block_on(server.namespace("labelled", &[("countersign.dev/confidential", "required")], &[])).unwrap();
    let answer = create(&server, &pod("labelled", "p", json!({})), true);
    let warned = answer.warnings.clone();
    answer.admitted();
    assert!(warned.contains("'pods-in-required-namespaces-default.countersign.dev': runtime-class: "), "{warned}");
}
