//! The command and its arguments are those of the policy.
//!
//! Reads: `command`, `args`; `OCI.Process.Args` of the policy, and `DeprecatedArgs` of the AKS line.
//! Allows: a command with its arguments as the whole list; arguments alone as its end, since the image's entry point comes before them;
//! anything where the pod says neither.
//! Source: Kubernetes, "Define a Command and Arguments for a Container".

use serde_json::{Value, json};

use super::{Difference, Pair};
use crate::coverage::request::Change;

pub(super) fn compare(pair: &Pair<'_>) -> Vec<Difference> {
    let command = pair.container.command.as_deref().unwrap_or_default();
    let args = pair.container.args.as_deref().unwrap_or_default();
    let (field, asked) = if command.is_empty() { ("args", args.to_vec()) } else { ("command", [command, args].concat()) };
    let Some(written) = pair.by.texts("/OCI/Process/Args").filter(|_| !asked.is_empty()) else { return Vec::new() };
    // What the image puts before arguments of the pod is the policy's affair.
    let of_image = if command.is_empty() { written.len().saturating_sub(asked.len()) } else { 0 };
    let resolved: Vec<Option<String>> = asked.iter().map(|argument| pair.environment.expand(argument)).collect();
    let taken = pair.by.texts("/OCI/Process/DeprecatedArgs");
    let fits = |index: usize, argument: &str, resolved: Option<&str>| {
        let place = of_image + index;
        let in_guest = pair.by.part("/env_map").is_some() || resolved == Some(argument);
        [Some(&written), taken.as_ref()].into_iter().flatten().filter_map(|list| list.get(place)).any(|known| {
            resolved.is_none_or(|resolved| same(known, resolved, pair.sandbox.name)) || (in_guest && *known == argument)
        })
    };
    let all =
        asked.iter().zip(&resolved).enumerate().all(|(index, (argument, resolved))| fits(index, argument, resolved.as_deref()));
    if all && of_image + asked.len() == written.len() {
        return Vec::new();
    }
    let before = written.iter().take(of_image).map(|argument| (*argument).to_owned());
    let values = asked.iter().zip(resolved).map(|(argument, resolved)| resolved.unwrap_or_else(|| argument.clone()));
    let whole: Vec<String> = before.chain(values).collect();
    let policy: Value = written.get(of_image..).unwrap_or_default().into();
    vec![Difference::asked(field, json!(asked).to_string(), Some(&policy), Change::Part("/OCI/Process/Args", json!(whole)))]
}

/// Source: Kata Containers, genpolicy `rules.rego`, `allow_arg`.
fn same(policy: &str, argument: &str, sandbox_name: &str) -> bool {
    let plain = policy.replace("$$", "$");
    plain == argument || policy.contains("$(node-name)") || plain.replace("$(sandbox-name)", sandbox_name) == argument
}
