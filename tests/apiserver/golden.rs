//! The golden cases, replayed: the same folders that the unit tests read, asked by a real API server.

use std::collections::{BTreeMap, HashMap};

use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_decision::{facts::Known, mutate};
use countersign_golden::{
    Case, ExpectedPod, ExpectedVerdict, Given, NAMESPACE, Reason, change_cases, missing, rule_cases, warning_cases,
};
use countersign_policy::{Limits, Measured};
use serde_json::{Value, json};

use crate::pods::{Answer, create, delete, run};
use crate::site::{Site, apply, block_on, probe, runtime_class, until, without_policies};

#[test]
fn every_rule_case_that_can_be_replayed_gets_the_verdict_of_its_folder() {
    let cases = rule_cases()
        .unwrap()
        .into_iter()
        .filter(|case| case.expected.as_stored.is_none() && case.expected.not_replayed.is_none());
    let replayed = each(cases, |_| (), replay_rule);
    assert!(replayed > 50, "only {replayed} cases are replayed");
}

#[test]
fn every_change_case_gets_the_pod_of_its_folder() {
    // What /validate would say of the completed pod is not the point here.
    let alone = |site: &Site| {
        let output = site.server.kubectl(&["delete", "validatingwebhookconfigurations", "--all"]).unwrap();
        assert!(output.status.success());
        until("/validate is no longer called", || (!probe(&site.server).contains("judge.")).then_some(()));
    };
    let replayed = each(change_cases().unwrap().into_iter(), alone, replay_change);
    assert!(replayed > 20, "only {replayed} cases are replayed");
}

#[test]
fn every_warning_case_gets_the_warnings_of_its_folder() {
    let cases = warning_cases().unwrap().into_iter().filter(|case| case.expected.not_replayed.is_none());
    let replayed = each(cases, |_| (), replay_warning);
    assert!(replayed > 5, "only {replayed} cases are replayed");
}

/// Replays cases on one site for each configuration, and shows all that fail.
fn each<E>(
    cases: impl Iterator<Item = Case<E>>,
    prepare: impl Fn(&Site),
    replay: impl Fn(&Site, &mut World, &Case<E>) -> Result<(), String>,
) -> usize {
    let mut by_configuration: BTreeMap<String, Vec<Case<E>>> = BTreeMap::new();
    for case in cases {
        by_configuration.entry(case.given.configuration.to_string()).or_default().push(case);
    }
    let (mut failed, mut replayed) = (Vec::new(), 0);
    for (configuration, cases) in by_configuration {
        let site = Site::open(Some(&configuration));
        // A policy would answer first, with the one thing that it knows.
        without_policies(&site.server);
        prepare(&site);
        let mut world = World::default();
        for case in cases {
            replayed += 1;
            world.turn_into(&site, &case.given, &case.given.allow_list);
            failed.extend(replay(&site, &mut world, &case).err().map(|why| format!("{}/{}: {why}", case.row, case.name)));
        }
    }
    assert!(failed.is_empty(), "{} of {replayed} cases fail:\n{}", failed.len(), failed.join("\n"));
    replayed
}

/// What the webhook knows of the cluster: only what differs from the case before is changed.
#[derive(Default)]
struct World {
    labels: Option<BTreeMap<String, String>>,
    classes: Option<HashMap<String, String>>,
    entries: Option<Value>,
    nodes: Option<Vec<BTreeMap<String, String>>>,
}

impl World {
    /// Makes the cluster what a case says, and waits until the webhook knows it.
    fn turn_into(&mut self, Site { server, webhook }: &Site, given: &Given, entries: &Value) {
        if self.labels.replace(given.namespace_labels.clone()).as_ref() != Some(&given.namespace_labels) {
            let labels: Vec<(&str, &str)> =
                given.namespace_labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            block_on(server.namespace(NAMESPACE, &labels, &["workload-identity-sa", "other"])).unwrap();
            let output = server.kubectl(&["get", "namespace", NAMESPACE, "-o", "json"]).unwrap();
            webhook.has_seen("namespaces", &serde_json::from_slice(&output.stdout).unwrap());
        }
        if self.classes.replace(given.runtime_classes.clone()).as_ref() != Some(&given.runtime_classes) {
            let output = server.kubectl(&["delete", "runtimeclasses", "--all"]).unwrap();
            assert!(output.status.success());
            for (name, handler) in &given.runtime_classes {
                webhook.has_seen("runtimeclasses", &apply(server, &runtime_class(name, handler).to_string()));
            }
        }
        if let Some(nodes) = given.nodes.as_ref().filter(|nodes| self.nodes.as_ref() != Some(nodes)) {
            assert!(server.kubectl(&["delete", "nodes", "--all"]).unwrap().status.success());
            for (index, labels) in nodes.iter().enumerate() {
                let metadata = json!({"name": format!("node-{index}"), "labels": labels});
                let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": metadata});
                webhook.has_seen("nodes", &apply(server, &node.to_string()));
            }
            self.nodes = Some(nodes.clone());
        }
        if self.entries.replace(entries.clone()).as_ref() != Some(entries) {
            let list = json!({
                "apiVersion": "v1", "kind": "ConfigMap", "data": {"golden.yaml": entries.to_string()},
                "metadata": {"name": "allow-list", "namespace": "countersign-system", "labels": {"countersign.dev/allow-list": "true"}}
            });
            webhook.has_seen("configmaps", &apply(server, &list.to_string()));
        }
    }
}

/// The pod as it is sent: of a user who gives its API version.
fn sent(pod: &Value) -> Value {
    let mut pod = pod.clone();
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["namespace"] = json!(NAMESPACE);
    pod
}

fn replay_rule(site: &Site, world: &mut World, case: &Case<ExpectedVerdict>) -> Result<(), String> {
    let answer = match &case.old {
        None => create(&site.server, &sent(&case.pod), true),
        Some(old) => update(site, world, case, old)?,
    };
    let Case { expected, .. } = case;
    match (&answer.stored, expected.decision.as_str()) {
        (Err(refusal), "refused") => says(refusal, &expected.refused)?,
        (Ok(_), "refused") => return Err("it is admitted".to_owned()),
        (Err(refusal), _) => return Err(format!("it is refused: {refusal}")),
        (Ok(_), _) => {}
    }
    let warned = expected.decision == "warned";
    let lines = expected.warnings.iter().map(String::as_str);
    lines.chain(expected.refused.iter().filter(|_| warned).map(|reason| reason.because.as_str())).try_for_each(|line| {
        // The API server cuts long warnings once they are many; their beginning always stands.
        let begins: String = line.chars().take(120).collect();
        answer.warnings.contains(&begins).then_some(()).ok_or(format!("the warning {begins:?} is not in {:?}", answer.warnings))
    })
}

/// Whether a refusal names every reason with its next step.
fn says(refusal: &str, reasons: &[Reason]) -> Result<(), String> {
    reasons.iter().try_for_each(|Reason { id, because, next }| {
        let told = refusal.contains(&format!("{id}: {because}.")) && next.lines().all(|line| refusal.contains(line));
        told.then_some(()).ok_or(format!("{id}: {because}. {next}\n  is not in: {refusal}"))
    })
}

/// Creates the old pod where everything is listed, then makes of it what the case makes of it.
fn update(site: &Site, world: &mut World, case: &Case<ExpectedVerdict>, old: &Value) -> Result<Answer, String> {
    let name = old["metadata"]["name"].as_str().unwrap();
    world.turn_into(
        site,
        &Given {
            namespace_labels: case.given.namespace_labels.clone(),
            configuration: case.given.configuration.clone(),
            ..Given::default()
        },
        &everything(old),
    );
    let stored =
        create(&site.server, &sent(old), false).stored.map_err(|refusal| format!("the old pod is refused: {refusal}"))?;
    world.turn_into(site, &case.given, &case.given.allow_list);
    // What the user changes, between the two pods as they are completed: the API server's own additions stay.
    let change = json_patch::diff(&completed(case, old, old), &completed(case, old, &case.pod));
    let mut wanted = stored;
    json_patch::patch(&mut wanted, &change).map_err(|error| error.to_string())?;
    let through = if change.to_string().contains("ephemeralContainers") { "/ephemeralcontainers" } else { "" };
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{name}{through}");
    let answer = run(&site.server, &["replace", "--raw", &path, "-f", "-"], &wanted);
    // Away with it, whatever holds it: a finalizer would make the deletion wait.
    let free = r#"{"metadata":{"finalizers":null}}"#;
    assert!(site.server.kubectl(&["patch", "pod", "-n", NAMESPACE, name, "-p", free]).unwrap().status.success());
    delete(&site.server, NAMESPACE, name);
    until("the pod is gone", || {
        (!site.server.kubectl(&["get", "pod", "-n", NAMESPACE, name]).unwrap().status.success()).then_some(())
    });
    Ok(answer)
}

/// An allow-list for the policy that a pod carries.
fn everything(pod: &Value) -> Value {
    let carried = Measured::carried(|key| pod["metadata"]["annotations"][key].as_str());
    let (measured, annotation) = carried.unwrap().unwrap_or((Measured::AgentPolicy, ""));
    match measured.read(annotation, Limits::OFFLINE) {
        Ok(reading) => json!([{"digest": reading.digest.to_string(), "namespaces": ["*"]}]),
        Err(_) => json!([]),
    }
}

/// The pod with the patch that completes `old`.
fn completed(case: &Case<ExpectedVerdict>, old: &Value, pod: &Value) -> Value {
    let facts = case.given.facts().unwrap();
    let text = old.to_string();
    let request = PodRequest {
        operation: Operation::Create,
        namespace: NAMESPACE,
        required: false,
        groups: Vec::new(),
        pod: Pod::from_json(&text).unwrap(),
        old: None,
    };
    let patch =
        mutate(&request, &Known { facts: &facts, now: "2027-01-01T00:00:00Z".parse().unwrap(), stale_since: None }).patch;
    let mut pod = pod.clone();
    json_patch::patch(&mut pod, &patch).unwrap();
    pod
}

/// What is warned of may be refused by others: that the user is told is the point.
fn replay_warning(site: &Site, _: &mut World, case: &Case<ExpectedVerdict>) -> Result<(), String> {
    let answer = create(&site.server, &sent(&case.pod), true);
    let forbidden = answer.stored.as_ref().err().filter(|refusal| !refusal.contains("violates PodSecurity"));
    if let Some(refusal) = forbidden {
        return Err(format!("it is refused: {refusal}"));
    }
    let id = format!("{}: ", case.row);
    let told: Vec<_> = answer.warnings.lines().filter(|line| line.contains(&id)).collect();
    let expected: Vec<_> = case.expected.warnings.iter().map(|line| format!("Warning: {line}")).collect();
    (told == expected).then_some(()).ok_or_else(|| format!("it is told {told:?}"))
}

fn replay_change(site: &Site, _: &mut World, case: &Case<ExpectedPod>) -> Result<(), String> {
    let answer = create(&site.server, &sent(&case.pod), true);
    match (&case.expected, answer.stored) {
        (ExpectedPod::Refused(reasons), Err(refusal)) => says(&refusal, reasons),
        (ExpectedPod::Refused(_), Ok(_)) => Err("it is admitted".to_owned()),
        (_, Err(refusal)) => Err(format!("it is refused: {refusal}")),
        (ExpectedPod::Unchanged, Ok(stored)) => match missing(&sent(&case.pod), &stored) {
            None => Ok(()),
            Some(path) => Err(format!("{path} in {stored}")),
        },
        (ExpectedPod::Completed(completed), Ok(stored)) => match missing(completed, &stored) {
            None => Ok(()),
            Some(path) => Err(format!("{path} in {stored}")),
        },
    }
}
