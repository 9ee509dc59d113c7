//! The exec door, where it is installed: its entry is as it was shipped, and somebody answers it; where it is not, no namespace
//! relies on it.
//!
//! Why: whoever narrows the entry, or lets it fail open, opens the ways into confidential pods, and nothing else would show it.
//! Reads: the entry in the validating webhook configuration, the flag of the Deployment, the label `countersign.dev/exec` of namespaces.
//! Allows: what the API server fills in, and what the AKS admissions enforcer adds, which check `webhooks` tells.

use countersign_decision::labels::EXEC;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::webhooks::take_out_enforcer;
use crate::commands::doctor::difference::differences;
use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::{Snapshot, Unseen};

/// The name of its entry.
pub(super) const NAME: &str = "guard.ways-into-confidential-pods.countersign.dev";
/// The entry, as a patch of kustomize.
const SHIPPED: &str = include_str!("../../../../manifests/components/exec-door/entry.yaml");
const CONFIGURATION: &str = "ValidatingWebhookConfiguration";
const DEPLOYMENT: &str = "Deployment";
const INSTALL: &str = "kubectl kustomize manifests/overlays/exec-door | kubectl apply --server-side -f -    # docs/exec-door.md, also for other overlays";

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let unseen = unseen(snapshot);
    if !unseen.is_empty() {
        return Examined::new("", unseen.into_iter().map(Finding::unknown).collect());
    }
    let guarded = guarded(snapshot);
    let entry = entries(snapshot).find(|entry| entry.get("name").and_then(Value::as_str) == Some(NAME));
    let mut findings = Vec::new();
    let mut wrong = |problem: String, mend: &str| findings.push(Finding::wrong(problem, mend.to_owned()));
    match (entry, is_answered(snapshot)) {
        (None, false) if !guarded.is_empty() => wrong(
            format!(
                "{} labelled {EXEC}: guarded, and there is no exec door: nobody is asked who goes into pods there",
                are(&guarded)
            ),
            INSTALL,
        ),
        (None, true) => wrong(
            format!("the Deployment has flag --exec-door, and entry {NAME} is missing: nobody is asked who goes into pods"),
            INSTALL,
        ),
        (Some(_), false) => wrong(
            format!(
                "entry {NAME} is there, and the Deployment lacks flag --exec-door: who does not hold the verb gets into no pod of a guarded namespace"
            ),
            INSTALL,
        ),
        _ => {}
    }
    for difference in entry.into_iter().flat_map(|entry| altered(entry, &snapshot.namespace)) {
        wrong(format!("{CONFIGURATION} countersign: {difference}"), INSTALL);
    }
    let says = if entry.is_some() {
        format!("the exec door is as it was installed, and guards {} namespaces", guarded.len())
    } else {
        "there is none, and no namespace relies on it".to_owned()
    };
    Examined::new(says, findings)
}

/// What was to be read and could not be.
fn unseen(snapshot: &Snapshot) -> Vec<&Unseen> {
    let objects = snapshot.of_kinds(&[CONFIGURATION, DEPLOYMENT]).filter_map(|wanted| wanted.found.as_ref().err());
    objects.chain(snapshot.namespaces.as_ref().err()).collect()
}

fn guarded(snapshot: &Snapshot) -> Vec<String> {
    let namespaces = snapshot.namespaces.iter().flatten();
    let guarded = namespaces.filter(|namespace| namespace.labels().get(EXEC).is_some_and(|value| value == "guarded"));
    guarded.map(ResourceExt::name_any).collect()
}

fn are(namespaces: &[String]) -> String {
    match namespaces {
        [one] => format!("namespace {one} is"),
        all => format!("namespaces {} are", all.join(", ")),
    }
}

fn entries(snapshot: &Snapshot) -> impl Iterator<Item = &Value> {
    let found = snapshot.found(CONFIGURATION).and_then(|found| found.get("webhooks")).and_then(Value::as_array);
    found.into_iter().flatten()
}

fn is_answered(snapshot: &Snapshot) -> bool {
    let arguments = snapshot.found(DEPLOYMENT).and_then(|found| found.pointer("/spec/template/spec/containers/0/args"));
    arguments.and_then(Value::as_array).into_iter().flatten().any(|argument| argument == "--exec-door")
}

/// How the entry differs from the one that was shipped, for an installation in this namespace.
fn altered(entry: &Value, namespace: &str) -> Vec<String> {
    let patch = serde_saphyr::from_str::<Vec<Value>>(SHIPPED).ok();
    let mut shipped = patch.and_then(|mut patch| Some(patch.first_mut()?.get_mut("value")?.take())).unwrap_or_default();
    if let Some(named) = shipped.pointer_mut("/clientConfig/service/namespace") {
        *named = json!(namespace);
    }
    let (shipped, mut found) = (json!({"webhooks": [shipped]}), json!({"webhooks": [entry]}));
    take_out_enforcer(&mut found, &shipped);
    differences(&shipped, &found)
}

#[cfg(test)]
mod tests {
    use super::super::healthy::{change, healthy};
    use super::super::tests::findings;
    use super::*;

    fn guard(snapshot: &mut Snapshot) {
        let namespaces = snapshot.namespaces.as_mut().unwrap();
        namespaces[0].metadata.labels.as_mut().unwrap().insert(EXEC.to_owned(), "guarded".to_owned());
    }

    fn with_entry(snapshot: &mut Snapshot, alter: impl FnOnce(&mut Value)) {
        change(snapshot, CONFIGURATION, |found| {
            let mut patch: Vec<Value> = serde_saphyr::from_str(SHIPPED).unwrap();
            let mut entry = patch[0]["value"].take();
            alter(&mut entry);
            found["webhooks"].as_array_mut().unwrap().push(entry);
        });
    }

    fn with_flag(snapshot: &mut Snapshot) {
        change(snapshot, DEPLOYMENT, |found| {
            found["spec"]["template"]["spec"]["containers"][0]["args"] = json!(["serve", "--exec-door"]);
        });
    }

    fn problems(snapshot: &Snapshot) -> Vec<String> {
        findings("exec-door", snapshot).into_iter().map(|finding| finding.problem).collect()
    }

    #[test]
    fn a_whole_door_passes_with_what_others_fill_in() {
        let mut snapshot = healthy();
        guard(&mut snapshot);
        with_flag(&mut snapshot);
        with_entry(&mut snapshot, |entry| {
            entry["clientConfig"]["caBundle"] = json!("x");
            entry["objectSelector"] = json!({});
            entry["namespaceSelector"]["matchExpressions"] =
                json!([{"key": "control-plane", "operator": "NotIn", "values": ["true"]}]);
        });
        assert_eq!(problems(&snapshot), Vec::<String>::new());
        assert_eq!(examine(&snapshot).says, "the exec door is as it was installed, and guards 1 namespaces");
    }

    #[test]
    fn what_is_missing_of_it_is_told_with_what_comes_of_that() {
        let mut snapshot = healthy();
        guard(&mut snapshot);
        assert!(
            problems(&snapshot)[0]
                .starts_with("namespace payments is labelled countersign.dev/exec: guarded, and there is no exec door")
        );
        with_flag(&mut snapshot);
        assert!(problems(&snapshot)[0].contains("is missing: nobody is asked who goes into pods"));
        let mut snapshot = healthy();
        with_entry(&mut snapshot, |_| ());
        assert!(problems(&snapshot)[0].contains("the Deployment lacks flag --exec-door"));
    }

    #[test]
    fn an_altered_entry_is_told_with_its_field() {
        type Alter = fn(&mut Value);
        let alterations: [(Alter, &str); 5] = [
            (|entry| entry["failurePolicy"] = json!("Ignore"), "failurePolicy is \"Ignore\", and should be \"Fail\""),
            (|entry| entry["rules"][0]["resources"] = json!(["pods/exec"]), "rules[0].resources is "),
            (
                |entry| entry["matchConditions"][0]["expression"] = json!("false"),
                "matchConditions[caller-lacks-the-verb].expression is ",
            ),
            (
                |entry| entry["namespaceSelector"] = json!({"matchLabels": {"a": "b"}}),
                "namespaceSelector.matchLabels.countersign.dev/exec is missing",
            ),
            (
                |entry| entry["clientConfig"]["service"]["namespace"] = json!("other"),
                "clientConfig.service.namespace is \"other\"",
            ),
        ];
        for (alter, says) in alterations {
            let mut snapshot = healthy();
            with_flag(&mut snapshot);
            with_entry(&mut snapshot, alter);
            let found = problems(&snapshot);
            let start = format!("ValidatingWebhookConfiguration countersign: webhooks[{NAME}].{says}");
            assert!(found.iter().any(|problem| problem.starts_with(&start)), "{says}: {found:?}");
        }
    }
}
