//! The webhook configurations are as they were rendered: selectors, rules, match conditions, failurePolicy, timeout and all.
//!
//! Why: whoever narrows them, or lets them fail open, lets confidential pods run unjudged, and nothing else would show it.
//! Allows: caBundle, what the API server fills in, and what the AKS admissions enforcer adds: that is told by its name; and the entry of the exec
//! door, which a component adds and check `exec-door` looks at.
//! Source: AKS, "Frequently asked questions", admission controllers and webhooks (the enforcer's expressions).

use serde_json::{Value, json};

use super::exec_door;
use crate::commands::doctor::difference::differences;
use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let mut findings = Vec::new();
    for wanted in snapshot.of_kinds(&["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]) {
        let Some(found) = super::present(wanted, snapshot, &mut findings) else { continue };
        let mut found = found.clone();
        if take_out_enforcer(&mut found, &wanted.rendered) {
            findings.push(Finding::warning(
                format!(
                    "{}: the AKS admissions enforcer has added selectors: namespaces labelled control-plane: \"true\" or \
                     kubernetes.azure.com/managedby: aks are not asked about",
                    wanted.title()
                ),
                format!(
                    "kubectl label {} countersign admissions.enforcer/disabled=true    # docs/install.md, AKS, says what that means",
                    wanted.kind().to_lowercase()
                ),
            ));
        }
        if let Some(entries) = found.get_mut("webhooks").and_then(Value::as_array_mut) {
            entries.retain(|entry| entry.get("name").and_then(Value::as_str) != Some(exec_door::NAME));
        }
        for difference in differences(&wanted.rendered, &found) {
            findings.push(Finding::wrong(format!("{}: {difference}", wanted.title()), snapshot.reapply()));
        }
    }
    Examined::new("the webhook configurations are as they were installed", findings)
}

/// Takes the enforcer's expressions out of each entry, where they were not rendered; says whether there were any.
pub(super) fn take_out_enforcer(found: &mut Value, rendered: &Value) -> bool {
    let enforcers = [
        json!({"key": "control-plane", "operator": "NotIn", "values": ["true"]}),
        json!({"key": "control-plane", "operator": "DoesNotExist"}),
        json!({"key": "kubernetes.azure.com/managedby", "operator": "NotIn", "values": ["aks"]}),
    ];
    let mut any = false;
    for entry in found.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = entry.get("name").cloned();
        let wanted = rendered
            .get("webhooks")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .find(|wanted| wanted.get("name") == name.as_ref());
        let expressions =
            wanted.and_then(|wanted| wanted.pointer("/namespaceSelector/matchExpressions")).and_then(Value::as_array);
        let Some(here) = entry.pointer_mut("/namespaceSelector/matchExpressions").and_then(Value::as_array_mut) else {
            continue;
        };
        let before = here.len();
        here.retain(|expression| {
            !enforcers.contains(expression) || expressions.is_some_and(|expressions| expressions.contains(expression))
        });
        any |= here.len() < before;
    }
    any
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::healthy::{change, healthy};
    use super::super::tests::findings;
    use crate::commands::doctor::finding::Level;

    type Alter = fn(&mut Value);

    /// What is changed in an entry, and what is said of it.
    const ALTERED: [(Alter, &str); 10] = [
        (|entry| entry["failurePolicy"] = json!("Ignore"), "failurePolicy is \"Ignore\", and should be \"Fail\""),
        (|entry| entry["timeoutSeconds"] = json!(1), "timeoutSeconds is 1, and should be 5"),
        (|entry| entry["rules"][0]["operations"] = json!(["CREATE"]), "rules[0].operations is [\"CREATE\"]"),
        (|entry| entry["objectSelector"] = json!({"matchLabels": {"a": "b"}}), "objectSelector is "),
        (|entry| entry["namespaceSelector"] = json!({"matchLabels": {"a": "b"}}), "namespaceSelector is "),
        (
            |entry| entry["matchConditions"][0]["expression"] = json!("false"),
            "matchConditions[confidential].expression is \"false\"",
        ),
        (
            |entry| entry["matchConditions"].as_array_mut().unwrap().push(json!({"name": "no", "expression": "false"})),
            "matchConditions[no] should not be there",
        ),
        (|entry| entry["matchPolicy"] = json!("Exact"), "matchPolicy is \"Exact\""),
        (|entry| entry["clientConfig"]["service"]["path"] = json!("/x"), "clientConfig.service.path is \"/x\""),
        (|entry| entry["clientConfig"] = json!({"url": "https://elsewhere.example"}), "clientConfig.service is missing"),
    ];

    #[test]
    fn an_altered_entry_is_told_with_its_field() {
        for (alter, expected) in ALTERED {
            let mut snapshot = healthy();
            change(&mut snapshot, "ValidatingWebhookConfiguration", |found| alter(&mut found["webhooks"][1]));
            let found = findings("webhooks", &snapshot);
            let start = "ValidatingWebhookConfiguration countersign: webhooks[judge.confidential-pods.countersign.dev].";
            assert!(found.iter().any(|finding| finding.problem.starts_with(&format!("{start}{expected}"))), "{found:?}");
            assert!(found.iter().all(|finding| finding.level == Level::Wrong));
        }
    }

    #[test]
    fn the_exec_door_is_no_difference_and_another_entry_is() {
        let add = |text: &str| {
            let mut snapshot = healthy();
            change(&mut snapshot, "ValidatingWebhookConfiguration", |found| {
                let mut patch: Vec<Value> = serde_saphyr::from_str(text).unwrap();
                found["webhooks"].as_array_mut().unwrap().push(patch[0]["value"].take());
            });
            findings("webhooks", &snapshot)
        };
        let shipped = include_str!("../../../../manifests/components/exec-door/entry.yaml");
        assert!(add(shipped).is_empty());
        let other = add(&shipped.replace(super::super::exec_door::NAME, "other.example.org"));
        assert!(other[0].problem.ends_with("webhooks[other.example.org] should not be there"), "{other:?}");
    }

    #[test]
    fn reinvocation_that_was_switched_off_is_told() {
        let mut snapshot = healthy();
        change(&mut snapshot, "MutatingWebhookConfiguration", |found| {
            found["webhooks"][0]["reinvocationPolicy"] = json!("Never");
        });
        assert!(
            findings("webhooks", &snapshot)[0].problem.ends_with("reinvocationPolicy is \"Never\", and should be \"IfNeeded\"")
        );
    }

    #[test]
    fn what_the_aks_enforcer_adds_is_a_warning_by_its_name() {
        let mut snapshot = healthy();
        change(&mut snapshot, "MutatingWebhookConfiguration", |found| {
            let enforced = json!([
                {"key": "control-plane", "operator": "NotIn", "values": ["true"]},
                {"key": "kubernetes.azure.com/managedby", "operator": "NotIn", "values": ["aks"]}
            ]);
            found["webhooks"][1]["namespaceSelector"] = json!({"matchExpressions": enforced});
        });
        let found = findings("webhooks", &snapshot);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].level, Level::Warning);
        assert!(found[0].problem.contains("the AKS admissions enforcer has added selectors"));
    }
}
