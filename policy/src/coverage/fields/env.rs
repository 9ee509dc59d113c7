//! Every variable of the environment is one that the policy knows.
//!
//! Reads: `env`; `OCI.Process.Env` of the policy with its placeholders, and the patterns of its `request_defaults`.
//! Allows: fewer variables than the policy has; values that match a pattern; what the node or the cluster makes where the policy has a
//! placeholder. A value from a Secret or a ConfigMap is known to nobody here: its name must be in the policy.
//! Source: Kata Containers, genpolicy `rules.rego`, `allow_var`.

use super::{Difference, Pair, Proof};
use crate::coverage::cause::Cause;
use crate::coverage::environment::Value;
use crate::coverage::request::Change;

/// Placeholders under which the guest takes any value.
const ANYTHING: [&str; 5] = ["$(host-name)", "$(node-name)", "$(pod-uid)", "$(resource-field)", "$(todo-annotation)"];

pub(super) fn compare(pair: &Pair<'_>) -> Vec<Difference> {
    let Some(known) = pair.by.texts("/OCI/Process/Env") else { return Vec::new() };
    pair.environment.iter().filter_map(|(name, value)| one(pair, &known, name, value)).collect()
}

fn one(pair: &Pair<'_>, known: &[&str], name: &str, value: &Value) -> Option<Difference> {
    let of_name: Vec<&str> = known
        .iter()
        .filter_map(|known| known.split_once('='))
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value)
        .collect();
    let (shown, proof) = match value {
        Value::Known(text) => {
            if of_name.iter().any(|policy| same(policy, text, pair)) || pair.patterns.allow(&format!("{name}={text}")) {
                return None;
            }
            (format!("{text:?}"), Proof::Rule { usual: None, change: Change::Variable(name.to_owned(), text.clone()) })
        }
        Value::Like(example) => {
            let placeholder = of_name.iter().any(|policy| policy.contains("$("));
            if placeholder || pair.patterns.allow(&format!("{name}={example}")) {
                return None;
            }
            let change = Change::Variable(name.to_owned(), (*example).to_owned());
            let proof = if of_name.is_empty() { Proof::Rule { usual: None, change } } else { Proof::None };
            ("a value that the node or the cluster makes".to_owned(), proof)
        }
        Value::Unknown if of_name.is_empty() && !pair.patterns.mention(name) => {
            ("a value from elsewhere".to_owned(), Proof::None)
        }
        Value::Unknown => return None,
    };
    let policy = of_name.first().map_or_else(|| "no such variable".to_owned(), |value| format!("{value:?}"));
    let cause = if of_name.is_empty() { Cause::of_variable(name) } else { Cause::Changed };
    Some(Difference { field: format!("env {name}"), pod: shown, policy, cause, proof })
}

fn same(policy: &str, value: &str, pair: &Pair<'_>) -> bool {
    policy == value
        || (policy == "$(sandbox-name)" && value == pair.sandbox.name)
        || policy.replace("$(sandbox-namespace)", pair.sandbox.namespace) == value
        || ANYTHING.iter().any(|placeholder| policy.contains(placeholder))
}
