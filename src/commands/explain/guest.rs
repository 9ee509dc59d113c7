//! What the guest will run and which requests it will accept, as statements.

use std::collections::BTreeSet;

use countersign_policy::data::{Command, Container};
use countersign_policy::examined::{Examined, Exec, Permissions};

use super::Statement;
use super::account::line;

/// The requests first, then each container in the order of the policy.
pub(super) fn statements(examined: &Examined) -> Vec<Statement> {
    let mut statements = Vec::new();
    if let Some(permissions) = &examined.permissions {
        statements.extend(requests(permissions));
    }
    for container in examined.data.iter().flat_map(|data| &data.containers) {
        statements.extend(of(container));
    }
    statements
}

fn requests(permissions: &Permissions) -> Vec<Statement> {
    let Permissions { create_any_container, exec, read_stream, write_stream, copy_any_file, set_policy, failing_requests } =
        permissions;
    let commands = match exec {
        Exec::Anything => "any".to_owned(),
        Exec::Listed(commands) if commands.is_empty() => "none".to_owned(),
        Exec::Listed(commands) => quoted(commands.iter().map(String::as_str)),
    };
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    vec![
        Statement::new("commands in a running container (exec, probes)", commands),
        Statement::new("output of processes (kubectl logs)", yes(*read_stream)),
        Statement::new("input to processes (kubectl attach -i)", yes(*write_stream)),
        Statement::new("the host may put files anywhere", yes(*copy_any_file)),
        Statement::new("containers that the policy does not describe may be created", yes(*create_any_container)),
        Statement::new("the policy may be replaced", yes(*set_policy)),
        Statement::new("what the policy refuses is accepted all the same", yes(*failing_requests)),
    ]
}

fn of(container: &Container) -> Vec<Statement> {
    let name = match container.name() {
        Some(name) => format!("container {name}"),
        None if container.is_sandbox() => "pause container".to_owned(),
        None => "container without a name".to_owned(),
    };
    let process = &container.oci.process;
    let about = |field: &str| format!("{name}, {field}");
    let mut statements = Vec::new();
    let mut say = |field: &str, says: String| {
        if !says.is_empty() {
            statements.push(Statement::new(about(field), line(&says)));
        }
    };
    say("image", container.image().unwrap_or_default().to_owned());
    say("command", quoted(process.args.iter().map(String::as_str)));
    say("working directory", process.cwd.clone());
    say("user", format!("{}, group {}", process.user.uid, process.user.gid));
    if let Some(root) = &container.oci.root {
        say("root file system", if root.readonly { "read-only" } else { "writable" }.to_owned());
    }
    say("capabilities", process.capabilities.bounding.join(", "));
    let commands: BTreeSet<String> = container.exec_commands.iter().map(Command::joined).collect();
    say("commands that may be run in it", quoted(commands.iter().map(String::as_str)));
    for variable in &process.env {
        let (variable, value) = variable.split_once('=').unwrap_or((variable, ""));
        say(&format!("env {variable}"), format!("\"{value}\""));
    }
    for mount in &container.oci.mounts {
        let options = mount.options.join(",");
        say(&format!("mount {}", mount.destination), format!("{} ({}; {options})", mount.source, mount.type_));
    }
    statements
}

fn quoted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(" ")
}
