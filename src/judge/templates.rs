//! Warnings to whoever writes a workload, about the pods that its controller will make of the template.
//!
//! Why: the controller is refused, not the author, who finds out by the events of a `ReplicaSet` that has no pods.

use countersign_decision::creation;
use countersign_decision::facts::Known;
use countersign_decision::verdict::{Decision, Refusal, Verdict};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::review::Raw;

/// The parts of a workload that are read.
///
/// Source: Kubernetes API reference, apps/v1, batch/v1 and core/v1 `ReplicationController`.
#[derive(Deserialize)]
struct Workload {
    #[serde(default)]
    metadata: Metadata,
    spec: Spec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: String,
    generate_name: String,
    owner_references: Option<Vec<Owner>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Owner {
    controller: Option<bool>,
}

/// Where the kinds keep the template; a `CronJob` keeps it in that of its Jobs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    template: Option<Value>,
    job_template: Option<JobTemplate>,
}

#[derive(Deserialize)]
struct JobTemplate {
    spec: JobSpec,
}

#[derive(Deserialize)]
struct JobSpec {
    template: Option<Value>,
}

impl Spec {
    fn into_template(self) -> Option<Value> {
        self.job_template.and_then(|jobs| jobs.spec.template).or(self.template)
    }
}

/// What would be answered to the pods of the template, each reason one warning. It never refuses. Nothing is said of a workload that
/// another one controls, whose author was told already, nor where the template is as it was, nor in mode audit.
pub(super) fn warn(asked: &Raw<'_>, known: &Known<'_>) -> Verdict {
    let lines = lines(asked, known).unwrap_or_else(|problem| {
        vec![format!("template-unreadable: the template of the {} cannot be read: {problem}", asked.kind)]
    });
    let decision = if lines.is_empty() { Decision::Untouched } else { Decision::Warned };
    Verdict { decision, warnings: lines, ..Verdict::untouched() }
}

fn lines(asked: &Raw<'_>, known: &Known<'_>) -> Result<Vec<String>, String> {
    let read = |object: &RawValue| serde_json::from_str::<Workload>(object.get()).map_err(|error| error.to_string());
    let Workload { metadata, spec } = read(asked.object.ok_or("the request has no object")?)?;
    if metadata.owner_references.iter().flatten().any(|owner| owner.controller == Some(true)) {
        return Ok(Vec::new());
    }
    let Some(template) = spec.into_template() else { return Ok(Vec::new()) };
    let before = asked.old.and_then(|old| read(old).ok()).and_then(|old| old.spec.into_template());
    if before.as_ref() == Some(&template) {
        return Ok(Vec::new());
    }
    let name = if metadata.name.is_empty() { metadata.generate_name } else { metadata.name };
    let verdict =
        creation(&as_created(template, &name), &asked.namespace, known).map_err(|uncreatable| uncreatable.to_string())?;
    let of = format!("pods of {} {}/{name}", asked.kind, asked.namespace);
    let refused = verdict.refusals.iter().filter(|_| verdict.decision == Decision::Refused).map(Refusal::line);
    let refused = refused.map(|line| format!("{of} will be refused: {line}"));
    Ok(refused.chain(verdict.warnings.iter().map(|line| format!("{of} will be warned of: {line}"))).collect())
}

/// The pod that the workload's controller asks for: it has a generated name.
fn as_created(mut template: Value, name: &str) -> Value {
    if let Some(pod) = template.as_object_mut() {
        let metadata = pod.entry("metadata").or_insert_with(|| json!({}));
        if metadata.is_null() {
            *metadata = json!({});
        }
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("generateName".to_owned(), json!(format!("{name}-")));
        }
    }
    template
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use countersign_decision::configuration::Configuration;
    use countersign_decision::facts::Facts;

    use super::*;
    use crate::review::read_workload;

    fn told(kind: &str, object: &Value, old: &Value) -> Vec<String> {
        let group = if kind.ends_with("Job") { "batch" } else { "apps" };
        let body = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "u", "operation": if old.is_null() { "CREATE" } else { "UPDATE" }, "namespace": "kafka",
            "kind": {"group": group, "version": "v1", "kind": kind}, "object": object, "oldObject": old}})
        .to_string();
        let facts = Facts::unwatched(Arc::new(Configuration::built_in().unwrap()), "countersign-system");
        let known = Known { facts: &facts, now: jiff::Timestamp::UNIX_EPOCH, stale_since: None };
        let verdict = warn(&read_workload(body.as_bytes()).unwrap(), &known);
        assert!(verdict.allowed());
        verdict.warnings
    }

    fn workload(labels: &Value) -> Value {
        let spec = json!({"containers": [{"name": "c", "image": "i"}]});
        json!({"metadata": {"name": "w"}, "spec": {"template": {"metadata": {"labels": labels}, "spec": spec}}})
    }

    fn opted_in() -> Value {
        workload(&json!({"countersign.dev/confidential": "true"}))
    }

    #[test]
    fn a_template_without_a_policy_is_warned_of_wherever_its_kind_keeps_it() {
        let lines = told("Deployment", &opted_in(), &Value::Null);
        assert!(lines[0].starts_with("pods of Deployment kafka/w will be refused: policy-missing: "), "{lines:?}");
        let job = json!({"metadata": {"name": "w"}, "spec": {"jobTemplate": opted_in()}});
        assert!(
            told("CronJob", &job, &Value::Null)[0].starts_with("pods of CronJob kafka/w will be refused: policy-missing: ")
        );
        assert_eq!(told("Deployment", &workload(&json!({})), &Value::Null), Vec::<String>::new());
    }

    #[test]
    fn what_did_not_change_and_what_another_controls_is_not_told_again() {
        let mut scaled = opted_in();
        scaled["spec"]["replicas"] = json!(2);
        assert_eq!(told("Deployment", &scaled, &opted_in()), Vec::<String>::new());
        assert_eq!(told("Deployment", &opted_in(), &workload(&json!({}))).len(), 1);
        let mut owned = opted_in();
        owned["metadata"]["ownerReferences"] = json!([{"controller": true}]);
        assert_eq!(told("ReplicaSet", &owned, &Value::Null), Vec::<String>::new());
        owned["metadata"]["ownerReferences"] = json!([{"name": "app"}]);
        assert_eq!(told("ReplicaSet", &owned, &Value::Null).len(), 1, "an owner that controls nothing");
    }

    #[test]
    fn what_cannot_be_read_is_let_through_with_a_warning() {
        for object in
            [Value::Null, json!(1), json!({}), json!({"spec": {"template": 1}}), json!({"spec": {"template": {"spec": 1}}})]
        {
            let lines = told("Deployment", &object, &Value::Null);
            assert!(lines[0].starts_with("template-unreadable: the template of the Deployment cannot be read: "), "{lines:?}");
        }
    }
}
