//! `countersign doctor` against a real kube-apiserver: a healthy installation passes every check, and each fault is found by its
//! check, in words. What only a node can show (that pods run, that the Service network leads to them) is stood in for: `way`.

mod client_certificates;
mod clinic;
mod documents;
mod faults;
mod way;

use std::path::Path;

use serde_json::json;

use self::clinic::{Clinic, doctor};
use self::faults::FAULTS;
use crate::site::apply;

#[test]
fn a_healthy_installation_is_all_green_and_each_fault_is_found_by_its_check() {
    let clinic = Clinic::open();
    let healthy = clinic.doctor_until(|report| report.code == 0);
    assert_eq!((healthy.code, healthy.at_fault()), (0, Vec::new()), "{}", healthy.text);
    assert!(healthy.text.contains("ok       refusal") && healthy.text.ends_with("checks: 23 ok\n"), "{}", healthy.text);
    assert!(!healthy.text.contains('\u{1b}'), "no colour but on a terminal");

    for fault in &FAULTS {
        let undo = (fault.inject)(&clinic);
        let report = clinic.doctor_until(|report| report.check(fault.check).1.contains(fault.says));
        let (level, problems) = report.check(fault.check);
        assert_eq!(report.code, 1, "{}: {}", fault.name, report.text);
        assert_eq!(level, "wrong", "{}: {}", fault.name, report.text);
        assert!(problems.contains(fault.says), "{}: {problems}", fault.name);
        assert!(report.text.contains(&format!("wrong    {:16}", fault.check)), "{}: {}", fault.name, report.text);
        println!("{}: {}", fault.name, problems.lines().next().unwrap_or_default());
        undo(&clinic);
    }
    let healed = clinic.doctor_until(|report| report.code == 0);
    assert_eq!((healed.code, healed.at_fault()), (0, Vec::new()), "{}", healed.text);

    what_runs_is_counted_before_it_is_enforced(&clinic);
    who_may_read_nothing_is_told_so(&clinic);
    documents::a_revoked_policy_is_refused_and_who_still_runs_it_is_found(&clinic);
    documents::break_glass_opens_admission_and_is_closed_again(&clinic);
    documents::the_other_lines_can_be_typed(&clinic);
    documents::uninstalling_leaves_no_locked_cluster(&clinic);
}

/// The story of docs/rollout.md: audit, count, list what runs, enforce.
fn what_runs_is_counted_before_it_is_enforced(clinic: &Clinic) {
    use base64::Engine as _;
    crate::site::block_on(clinic.server.namespace("older", &[("countersign.dev/mode", "audit")], &[])).unwrap();
    let policy = base64::engine::general_purpose::STANDARD.encode("package agent_policy\n# runs already\n");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "older-1", "namespace": "older", "annotations": {"io.katacontainers.config.agent.policy": policy}},
        "spec": {"runtimeClassName": "kata-cc-isolation", "containers": [{"name": "c", "image": "i"}]}
    });
    crate::site::until("the webhook knows the namespace", || {
        let answer = crate::pods::create(&clinic.server, &pod, false);
        answer.stored.ok()
    });
    let counted = clinic.doctor();
    let (level, problem) = counted.check("running-pods");
    assert_eq!((counted.code, level), (0, "warning"), "{}", counted.text);
    let expected =
        "namespace older (mode audit): 1 running pod would be refused in mode enforce: older-1; 1 by policy-not-allowed";
    assert!(problem.starts_with(expected), "{problem}");
    assert_eq!(counted.json["refusedToday"]["older"]["reasons"], json!({"policy-not-allowed": 1}));
    assert_eq!(counted.json["refusedToday"]["older"]["mode"], "audit");

    clinic.kubectl(&["label", "namespace", "older", "--overwrite", "countersign.dev/mode=enforce"]);
    let enforced = clinic.doctor();
    let (level, problem) = enforced.check("running-pods");
    assert_eq!((enforced.code, level), (1, "wrong"), "{}", enforced.text);
    assert!(problem.contains("1 running pod would be refused today: older-1"), "{problem}");

    let seeded = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["allow", "--from-cluster", "--kubeconfig"])
        .arg(clinic.server.kubeconfig_path())
        .output()
        .unwrap();
    let list = String::from_utf8(seeded.stdout).unwrap();
    assert!(list.contains("namespaces: [older]") && list.contains("name: \"as Pod older-1 ran\""), "{list}");
    apply(&clinic.server, &list);
    let listed = clinic.doctor_until(|report| report.code == 0);
    assert_eq!((listed.code, listed.check("running-pods").0), (0, "ok"), "{}", listed.text);
}

fn who_may_read_nothing_is_told_so(clinic: &Clinic) {
    let report = clinic.doctor_as(&["--context", "ann"]);
    assert_eq!(report.code, 1, "{}", report.text);
    for check in
        ["nodes", "rights", "webhooks", "certificate", "refusal", "ordinary-pod", "allow-list", "running-pods", "deployment"]
    {
        let (level, problem) = report.check(check);
        assert_eq!(level, "unknown", "{check}: {problem}");
        assert!(problem.contains("User \"ann\" cannot "), "{check}: {problem}");
    }
}

#[test]
fn without_an_api_server_there_is_nothing_to_look_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [], "contexts": [{"name": "c", "context": {"cluster": "c", "user": ""}}]
    });
    std::fs::write(&path, config.to_string()).unwrap();
    let report = doctor(&path, &[]);
    assert_eq!(report.code, 2, "{}", report.text);
    assert!(report.text.contains("the API server cannot be reached: ") && report.text.contains("refused"), "{}", report.text);
    let report = doctor(Path::new("/no/such/file"), &[]);
    assert!(report.code == 2 && report.text.contains("cannot use /no/such/file"), "{}", report.text);
}
