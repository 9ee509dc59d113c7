//! An opt-in that is misspelt makes no unprotected pod.

use serde_json::json;

use super::Expected::{Passes, Refused};
use super::{TENANT, edited, hold, namespace, ordinary, site, tried};

#[test]
fn an_opt_in_that_is_not_spelt_as_it_is_meant_is_refused() {
    let site = site();
    let on = |field: &str, key: &str, value: &str| {
        let pod = edited(ordinary("kafka", "spelt"), |pod| pod["metadata"][field] = json!({key: value}));
        (format!("{field} {key}={value:?}"), tried(site, TENANT, &pod))
    };
    let attempts = [
        on("labels", "countersign.dev/confidential", "True"),
        on("labels", "countersign.dev/confidential", "TRUE"),
        on("labels", "countersign.dev/confidential", "yes"),
        on("labels", "countersign.dev/confidential", "1"),
        on("labels", "countersign.dev/confidential", "false"),
        on("labels", "countersign.dev/confidential", "required"),
        on("labels", "countersign.dev/confidential", ""),
        on("annotations", "countersign.dev/confidential", "true"),
        on("annotations", "countersign.dev/confidential", "tru\u{435}"),
        on("labels", "countersign.dev/Confidential", "true"),
        on("labels", "countersign.dev/confidental", "true"),
        on("annotations", "countersign.dev/anything", "x"),
        on("labels", "countersign.dev/profile", "aks"),
    ];
    hold(attempts.map(|(what, answer)| (what, Refused(&["opt-in-malformed: "]), answer)));
    let (what, answer) = on("labels", "example.org/confidential", "true");
    hold([(what, Passes, answer)]);
}

#[test]
fn in_a_required_namespace_nothing_on_the_pod_opts_it_out() {
    let site = site();
    namespace(site, "must", &[("countersign.dev/confidential", "required")]);
    let with = |namespace: &str, value: &str| {
        edited(ordinary(namespace, "p"), |pod| pod["metadata"]["labels"] = json!({"countersign.dev/confidential": value}))
    };
    let mut attempts = Vec::new();
    for name in ["must", "payments"] {
        namespace(site, name, if name == "must" { &[("countersign.dev/confidential", "required")] } else { &[] });
        attempts.push((format!("{name}: false"), Refused(&["opt-in-malformed: "]), tried(site, TENANT, &with(name, "false"))));
        let plain = tried(site, TENANT, &ordinary(name, "p"));
        attempts.push((format!("{name}: no label"), Refused(&["policy-missing: "]), plain));
    }
    hold(attempts);
}
