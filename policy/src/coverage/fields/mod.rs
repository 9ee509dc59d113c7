//! What of a container a policy is compared in. Each field is one file; this table says which there are and in which order they are
//! reported.

mod capabilities;
mod command;
mod env;
mod group;
mod image;
mod mounts;
mod privilege_escalation;
mod process_namespace;
mod read_only_root;
mod terminal;
mod user;
mod working_dir;

use std::collections::HashMap;

use serde_json::Value;

use super::cause::Cause;
use super::described::Described;
use super::environment::Environment;
use super::patterns::Patterns;
use super::pod::{AskedContainer, AskedPod, Volume};
use super::request::{Change, Sandbox};

/// A container of the pod, and what the policy says of the one with its name.
pub(super) struct Pair<'a> {
    pub(super) pod: &'a AskedPod,
    /// The pod's volumes by their names.
    pub(super) volumes: &'a HashMap<&'a str, &'a Volume>,
    pub(super) container: &'a AskedContainer,
    pub(super) by: Described<'a>,
    pub(super) sandbox: Sandbox<'a>,
    pub(super) environment: &'a Environment,
    pub(super) patterns: &'a Patterns,
}

/// Where the two differ.
#[derive(Debug)]
pub(super) struct Difference {
    /// The field, as a person calls it.
    pub(super) field: String,
    /// What the pod has.
    pub(super) pod: String,
    /// What the policy has.
    pub(super) policy: String,
    /// Why that is likely so.
    pub(super) cause: Cause,
    /// How it is found out what the guest makes of it.
    pub(super) proof: Proof,
}

/// How it is found out what the guest makes of a difference.
#[derive(Debug)]
pub(super) enum Proof {
    /// It is refused whatever the guest says.
    Itself,
    /// The policy's own rule is asked, with this change of the request that the policy describes. Where `usual` is given, the rule
    /// has to allow that one first.
    Rule { usual: Option<Change>, change: Change },
    /// It depends on what nobody knows yet.
    None,
}

impl Difference {
    /// A difference that the policy's own rule decides on.
    pub(super) fn asked(field: &str, pod: impl Into<String>, policy: Option<&Value>, change: Change) -> Self {
        let policy = policy.map_or_else(|| "nothing".to_owned(), Value::to_string);
        let proof = Proof::Rule { usual: None, change };
        Self { field: field.to_owned(), pod: pod.into(), policy, cause: Cause::Changed, proof }
    }
}

/// Compares one field: nothing where the pod leaves it to the image, or both say the same.
type Compare = fn(&Pair<'_>) -> Vec<Difference>;

/// Every field, in the order in which differences are reported.
const FIELDS: [Compare; 12] = [
    image::compare,
    command::compare,
    env::compare,
    working_dir::compare,
    user::compare,
    group::compare,
    capabilities::compare,
    read_only_root::compare,
    privilege_escalation::compare,
    terminal::compare,
    process_namespace::compare,
    mounts::compare,
];

/// Every difference of a container.
pub(super) fn differences(pair: &Pair<'_>) -> Vec<Difference> {
    FIELDS.iter().flat_map(|compare| compare(pair)).collect()
}
