//! What a guest with a policy accepts: its rules are asked, since their text alone does not say.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Unexaminable, requests};
use crate::data::{Container, PolicyData};
use crate::engine::{OpenPolicy, Unanswered};

/// The request that runs a command.
const EXEC: &str = "ExecProcessRequest";
/// More containers than a pod has.
const MOST_CONTAINERS: usize = 32;

/// What a guest accepts.
// Each is one request of the guest's interface, yes or no.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// Whether a container that the policy does not describe may be created.
    pub create_any_container: bool,
    /// Which commands may be run in a container that runs.
    pub exec: Exec,
    /// Whether what processes print may be read: `kubectl logs` and `attach`.
    pub read_stream: bool,
    /// Whether processes may be written to: `kubectl attach -i`.
    pub write_stream: bool,
    /// Whether files may be put outside the folder of the pod's own mounts.
    pub copy_any_file: bool,
    /// Whether the policy may be replaced while the guest runs.
    pub set_policy: bool,
    /// Whether what the policy refuses is accepted all the same.
    pub failing_requests: bool,
}

/// Which commands may be run in a container that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exec {
    /// These, of probes and of the generator's settings; none, where there are none.
    Listed(BTreeSet<String>),
    /// Any.
    Anything,
}

impl Permissions {
    /// Asks the policy; leaves it with a state.
    pub(super) fn of(policy: &mut dyn OpenPolicy, data: Option<&PolicyData>) -> Result<Self, Unexaminable> {
        let ask = |rule: &'static str, input: &Value| answer(rule, policy.ask(rule, input).map(|answer| answer.allowed()));
        let asked = Self {
            create_any_container: ask("CreateContainerRequest", &requests::create_container())?
                || ask("CreateContainerRequest", &json!({}))?,
            exec: Exec::Listed(listed(data)),
            read_stream: ask("ReadStreamRequest", &requests::stream())?,
            write_stream: ask("WriteStreamRequest", &requests::stream())?,
            copy_any_file: ask("CopyFileRequest", &requests::copy_file())?,
            set_policy: ask("SetPolicyRequest", &requests::set_policy())?,
            failing_requests: ask("AllowRequestsFailingPolicy", &json!({}))?,
        };
        Ok(if executes_anything(policy, data)? { Self { exec: Exec::Anything, ..asked } } else { asked })
    }
}

/// Whether a command that nothing lists may be run: before any container is known, and in each that the policy describes, with a
/// terminal and without.
fn executes_anything(policy: &mut dyn OpenPolicy, data: Option<&PolicyData>) -> Result<bool, Unexaminable> {
    let containers: Vec<(String, &Container)> = data
        .map(|data| &*data.containers)
        .unwrap_or_default()
        .iter()
        .take(MOST_CONTAINERS)
        .enumerate()
        .map(|(index, container)| (requests::id(index), container))
        .collect();
    if executes(policy, requests::ID, None)? {
        return Ok(true);
    }
    // All run at a time, in the namespace that the policy has for them: for all the same one, as generators write it.
    let indexes = containers.iter().enumerate().map(|(index, (id, _))| (id.clone(), json!(index)));
    let state: serde_json::Map<String, Value> = indexes.chain([("sandbox_name".to_owned(), json!("any"))]).collect();
    let namespaces: BTreeSet<Option<&str>> = containers.iter().map(|(_, container)| namespace(container)).collect();
    for of_these in namespaces {
        let mut state = state.clone();
        state.insert("namespace".to_owned(), json!(of_these));
        policy.set_state(&state.into()).map_err(|reason| Unexaminable::Unanswered { rule: EXEC, reason })?;
        for (id, container) in containers.iter().filter(|(_, container)| namespace(container) == of_these) {
            if executes(policy, id, Some(container))? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether a command that nothing lists may be run in this container, with a terminal or without.
fn executes(policy: &dyn OpenPolicy, id: &str, container: Option<&Container>) -> Result<bool, Unexaminable> {
    for terminal in [false, true] {
        let asked = policy.ask(EXEC, &requests::exec(id, container, terminal));
        if answer(EXEC, asked.map(|answer| answer.allowed()))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn namespace(container: &Container) -> Option<&str> {
    container.annotation(crate::data::SANDBOX_NAMESPACE)
}

/// The commands that `policy_data` lists.
fn listed(data: Option<&PolicyData>) -> BTreeSet<String> {
    let Some(data) = data else { return BTreeSet::new() };
    let of_containers = data.containers.iter().flat_map(|container| &container.exec_commands);
    of_containers.chain(&data.request_defaults.exec_process.commands).map(crate::data::Command::joined).collect()
}

fn answer(rule: &'static str, asked: Result<bool, Unanswered>) -> Result<bool, Unexaminable> {
    asked.map_err(|reason| Unexaminable::Unanswered { rule, reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Policy;

    /// What a guest accepts whose second container is in another namespace than its first, and that runs commands by this rule.
    fn exec(rule: &str) -> Exec {
        let mut policy = Policy::parse(&format!("package agent_policy\n\nExecProcessRequest {{ {rule} }}\n")).unwrap();
        let container = |namespace: &str| json!({"OCI": {"Annotations": {"io.kubernetes.cri.sandbox-namespace": namespace}}});
        let data = PolicyData::read(&json!({"containers": [container("kafka"), container("payments")]})).unwrap();
        Permissions::of(&mut policy, Some(&data)).unwrap().exec
    }

    #[test]
    fn each_container_is_asked_about_in_the_namespace_that_the_policy_has_for_it() {
        let none = Exec::Listed(BTreeSet::new());
        assert_eq!(exec(r#"data.pstate.namespace == "payments"; data.pstate[input.container_id] == 1"#), Exec::Anything);
        assert_eq!(exec(r#"data.pstate.namespace == "kafka"; data.pstate[input.container_id] == 1"#), none);
        assert_eq!(exec(r#"data.pstate.namespace == "payments"; data.pstate[input.container_id] == 0"#), none);
    }
}
