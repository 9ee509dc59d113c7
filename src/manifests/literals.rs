//! What the manifests must know of the configuration: the API server decides by it while nothing of Countersign runs.

use std::fmt::Display;

use countersign_decision::configuration::{Configuration, Mode};
use serde::Serialize;

use crate::evaluator::bounds;

/// Every value of the configuration that is repeated in the manifests. The fields stand in the order of the alphabet, as in the
/// JSON that the Helm chart's digest is made of.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Literals {
    /// What happens to a pod that the backstop finds wrong, in a namespace without a mode.
    pub(super) default_actions: &'static [&'static str],
    /// How long a stopping replica keeps serving.
    pub(super) drain_seconds: i64,
    /// The classes that pods of enabled profiles run in.
    pub(super) enabled_classes: Vec<String>,
    /// The profiles that a namespace may choose.
    pub(super) enabled_profiles: Vec<String>,
    /// How long a stopping pod may take.
    pub(super) grace_seconds: i64,
    /// The handlers that run confidential pods.
    pub(super) handlers: Vec<String>,
    /// Each of those classes with the annotation that is measured in it, with a space between them.
    pub(super) measured_in: Vec<String>,
    /// The memory limit of the container.
    pub(super) memory_mebibytes: usize,
    /// The annotations that hold policies.
    pub(super) policy_annotations: Vec<&'static str>,
    /// The namespaces whose pods are all opted in.
    pub(super) required_namespaces: Vec<String>,
    /// The classes that confidential pods run in.
    pub(super) runtime_classes: Vec<String>,
}

impl Literals {
    pub(super) fn of(configuration: &Configuration) -> Self {
        let limits = &configuration.limits;
        let drain_seconds = limits.drain_for.as_secs();
        Self {
            default_actions: actions(configuration.default_mode),
            drain_seconds,
            enabled_classes: owned(configuration.enabled_classes()),
            enabled_profiles: owned(configuration.enabled.iter().map(|profile| &profile.name)),
            // Beside the drain time, what is in flight may take the webhooks' timeoutSeconds, and the rest is for good measure.
            grace_seconds: drain_seconds.saturating_add(15),
            handlers: owned(configuration.handlers()),
            measured_in: configuration.measured_classes().iter().map(|(class, key)| format!("{class} {key}")).collect(),
            memory_mebibytes: memory_mebibytes(limits.max_bytes_in_flight),
            policy_annotations: configuration.policy_annotations(),
            required_namespaces: owned(&configuration.required_namespaces),
            runtime_classes: owned(configuration.runtime_classes()),
        }
    }
}

/// Bodies twice, what is needed at rest, and what the policies that are evaluated at a time may take.
const fn memory_mebibytes(bytes_in_flight: usize) -> usize {
    let evaluated = bounds::AT_A_TIME * (bounds::MEMORY + bounds::STACK);
    bytes_in_flight.saturating_mul(2).saturating_add(evaluated).div_ceil(1024 * 1024).saturating_add(128)
}

fn owned(names: impl IntoIterator<Item = impl Display>) -> Vec<String> {
    names.into_iter().map(|name| name.to_string()).collect()
}

/// What a `ValidatingAdmissionPolicyBinding` does in a mode.
const fn actions(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Enforce => &["Deny"],
        Mode::Warn => &["Warn", "Audit"],
        Mode::Audit => &["Audit"],
    }
}

/// Names, or keys of annotations, as a list in CEL. Neither has a character that would have to be escaped.
pub(super) fn cel_list(names: &[impl Display]) -> String {
    format!("[{}]", names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", "))
}

/// A text as the lines of a YAML block scalar, without the last line break.
pub(super) fn indented(text: &str, by: usize) -> String {
    let lines = text.trim_end().lines();
    lines.map(|line| if line.is_empty() { String::new() } else { format!("{:by$}{line}", "") }).collect::<Vec<_>>().join("\n")
}

/// A text as it comes back out of a YAML block scalar: one line break after each line, and no other.
///
/// Source: YAML 1.2, 5.4: a carriage return alone is a line break too.
pub(super) fn normalised(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim_end().to_owned() + "\n"
}

/// The first character of a text that has no place in a YAML block scalar, with its line, from 1: control characters, and what YAML 1.1,
/// which kubectl and Helm read, takes for a line break and YAML 1.2 does not.
pub(super) fn unprintable(text: &str) -> Option<(char, usize)> {
    let out_of_place = |c: char| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}');
    text.lines().zip(1..).find_map(|(line, number)| Some((line.chars().find(|c| out_of_place(*c))?, number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_names_is_a_cel_literal() {
        assert_eq!(cel_list(&["a", "b.c"]), "['a', 'b.c']");
        assert_eq!(cel_list(&[""; 0]), "[]");
    }

    #[test]
    fn a_text_is_what_a_block_scalar_gives_back() {
        let text = normalised("a:\r\n\r\n  b\n\n");
        assert_eq!(text, "a:\n\n  b\n");
        assert_eq!(normalised("a:\r  b\r\rc"), "a:\n  b\n\nc\n");
        let read: serde_json::Value = serde_saphyr::from_str(&format!("x: |2\n{}\n", indented(&text, 2))).unwrap();
        assert_eq!(read["x"], text);
    }
}
