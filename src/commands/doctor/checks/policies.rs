//! The admission policies and their bindings are as they were rendered, and the API server could compile them.
//!
//! Why: they hold while no webhook is up.

use serde_json::Value;

use crate::commands::doctor::difference::differences;
use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::{Snapshot, text};

const KINDS: [&str; 2] = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"];

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let mut findings = Vec::new();
    let mut count = 0_usize;
    for wanted in snapshot.of_kinds(&KINDS) {
        count += 1;
        let Some(found) = super::present(wanted, snapshot, &mut findings) else { continue };
        for difference in differences(&wanted.rendered, found) {
            findings.push(Finding::wrong(format!("{}: {difference}", wanted.title()), snapshot.reapply()));
        }
        for warning in found.pointer("/status/typeChecking/expressionWarnings").and_then(Value::as_array).into_iter().flatten()
        {
            let problem = format!(
                "{}: the API server warns of {}: {}",
                wanted.title(),
                text(warning, "/fieldRef"),
                text(warning, "/warning")
            );
            findings.push(Finding::warning(problem, snapshot.reapply()));
        }
    }
    // A webhook configuration that cannot be read tells as much of these: the same right is missing.
    if count == 0 {
        findings.extend(
            snapshot
                .of_kinds(&["ValidatingWebhookConfiguration"])
                .filter_map(|wanted| wanted.found.as_ref().err())
                .map(Finding::unknown),
        );
    }
    Examined::new(format!("{count} admission policies and bindings are as they were installed"), findings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::healthy::healthy;
    use super::super::tests::findings;
    use crate::commands::doctor::snapshot::Wanted;

    #[test]
    fn an_altered_policy_or_binding_is_told() {
        let mut snapshot = healthy();
        let rendered = json!({"kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"]}});
        let mut found = rendered.clone();
        found["spec"]["matchResources"] = json!({"namespaceSelector": {}, "objectSelector": {}, "matchPolicy": "Equivalent"});
        snapshot.objects.push(Wanted { rendered: rendered.clone(), found: Ok(Some(found.clone())) });
        assert_eq!(findings("policies", &snapshot), []);
        found["spec"]["validationActions"] = json!(["Audit"]);
        snapshot.objects.push(Wanted { rendered, found: Ok(Some(found)) });
        assert_eq!(
            findings("policies", &snapshot)[0].problem,
            "ValidatingAdmissionPolicyBinding b: spec.validationActions is [\"Audit\"], and should be [\"Deny\"]"
        );
    }
}
