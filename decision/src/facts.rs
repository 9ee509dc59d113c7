//! What is known when a pod is judged: one immutable value, swapped whole.

use std::collections::HashMap;
use std::sync::Arc;

use countersign_policy::SeenPolicies;
use countersign_policy::examined::SeenExaminations;
use jiff::Timestamp;

use crate::allow_list::AllowList;
use crate::configuration::{Configuration, Mode};
use crate::labels;
pub use crate::node_labels::NodeLabels;

/// Everything that changes and rules know beside the pod.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The configuration in force.
    pub configuration: Arc<Configuration>,
    /// The allow-list in force.
    pub allow_list: Arc<AllowList>,
    /// Every namespace by name; `None` where no cluster is watched.
    pub namespaces: Option<Arc<HashMap<String, NamespaceFacts>>>,
    /// The handler of every RuntimeClass object by its name; `None` where no cluster is watched.
    pub runtime_classes: Option<Arc<HashMap<String, String>>>,
    /// Which labels the nodes of the cluster have; `None` where nodes are not watched, or not heard of for a while.
    pub node_labels: Option<Arc<NodeLabels>>,
    /// The namespace that holds the allow-list, for messages.
    pub home: Arc<str>,
    /// The listed policies that were read before. It changes how fast an answer is, and never the answer.
    pub seen: Arc<SeenPolicies>,
    /// The listed policies that were examined before, likewise.
    pub examined: Arc<SeenExaminations>,
}

impl Facts {
    /// Facts of no cluster: nothing is listed, and neither namespaces nor classes nor nodes are watched. `home` is the namespace that would
    /// hold the allow-list.
    pub fn unwatched(configuration: Arc<Configuration>, home: &str) -> Self {
        Self {
            configuration,
            allow_list: Arc::default(),
            namespaces: None,
            runtime_classes: None,
            node_labels: None,
            home: home.into(),
            seen: Arc::default(),
            examined: Arc::default(),
        }
    }

    /// What is known of a namespace. Where no cluster is watched the configuration's default mode holds; a namespace that is
    /// not known yet counts as enforce.
    pub fn namespace(&self, name: &str) -> NamespaceFacts {
        match &self.namespaces {
            None => NamespaceFacts { mode: self.configuration.default_mode, ..NamespaceFacts::default() },
            Some(known) => known.get(name).cloned().unwrap_or_default(),
        }
    }

    /// What is known of a runtime class's handler.
    pub fn handler_of(&self, class: &str) -> Handler<'_> {
        match &self.runtime_classes {
            None => Handler::Unwatched,
            Some(known) => known.get(class).map_or(Handler::NoSuchClass, |handler| Handler::Is(handler)),
        }
    }
}

/// What is known of a runtime class's handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler<'a> {
    /// No cluster is watched: nothing is known.
    Unwatched,
    /// The cluster has no RuntimeClass object of that name.
    NoSuchClass,
    /// The object names this handler.
    Is(&'a str),
}

/// What the labels of a namespace say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamespaceFacts {
    /// What a refusal becomes.
    pub mode: Mode,
    /// Whether every pod is opted in.
    pub required: bool,
    /// The one profile that its pods may use.
    pub profile: Option<String>,
    /// The value of the opt-in label, where it is none that has a meaning.
    pub malformed_opt_in: Option<String>,
    /// The level of Pod Security that is enforced, by the namespace's own label; `None` for none, and for `privileged`.
    pub pod_security: Option<String>,
}

impl NamespaceFacts {
    /// Reads a namespace's labels.
    pub fn of_labels<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>, configuration: &Configuration) -> Self {
        let mut facts = Self { mode: configuration.default_mode, ..Self::default() };
        for (key, value) in labels {
            match key {
                labels::MODE => facts.mode = Mode::of_label(value),
                labels::PROFILE => facts.profile = Some(value.to_owned()),
                labels::POD_SECURITY if value != "privileged" => facts.pod_security = Some(value.to_owned()),
                labels::CONFIDENTIAL if value == "required" => facts.required = true,
                labels::CONFIDENTIAL => facts.malformed_opt_in = Some(value.to_owned()),
                _ => {}
            }
        }
        facts
    }
}

/// The facts at the time of one request.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The facts.
    pub facts: &'a Facts,
    /// The time of the request.
    pub now: Timestamp,
    /// Since when there has been no word from the API server, if that is too long ago.
    pub stale_since: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(label: &str, value: &str) -> NamespaceFacts {
        NamespaceFacts::of_labels(
            [(label, value)],
            &Configuration::parse("{apiVersion: countersign.dev/v1alpha1, kind: Configuration, defaultMode: audit}").unwrap(),
        )
    }

    #[test]
    fn an_unknown_mode_counts_as_enforce_and_no_mode_as_the_default() {
        assert_eq!(facts(labels::MODE, "warn").mode, Mode::Warn);
        assert_eq!(facts(labels::MODE, "Warn").mode, Mode::Enforce);
        assert_eq!(facts("a", "b").mode, Mode::Audit);
    }

    #[test]
    fn only_required_makes_a_namespace_required() {
        assert!(facts(labels::CONFIDENTIAL, "required").required);
        let other = facts(labels::CONFIDENTIAL, "Required");
        assert!(!other.required);
        assert_eq!(other.malformed_opt_in.as_deref(), Some("Required"));
    }

    #[test]
    fn the_profile_of_a_namespace_is_its_label_and_pod_security_is_told_of_unless_it_permits_all() {
        assert_eq!(facts(labels::PROFILE, "aks").profile.as_deref(), Some("aks"));
        let pod_security = |level| facts(labels::POD_SECURITY, level).pod_security;
        assert_eq!(pod_security("baseline").as_deref(), Some("baseline"));
        assert_eq!(pod_security("privileged"), None);
    }

    #[test]
    fn a_namespace_that_is_not_known_yet_counts_as_enforce() {
        let configuration = Configuration { default_mode: Mode::Audit, ..Configuration::built_in().unwrap() };
        let mut facts = Facts::unwatched(Arc::new(configuration), "countersign-system");
        assert_eq!(facts.namespace("new").mode, Mode::Audit);
        facts.namespaces = Some(Arc::default());
        assert_eq!(facts.namespace("new").mode, Mode::Enforce);
    }
}
