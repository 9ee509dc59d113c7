//! The environment of a container, as far as it is known when the pod is admitted.
//!
//! Source: Kubernetes, kubelet `makeEnvironmentVariables`: variables are made in order, each value may refer to those before it, the
//! last of one name wins; the variables of Services are there too.

use std::cell::Cell;
use std::collections::HashMap;

use super::expansion::{Meaning, expand};
use super::pod::{AskedContainer, AskedPod, Variable};

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// This text.
    Known(String),
    /// A text of this form, which the node or the cluster makes: an example stands for it.
    Like(&'static str),
    /// Nobody knows.
    Unknown,
}

/// The variables of one container, in the order in which their names first stand in it.
#[derive(Debug)]
pub(super) struct Environment {
    variables: Vec<(String, Value)>,
    /// Where each name stands in `variables`: a hostile pod may have a hundred thousand.
    places: HashMap<String, usize>,
    /// Whether whole ConfigMaps or Secrets are added to it.
    open: bool,
    /// How many bytes references may still put in.
    left: Cell<usize>,
}

/// What references may put into the variables and arguments of one container together, in bytes: no process starts with more.
///
/// Source: Linux, `execve(2)`, arguments and environment may take a quarter of the stack, which is 8 MiB.
const MOST_PUT_IN: usize = 2 * 1024 * 1024;

impl Environment {
    /// The environment of `container` in a pod that is called `name` and `namespace`.
    pub(super) fn of(pod: &AskedPod, container: &AskedContainer, name: &str, namespace: &str) -> Self {
        let open = container.env_from.as_ref().is_some_and(|from| !from.is_empty());
        let mut environment = Self { variables: Vec::new(), places: HashMap::new(), open, left: Cell::new(MOST_PUT_IN) };
        for variable in container.env.iter().flatten() {
            let value = match &variable.value_from {
                Some(_) => of_field(variable, pod, name, namespace),
                None => match environment.expand(variable.value.as_deref().unwrap_or_default()) {
                    Some(text) => Value::Known(text),
                    None => Value::Unknown,
                },
            };
            environment.set(&variable.name, value);
        }
        environment
    }

    fn set(&mut self, name: &str, value: Value) {
        if let Some((_, known)) = self.places.get(name).and_then(|place| self.variables.get_mut(*place)) {
            *known = value;
        } else {
            self.places.insert(name.to_owned(), self.variables.len());
            self.variables.push((name.to_owned(), value));
        }
    }

    /// The variables that the pod names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.variables.iter().map(|(name, value)| (&**name, value))
    }

    /// A text with its references resolved; `None` if that depends on what nobody knows.
    pub(super) fn expand(&self, text: &str) -> Option<String> {
        expand(text, &self.left, |name| match self.places.get(name).and_then(|place| self.variables.get(*place)) {
            Some((_, Value::Known(value))) => Meaning::Known(value.clone()),
            Some(_) => Meaning::Unknown,
            None if self.open || may_be_of_a_service(name) => Meaning::Unknown,
            None => Meaning::Undefined,
        })
    }
}

/// Whether a Service could define the variable.
fn may_be_of_a_service(name: &str) -> bool {
    ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"].iter().any(|part| name.contains(part))
}

/// Source: Kubernetes, "Downward API": the fields that a variable may name.
fn of_field(variable: &Variable, pod: &AskedPod, name: &str, namespace: &str) -> Value {
    let field = variable.value_from.as_ref().and_then(|from| from.field_ref.as_ref());
    match field.map(|field| &*field.path) {
        Some("metadata.name") => Value::Known(name.to_owned()),
        Some("metadata.namespace") => Value::Known(namespace.to_owned()),
        Some("spec.serviceAccountName") => Value::Known(pod.service_account.clone()),
        Some("metadata.uid") => Value::Like("00000000-0000-4000-8000-000000000000"),
        Some("spec.nodeName") => Value::Like("node"),
        Some("status.podIP") => Value::Like("10.0.0.1"),
        Some("status.hostIP") => Value::Like("10.0.0.2"),
        _ => Value::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The environment of a container with these fields, in pod `app-0` of namespace `kafka`.
    fn environment(container: serde_json::Value) -> Environment {
        let pod = AskedPod { service_account: "robot".to_owned(), ..AskedPod::default() };
        Environment::of(&pod, &serde_json::from_value(container).unwrap(), "app-0", "kafka")
    }

    #[test]
    fn a_variable_has_the_value_of_the_field_that_it_names_as_far_as_that_is_known() {
        let known = |text: &str| Value::Known(text.to_owned());
        for (path, expected) in [
            ("metadata.name", known("app-0")),
            ("metadata.namespace", known("kafka")),
            ("spec.serviceAccountName", known("robot")),
            ("metadata.uid", Value::Like("00000000-0000-4000-8000-000000000000")),
            ("spec.nodeName", Value::Like("node")),
            ("status.podIP", Value::Like("10.0.0.1")),
            ("status.hostIP", Value::Like("10.0.0.2")),
            ("metadata.labels['app']", Value::Unknown),
        ] {
            let variable = json!({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": path}}});
            let environment = environment(json!({"env": [variable]}));
            assert_eq!(environment.iter().collect::<Vec<_>>(), [("A", &expected)], "{path}");
        }
    }

    #[test]
    fn a_value_refers_to_variables_before_it_and_the_last_of_a_name_wins() {
        let environment = environment(json!({"env": [
            {"name": "A", "value": "$(B)"},
            {"name": "B", "value": "b"},
            {"name": "C", "value": "$(B)c"},
            {"name": "B", "value": "later"},
            {"name": "D", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "E", "value": "$(D)"},
        ]}));
        let values: Vec<_> = environment.iter().map(|(name, value)| (name, value.clone())).collect();
        let known = |text: &str| Value::Known(text.to_owned());
        let expected =
            [("A", known("$(B)")), ("B", known("later")), ("C", known("bc")), ("D", Value::Unknown), ("E", Value::Unknown)];
        assert_eq!(values, expected);
    }

    #[test]
    fn what_a_service_or_a_whole_config_map_may_define_is_not_known() {
        let closed = environment(json!({}));
        for name in ["DATABASE_SERVICE_HOST", "DATABASE_SERVICE_PORT", "DATABASE_SERVICE_PORT_SQL", "DATABASE_PORT_5432_TCP"] {
            assert_eq!(closed.expand(&format!("$({name})")), None, "{name}");
        }
        for (env_from, expected) in
            [(json!(null), Some("$(OTHER)")), (json!([]), Some("$(OTHER)")), (json!([{"configMapRef": {"name": "m"}}]), None)]
        {
            let environment = environment(json!({"envFrom": env_from}));
            assert_eq!(environment.expand("$(OTHER)").as_deref(), expected, "{env_from}");
        }
    }

    #[test]
    fn references_put_in_two_mebibytes_and_no_more() {
        let environment = environment(json!({"env": [
            {"name": "MEBIBYTE", "value": "x".repeat(1024 * 1024)},
            {"name": "TWO", "value": "$(MEBIBYTE)$(MEBIBYTE)"},
            {"name": "BYTE", "value": "x"},
        ]}));
        assert!(environment.iter().all(|(_, value)| matches!(value, Value::Known(_))));
        assert_eq!(environment.expand("$(BYTE)"), None);
    }
}
