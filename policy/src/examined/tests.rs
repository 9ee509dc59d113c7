// The real policies stand beside the project.
#![allow(clippy::disallowed_methods)]

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::digest::Digest;
use crate::engine::InProcess;
use crate::reading::PolicyReading;

/// A policy as generators lay it out, with what a test says of the requests.
fn policy(rules: &str, exec_process: &str) -> String {
    format!(
        r#"package agent_policy
import future.keywords.in
import future.keywords.if
{rules}
ExecProcessRequest if {{
    some pattern in policy_data.request_defaults.ExecProcessRequest.regex
    regex.match(pattern, concat(" ", input.process.Args))
    data.pstate[input.container_id] == 0
}}
policy_data := {{"containers": [{{"OCI": {{"Process": {{"Args": ["/a"]}}}}, "exec_commands": [["ls", "-l"]]}}],
    "request_defaults": {{"ExecProcessRequest": {exec_process}}}}}
"#
    )
}

fn examined(text: &str) -> Result<Examined, Unexaminable> {
    Examined::of(&Arc::new(Document::AgentPolicy(text.into())), &in_process())
}

fn in_process() -> Arc<dyn Evaluator> {
    Arc::new(InProcess)
}

fn permissive(rules: &str) -> Vec<Permissive> {
    examined(&policy(rules, "{}")).unwrap().permissive
}

#[test]
fn each_request_is_asked_of_its_rule() {
    assert_eq!(permissive(""), []);
    assert_eq!(permissive("default AllowRequestsFailingPolicy := true"), [Permissive::FailingRequests]);
    assert_eq!(permissive("default CreateContainerRequest := true"), [Permissive::AnyContainer]);
    assert_eq!(
        permissive("CreateContainerRequest := {\"allowed\": true, \"ops\": []} if count(input) > 0"),
        [Permissive::AnyContainer]
    );
    assert_eq!(permissive("SetPolicyRequest if 1 < 2"), [Permissive::SetPolicy]);
    assert_eq!(permissive("default ExecProcessRequest := true"), [Permissive::AnyCommand]);
    let streams =
        examined(&policy("ReadStreamRequest := true\nCopyFileRequest if startswith(input.path, \"/etc/\")", "{}")).unwrap();
    let permissions = streams.permissions.unwrap();
    assert!(permissions.read_stream && permissions.copy_any_file && !permissions.write_stream);
    assert_eq!(streams.permissive, [], "what is read and copied is shown, and is no reason of its own");
}

#[test]
fn questions_have_the_fields_that_the_guest_fills_in() {
    let rules = "ReadStreamRequest if { count(input.container_id) == 64; input.len > 0 }\n\
        WriteStreamRequest if { count(input.exec_id) == 64; is_array(input.data) }\n\
        SetPolicyRequest if startswith(input.policy, \"package agent_policy\")";
    let permissions = examined(&policy(rules, "{}")).unwrap().permissions.unwrap();
    assert!(permissions.read_stream && permissions.write_stream && permissions.set_policy, "{permissions:?}");
}

#[test]
fn a_pattern_that_takes_every_command_is_found_where_the_guest_would_know_the_container() {
    let exec = |patterns: &str| examined(&policy("", &format!("{{\"regex\": {patterns}}}"))).unwrap().permissions.unwrap().exec;
    assert_eq!(exec("[\".*\"]"), Exec::Anything);
    assert_eq!(exec("[\"^ls$\"]"), Exec::Listed(["ls -l".to_owned()].into()));
}

#[test]
fn a_policy_by_hand_needs_no_policy_data_and_one_of_another_shape_is_named() {
    assert_eq!(examined("package agent_policy\n").unwrap().data, None);
    let reason = |text: &str| examined(text).unwrap_err().to_string();
    assert_eq!(
        reason("package agent_policy\npolicy_data := {\"containers\": {}}\n"),
        "its policy_data is of another shape than generators write: containers: invalid type: map, expected a sequence"
    );
    assert_eq!(
        reason("package agent_policy\na := policy_data.containers\n"),
        "its rules compare with policy_data, and it has none"
    );
    let in_a_body = reason("package agent_policy\nSetPolicyRequest { policy_data.containers }\n");
    assert!(in_a_body.starts_with("line 2, column 20 is not Rego: use of undefined variable `policy_data`"), "{in_a_body}");
    let looped = "package agent_policy\nimport future.keywords.in\nn := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n\
        SetPolicyRequest { some a in n; some b in n; some c in n; some d in n; some e in n; some f in n; some g in n; a+b+c+d+e+f+g > 99 }\n";
    assert_eq!(reason(looped), "SetPolicyRequest cannot be evaluated: its evaluation took longer than 400 ms");
}

#[test]
fn what_failed_for_want_of_time_is_tried_again_and_what_the_policy_is_to_blame_for_is_not() {
    let timed =
        Unexaminable::Unanswered { rule: "SetPolicyRequest", reason: Unanswered::TookTooLong(std::time::Duration::ZERO) };
    assert!(!timed.lasts() && Unexaminable::NoData.lasts());
}

#[test]
fn a_policy_is_examined_once_however_many_ask_at_a_time() {
    let text = policy("", "{}");
    let document = Arc::new(Document::AgentPolicy(text.as_str().into()));
    let reading = PolicyReading { digest: Digest::sha256_of(text.as_bytes()), document };
    let seen = SeenExaminations::default();
    assert!(seen.known(&reading.digest).is_none());
    let all = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| seen.of(&reading))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(all.iter().all(|one| Arc::ptr_eq(one, &all[0])));
    assert!(Arc::ptr_eq(&seen.known(&reading.digest).unwrap(), &all[0]));
}

/// The policies of real generators, where they stand beside the project.
#[test]
fn the_policies_of_real_generators_are_read_and_are_not_permissive() {
    let Ok(folder) = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures")) else { return };
    for path in folder.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "yaml")) {
        let manifest = std::fs::read_to_string(&path).unwrap();
        let annotation = crate::Measured::ALL.into_iter().find_map(|measured| {
            let line = manifest.lines().find_map(|line| line.trim().strip_prefix(&format!("{}:", measured.annotation())))?;
            Some(measured.read(line.trim().trim_matches('"'), crate::Limits::OFFLINE).unwrap())
        });
        let examined = Examined::of(&annotation.expect("an annotation").document, &in_process()).unwrap();
        let data = examined.data.unwrap();
        assert!(data.containers[0].is_sandbox() && data.containers.len() > 1, "{}", path.display());
        assert!(data.containers[1..].iter().all(|container| container.name().is_some() && container.image().is_some()));
        assert_eq!(examined.permissive, [], "{}", path.display());
    }
}

/// The same, with the pattern that takes every command: the guest's own rule says yes.
#[test]
fn a_real_policy_with_a_pattern_for_every_command_lets_any_command_run() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/consumer-aks.yaml");
    let Ok(manifest) = std::fs::read_to_string(path) else { return };
    let key = crate::Measured::AgentPolicy.annotation();
    let line = manifest.lines().find_map(|line| line.trim().strip_prefix(&format!("{key}:"))).unwrap();
    let reading = crate::Measured::AgentPolicy.read(line.trim().trim_matches('"'), crate::Limits::OFFLINE).unwrap();
    let text = reading.document.policy().unwrap();
    let at = text.rfind("\"regex\": []").expect("the settings for every container");
    let changed = format!("{}\"regex\": [\".*\"]{}", &text[..at], &text[at + "\"regex\": []".len()..]);
    assert_eq!(examined(&changed).unwrap().permissive, [Permissive::AnyCommand]);
}
