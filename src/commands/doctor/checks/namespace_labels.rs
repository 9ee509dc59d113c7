//! Every label `countersign.dev/*` of a namespace has a meaning.
//!
//! Why: a misspelt mode counts as enforce, a misspelt opt-in opts nothing in, and a profile that is not enabled refuses every pod.

use countersign_decision::configuration::Mode;
use countersign_decision::labels::{CONFIDENTIAL, EXEC, MODE, PREFIX, PROFILE};
use kube::ResourceExt as _;

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let namespaces = match &snapshot.namespaces {
        Ok(namespaces) => namespaces,
        Err(unseen) => return Examined::unseen(unseen),
    };
    let mut findings = Vec::new();
    let mut count = 0_usize;
    for namespace in namespaces {
        let name = namespace.name_any();
        for (key, value) in namespace.labels().iter().filter(|(key, _)| key.starts_with(PREFIX)) {
            count += 1;
            if let Some((problem, mend)) = judge(&name, key, value, snapshot) {
                findings.push(Finding::wrong(problem, mend));
            }
        }
    }
    Examined::new(format!("{count} labels countersign.dev/* in {} namespaces, each known", namespaces.len()), findings)
}

fn judge(name: &str, key: &str, value: &str, snapshot: &Snapshot) -> Option<(String, String)> {
    let label = |value: &str| format!("kubectl label namespace {name} --overwrite {key}={value}");
    let remove = format!("kubectl label namespace {name} {key}-");
    match key {
        MODE if [Mode::Enforce, Mode::Warn, Mode::Audit].iter().any(|mode| mode.name() == value) => None,
        MODE => Some((
            format!("namespace {name}: {key}: {value:?} is no mode, and counts as enforce: it is one of enforce, warn, audit"),
            label("enforce"),
        )),
        CONFIDENTIAL if value == "required" => None,
        EXEC if value == "guarded" => None,
        EXEC => Some((
            format!("namespace {name}: {key}: {value:?} guards nothing: its only value is guarded"),
            format!("{}\nor {remove}", label("guarded")),
        )),
        CONFIDENTIAL => Some((
            format!("namespace {name}: {key}: {value:?} opts nothing in: its only value is required"),
            format!("{}\nor {remove}", label("required")),
        )),
        PROFILE if snapshot.configuration.enabled_profile(value).is_some() => None,
        PROFILE => {
            let enabled = snapshot.configuration.enabled_names();
            Some((
                format!(
                    "namespace {name}: {key}: {value:?} is not enabled, so its confidential pods are refused: enabled are {enabled}"
                ),
                format!("{remove}\nor enable it in the configuration"),
            ))
        }
        _ => Some((
            format!("namespace {name}: label {key} has no meaning: Countersign's are {CONFIDENTIAL}, {MODE}, {PROFILE}"),
            remove,
        )),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::super::healthy::healthy;
    use super::super::tests::findings;

    #[rstest]
    #[case("mode", "Audit", "countersign.dev/mode: \"Audit\" is no mode, and counts as enforce")]
    #[case("confidential", "true", "countersign.dev/confidential: \"true\" opts nothing in")]
    #[case("profile", "akz", "countersign.dev/profile: \"akz\" is not enabled")]
    #[case("confidental", "required", "label countersign.dev/confidental has no meaning")]
    fn a_label_that_nobody_knows_is_told(#[case] key: &str, #[case] value: &str, #[case] problem: &str) {
        let mut snapshot = healthy();
        let labels = json!({format!("countersign.dev/{key}"): value});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kafka", "labels": labels}});
        snapshot.namespaces.as_mut().unwrap().push(serde_json::from_value(namespace).unwrap());
        let found = findings("namespace-labels", &snapshot);
        assert!(found[0].problem.contains(problem), "{found:?}");
        assert!(found[0].mend.starts_with("kubectl label namespace kafka "), "{found:?}");
    }
}
