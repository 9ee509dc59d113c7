//! The patterns of a policy, compiled once.

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::described::{Described, texts};
use crate::data::SANDBOX_NAME;

/// How large a compiled pattern may be, in bytes: those of generators take a few kilobytes.
const LARGEST: usize = 256 * 1024;

/// Patterns of variables that any container may have, and of the pod's name. One that cannot be compiled matches nothing here: the
/// policy's own rule has the last word.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    variables: Vec<Regex>,
    names: HashMap<String, Regex>,
}

impl Patterns {
    /// The patterns of `policy_data`.
    pub(super) fn of(data: &Value) -> Self {
        let listed = data.pointer("/request_defaults/CreateContainerRequest/allow_env_regex").into_iter().flat_map(texts);
        let around = Described::of(data, &Value::Null);
        let variables = listed.filter_map(|pattern| compiled(&around.filled(pattern, &[]))).collect();
        let names = Described::all(data).filter_map(|container| container.annotation(SANDBOX_NAME));
        let names = names.filter_map(|pattern| Some((pattern.to_owned(), compiled(pattern)?))).collect();
        Self { variables, names }
    }

    /// Whether a variable, as `NAME=value`, is one that any container may have.
    pub(super) fn allow(&self, variable: &str) -> bool {
        self.variables.iter().any(|pattern| pattern.is_match(variable))
    }

    /// Whether a pattern speaks of a variable of this name.
    pub(super) fn mention(&self, name: &str) -> bool {
        self.variables
            .iter()
            .any(|pattern| pattern.as_str().strip_prefix('^').unwrap_or_default().starts_with(&format!("{name}=")))
    }

    /// Whether a pod's name is one that the policy's pattern matches.
    pub(super) fn name_fits(&self, pattern: &str, name: &str) -> bool {
        self.names.get(pattern).is_some_and(|pattern| pattern.is_match(name))
    }
}

fn compiled(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(LARGEST).build().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Patterns;

    /// The patterns of a policy with these for variables.
    fn patterns(variables: &[&str]) -> Patterns {
        Patterns::of(&json!({
            "common": {"ipv4_a": "[0-9.]+"},
            "request_defaults": {"CreateContainerRequest": {"allow_env_regex": variables}},
        }))
    }

    #[test]
    fn a_variable_is_allowed_where_a_pattern_matches_name_and_value() {
        let patterns = patterns(&["^HOSTNAME=[a-z]+$", "^ADDRESS=$(ipv4_a)$", "("]);
        for (variable, expected) in [
            ("HOSTNAME=app", true),
            ("HOSTNAME=App", false),
            ("ADDRESS=10.0.0.1", true),
            ("ADDRESS=app", false),
            ("OTHER=app", false),
        ] {
            assert_eq!(patterns.allow(variable), expected, "{variable}");
        }
    }

    #[test]
    fn a_variable_is_mentioned_where_a_pattern_begins_with_its_name() {
        let patterns = patterns(&["^HOSTNAME=[a-z]+$", "LOOSE=x"]);
        for (name, expected) in [("HOSTNAME", true), ("HOST", false), ("NAME", false), ("LOOSE", false)] {
            assert_eq!(patterns.mention(name), expected, "{name}");
        }
    }

    #[test]
    fn a_pattern_as_large_as_those_of_generators_is_compiled_and_one_beyond_all_bounds_matches_nothing() {
        assert!(patterns(&["^LONG=[a-z]{0,1000}$"]).allow("LONG=app"));
        assert!(!patterns(&["^LONG=(?:[a-z]{1000}){0,1000}$"]).allow("LONG="));
    }
}
