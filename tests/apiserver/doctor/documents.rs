//! What the documents tell people to type does what they say: docs/incident.md and docs/operations.md.

use std::process::Command;

use serde_json::{Value, json};

use super::clinic::Clinic;
use crate::pods::create;
use crate::site::{apply, until};

const OPERATIONS: &str = include_str!("../../../docs/operations.md");
const INCIDENT: &str = include_str!("../../../docs/incident.md");

/// The lines of a document that begin like this.
fn lines<'a>(document: &'a str, beginning: &'a str) -> impl Iterator<Item = &'a str> {
    document.lines().map(str::trim).filter(move |line| line.starts_with(beginning))
}

/// Runs a line as a shell would: words, and what stands between quotes as one; without what follows a comment or redirection.
fn run(clinic: &Clinic, line: &str) -> String {
    let line = [" > ", " #"].iter().fold(line, |line, sign| line.split(sign).next().unwrap_or_default());
    let mut words = Vec::new();
    for (index, part) in line.strip_prefix("kubectl ").unwrap().split('\'').enumerate() {
        if index % 2 == 1 { words.push(part) } else { words.extend(part.split_whitespace()) }
    }
    clinic.kubectl(&words)
}

fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "older"},
        "spec": {"runtimeClassName": "kata-cc-isolation", "containers": [{"name": "c", "image": "i"}]}
    })
}

/// The pod `older-1` runs with a listed policy: it is revoked and found.
pub(super) fn a_revoked_policy_is_refused_and_who_still_runs_it_is_found(clinic: &Clinic) {
    let digest = countersign_policy::Digest::sha256_of(b"package agent_policy\n# runs already\n").to_string();
    // Two on one day: the second must not lift the first.
    apply(&clinic.server, &revocation(&digest));
    apply(&clinic.server, &revocation(&countersign_policy::Digest::sha256_of(b"another").to_string()));
    let report = clinic.doctor();
    let (_, problem) = report.check("running-pods");
    assert!(problem.contains("1 by policy-revoked"), "{}", report.text);

    let path = clinic.server.folder().join("pods.json");
    std::fs::write(&path, clinic.kubectl(&["get", "pods", "--all-namespaces", "-o", "json"])).unwrap();
    let found = Command::new(env!("CARGO_BIN_EXE_countersign")).args(["digest", "-f"]).arg(&path).output().unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    assert!(found.contains(&format!("{digest}  Pod/older/older-1\n")), "{found}");
    let filter = INCIDENT.split("jq -r '").nth(1).unwrap().split('\'').next().unwrap();
    let by_hand = Command::new("jq").args(["-r", filter]).arg(&path).output().expect("jq is installed");
    assert!(String::from_utf8(by_hand.stdout).unwrap().starts_with("older/older-1\t"));
}

/// What the shell makes of the ConfigMap in the document.
fn revocation(digest: &str) -> String {
    let list = INCIDENT.split("<<END\n").nth(1).unwrap().split("END\n").next().unwrap();
    let script = format!("DIGEST={digest}\ncat <<END\n{list}END\n");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The webhook does not answer: the door is opened as documented, and closed again.
pub(super) fn break_glass_opens_admission_and_is_closed_again(clinic: &Clinic) {
    clinic.way.cut(true);
    let refusal = create(&clinic.server, &pod("in-need"), true).stored.unwrap_err();
    assert!(refusal.contains("failed calling webhook \"complete.confidential-pods.countersign.dev\""), "{refusal}");
    let metrics = clinic.kubectl(&["get", "--raw", "/metrics"]);
    let counted = metrics
        .lines()
        .find(|line| {
            line.starts_with("apiserver_admission_webhook_rejection_count{")
                && line.contains("complete.confidential-pods.countersign.dev")
        })
        .unwrap();
    assert!(counted.contains("error_type=\"calling_webhook_error\""), "{counted}");
    let doors: Vec<_> = lines(OPERATIONS, "kubectl patch ").collect();
    let [open @ .., close_mutating, close_validating] = &doors[..] else { panic!("{doors:?}") };
    assert_eq!(open.len(), 2, "one for each webhook configuration");
    for door in open {
        run(clinic, door);
    }
    until("the API server goes on without the webhook", || {
        create(&clinic.server, &with_policy(pod("in-need")), true).stored.ok()
    });
    let open = clinic.doctor();
    assert_eq!(open.check("webhooks").0, "wrong", "{}", open.text);

    clinic.way.cut(false);
    run(clinic, close_mutating);
    run(clinic, close_validating);
    let closed = clinic.doctor_until(|report| report.check("refusal").0 == "ok");
    assert_eq!(
        (closed.check("webhooks").0, closed.check("refusal").0, closed.check("ca-bundle").0),
        ("ok", "ok", "ok"),
        "{}",
        closed.text
    );
}

/// With a policy, which the admission policies ask for while no webhook is up.
fn with_policy(mut pod: Value) -> Value {
    pod["metadata"]["annotations"] = json!({"io.katacontainers.config.agent.policy": "cGFja2FnZSBwCg=="});
    pod
}

/// What is read, and what is labelled, in the other lines.
pub(super) fn the_other_lines_can_be_typed(clinic: &Clinic) {
    const RELEASING: &str = include_str!("../../../docs/releasing.md");
    const ROLLOUT: &str = include_str!("../../../docs/rollout.md");
    // Here no configuration is installed, and no namespace is called kafka.
    let typed = |line: &&str| !line.contains("countersign-configuration") && !line.contains(" kafka ");
    let mut count = 0;
    for document in [OPERATIONS, RELEASING, ROLLOUT] {
        for line in lines(document, "kubectl get ").chain(lines(document, "kubectl label namespaces ")).filter(typed) {
            run(clinic, line);
            count += 1;
        }
    }
    assert!(count >= 6, "{count} lines were run");
}

/// Nothing stays that would refuse a pod.
pub(super) fn uninstalling_leaves_no_locked_cluster(clinic: &Clinic) {
    let before: Vec<_> = lines(OPERATIONS, "kubectl delete ").collect();
    assert_eq!(before.len(), 2, "{before:?}");
    let opened = include_str!("../../../manifests/components/instance-metadata/allow-countersigned.yaml");
    let output = clinic.server.kubectl_with_input(&["apply", "-n", "older", "-f", "-"], opened).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for line in before {
        run(clinic, line);
    }
    let opened = clinic.kubectl(&["get", "networkpolicies", "-n", "older", "-o", "name"]);
    assert_eq!(opened, "", "the label proves nothing any more");
    let manifests = Command::new(env!("CARGO_BIN_EXE_countersign")).arg("manifests").output().unwrap();
    // There is no controller here that would finish the deletion of the namespace.
    let delete = ["delete", "--ignore-not-found", "--wait=false", "-f", "-"];
    let output = clinic.server.kubectl_with_input(&delete, &String::from_utf8(manifests.stdout).unwrap()).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let left = "mutatingwebhookconfigurations,validatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings,clusterroles,clusterrolebindings";
    let left = clinic.kubectl(&["get", left, "-l", "app.kubernetes.io/name=countersign", "-o", "name"]);
    assert_eq!(left, "");
    until("confidential pods are nobody's business", || create(&clinic.server, &pod("free"), true).stored.ok());
    let gone = clinic.doctor_as(&[]);
    assert_eq!(gone.code, 1);
    assert!(gone.check("webhooks").1.contains("MutatingWebhookConfiguration countersign is missing"), "{}", gone.text);
}
