//! The environment of a container, as far as it is known when the pod is admitted.
//!
//! Source: Kubernetes, kubelet `makeEnvironmentVariables`: variables are made in order, each value may refer to those before it, the
//! last of one name wins; the variables of Services are there too.

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

/// The variables of one container, in the order in which they are made, each name once.
#[derive(Debug)]
pub(super) struct Environment {
    variables: Vec<(String, Value)>,
    /// Whether whole ConfigMaps or Secrets are added to it.
    open: bool,
}

impl Environment {
    /// The environment of `container` in a pod that is called `name` and `namespace`.
    pub(super) fn of(pod: &AskedPod, container: &AskedContainer, name: &str, namespace: &str) -> Self {
        let mut environment =
            Self { variables: Vec::new(), open: container.env_from.as_ref().is_some_and(|from| !from.is_empty()) };
        for variable in container.env.iter().flatten() {
            let value = match &variable.value_from {
                Some(_) => of_field(variable, pod, name, namespace),
                None => match environment.expand(variable.value.as_deref().unwrap_or_default()) {
                    Some(text) => Value::Known(text),
                    None => Value::Unknown,
                },
            };
            environment.variables.retain(|(known, _)| *known != variable.name);
            environment.variables.push((variable.name.clone(), value));
        }
        environment
    }

    /// The variables that the pod names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.variables.iter().map(|(name, value)| (&**name, value))
    }

    /// A text with its references resolved; `None` if that depends on what nobody knows.
    pub(super) fn expand(&self, text: &str) -> Option<String> {
        expand(text, |name| match self.variables.iter().find(|(known, _)| known == name) {
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
