//! How much room a judged pod takes with what was found of it, in bytes: every text, and every element of a list.

use super::finding::Finding;
use super::pod::{AskedContainer, AskedPod, Mount, Variable, Volume};

/// The room of both.
pub(super) fn of(pod: &AskedPod, found: &[Finding]) -> usize {
    let AskedPod { name, generate_name, namespace, service_account, security, shares_processes: _, containers, volumes } = pod;
    let own = [name, generate_name, namespace, service_account].map(String::len);
    let groups = security.supplemental_groups.iter().flatten().map(size_of_val);
    let volumes = volumes.iter().map(|volume| size_of::<Volume>() + volume.name.len());
    let found = found.iter().map(of_finding);
    own.into_iter().chain(groups).chain(containers.iter().map(of_container)).chain(volumes).chain(found).sum()
}

fn of_container(container: &AskedContainer) -> usize {
    let AskedContainer {
        name,
        image,
        command,
        args,
        working_dir,
        env,
        env_from: _,
        volume_mounts,
        security_context: _,
        tty: _,
        termination_message_path,
    } = container;
    let own = [name, image].into_iter().chain(working_dir).chain(termination_message_path).map(String::len);
    let capabilities = container.security().capabilities.as_ref();
    let capabilities = capabilities.into_iter().flat_map(|capabilities| [&capabilities.add, &capabilities.drop]);
    let lists =
        [command, args].into_iter().chain(capabilities).flatten().flatten().map(|text| size_of::<String>() + text.len());
    let variables = env.iter().flatten().map(of_variable);
    let mounts = volume_mounts.iter().flatten().map(of_mount);
    size_of::<AskedContainer>() + own.chain(lists).chain(variables).chain(mounts).sum::<usize>()
}

fn of_variable(variable: &Variable) -> usize {
    let field = variable.value_from.as_ref().and_then(|from| from.field_ref.as_ref()).map(|field| &field.path);
    let texts = [&variable.name].into_iter().chain(&variable.value).chain(field).map(String::len);
    size_of::<Variable>() + texts.sum::<usize>()
}

fn of_mount(mount: &Mount) -> usize {
    let texts = [&mount.name, &mount.path].into_iter().chain(&mount.sub_path).chain(&mount.sub_path_expr).map(String::len);
    size_of::<Mount>() + texts.sum::<usize>()
}

fn of_finding(finding: &Finding) -> usize {
    let texts = [&finding.field, &finding.pod, &finding.policy].into_iter().chain(&finding.container).map(String::len);
    size_of::<Finding>() + texts.sum::<usize>()
}
