//! Mirror pods: the API server's picture of a static pod is left alone when its node shows it, counted, and a pretext for nobody else.

use serde_json::{Value, json};

use super::Expected::{Passes, Refused};
use super::{KUBELET, TENANT, edited, hold, namespace, site, tried, unlisted};
use crate::site::{Site, until};

const LEFT_ALONE: &str = "countersign_requests_total{endpoint=\"validate-required\",outcome=\"mirror-pod\"}";

fn mirror(namespace: &str, name: &str) -> Value {
    edited(unlisted(namespace, name), |pod| {
        pod["metadata"]["annotations"]["kubernetes.io/config.mirror"] = json!("x");
        pod["metadata"]["annotations"]["kubernetes.io/config.source"] = json!("file");
        pod["metadata"]["ownerReferences"] =
            json!([{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u", "controller": true}]);
        pod["spec"]["nodeName"] = json!("n");
        pod["spec"]["runtimeClassName"] = json!("kata-cc-isolation");
    })
}

#[test]
fn a_mirror_pod_is_left_alone_when_its_node_made_it_and_counted() {
    let site: &Site = site();
    namespace(site, "mirrored", &[("countersign.dev/confidential", "required")]);
    let before = site.webhook.metric(LEFT_ALONE).unwrap_or_default();
    hold([("by the kubelet".to_owned(), Passes, tried(site, KUBELET, &mirror("mirrored", "static")))]);
    until("it is counted", || (site.webhook.metric(LEFT_ALONE)? > before).then_some(()));
}

#[test]
fn a_user_who_adds_the_mirror_annotation_is_judged_like_anybody() {
    let site = site();
    namespace(site, "pretended", &[("countersign.dev/confidential", "required")]);
    let claiming =
        edited(mirror("pretended", "p"), |pod| pod["metadata"]["labels"] = json!({"countersign.dev/countersigned": "true"}));
    let attempt = |what: &str, user: &str, pod: &Value, words: &'static [&'static str]| {
        (what.to_owned(), Refused(words), tried(site, user, pod))
    };
    hold([
        attempt("by the tenant", TENANT, &mirror("pretended", "p"), &["scheduling: "]),
        attempt("in a namespace that requires nothing", TENANT, &mirror("kafka", "p"), &["policy-not-allowed: "]),
        attempt("by an administrator", "admin", &mirror("pretended", "p"), &["scheduling: "]),
        attempt("by the kubelet, claiming", KUBELET, &claiming, &["policy-not-allowed: ", "sidecar: "]),
    ]);
}
