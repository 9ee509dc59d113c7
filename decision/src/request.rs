//! A request for a pod, as the API server asks it: the wire format is left behind.

use crate::labels;
use crate::pod::Pod;

/// What is to happen to the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The pod is new.
    Create,
    /// The pod is changed, through itself or a subresource.
    Update,
    /// Nothing: the pod is judged as it stands in a cluster, where others than its author have written into it.
    Stored,
}

/// One pod to be completed or judged.
#[derive(Debug)]
pub struct PodRequest<'a> {
    /// What is to happen.
    pub operation: Operation,
    /// The namespace that the pod is created in.
    pub namespace: &'a str,
    /// Whether the API server called the path of `required` namespaces: the path says so, no watched label has to.
    pub required: bool,
    /// The groups of the user who asks.
    pub groups: Vec<&'a str>,
    /// The pod as it is to be.
    pub pod: Pod<'a>,
    /// The pod as it was, on an update.
    pub old: Option<Pod<'a>>,
}

impl PodRequest<'_> {
    /// Whether this is the API server's picture of a static pod, made by its node. Such a pod runs whatever is answered.
    ///
    /// Source: Kubernetes, "Create static Pods"; group `system:nodes` from "Using Node Authorization".
    pub fn is_mirror(&self) -> bool {
        self.pod.metadata.annotation(labels::MIRROR).is_some() && self.groups.contains(&"system:nodes")
    }

    /// Whether the pod was being deleted before this update: its containers may still run, but it will never start again.
    pub fn is_terminating(&self) -> bool {
        self.old.as_ref().is_some_and(|old| old.metadata.deletion_timestamp.is_some())
    }

    /// What people call the pod: its name, or the prefix of a generated one with a star.
    pub fn pod_name(&self) -> String {
        let metadata = &self.pod.metadata;
        if metadata.name.is_empty() { format!("{}*", metadata.generate_name) } else { metadata.name.to_string() }
    }
}
