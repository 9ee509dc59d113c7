//! Whether a policy covers a pod: what the guest would refuse, found when the pod is admitted and said in words.
//!
//! First each field of a pod's container is compared with what the policy describes for the container of that name; where all fits,
//! that is the answer, since the comparison takes nothing that the rules of generators refuse in these fields. Where something
//! does not fit, the policy's own rule decides: it is asked with the request that the policy describes and that one field of the pod in
//! it. What the rule then allows is no finding, and what it refuses is a certain one.

mod cause;
mod described;
mod environment;
mod expansion;
mod fields;
mod finding;
mod guest;
mod image;
mod patterns;
mod pod;
mod request;
mod sample;
mod sandbox;
mod storages;
#[cfg(test)]
mod tests;
mod weight;

use std::collections::HashMap;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::Value;

pub use cause::Cause;
pub use finding::{Certainty, Finding};
pub use pod::{AskedContainer, AskedPod, PodSecurity, Volume};

use crate::data::CONTAINER_NAME;
use crate::engine::Evaluator;
use crate::reading::Document;
use described::Described;
use environment::Environment;
use fields::{Difference, Pair, Proof, differences};
use guest::Guest;
use patterns::Patterns;
use request::{Change, Request, Sandbox};

/// How many pods that took a question to the rule are expected to be remembered for one policy, and how much room they may take
/// together, in bytes.
const REMEMBERED: usize = 32;
const BYTES: u64 = 256 * 1024;

/// A policy that pods are compared with: prepared once, asked for every pod.
#[derive(Debug)]
pub struct Coverage {
    document: Arc<Document>,
    evaluator: Arc<dyn Evaluator>,
    data: Value,
    patterns: Patterns,
    judged: Cache<AskedPod, Arc<[Finding]>, Weight>,
}

#[derive(Clone, Debug)]
struct Weight;

impl Weighter<AskedPod, Arc<[Finding]>> for Weight {
    fn weight(&self, pod: &AskedPod, found: &Arc<[Finding]>) -> u64 {
        u64::try_from(weight::of(pod, found).max(1)).unwrap_or(u64::MAX)
    }
}

impl Coverage {
    /// Prepares a policy whose `policy_data` is `data`; its rules are asked there.
    pub(crate) fn of(document: &Arc<Document>, evaluator: &Arc<dyn Evaluator>, data: Value) -> Self {
        Self {
            document: Arc::clone(document),
            evaluator: Arc::clone(evaluator),
            patterns: Patterns::of(&data),
            data,
            judged: Cache::with_weighter(REMEMBERED, BYTES, Weight),
        }
    }

    /// How long what the policy describes is, in bytes of JSON. A rule may compute more than its text has.
    pub(crate) fn bytes(&self) -> usize {
        self.data.to_string().len()
    }

    /// Where the policy does not fit a pod, in the order of the pod: first what holds for all of it, last what the policy has
    /// beyond it. A policy that describes no containers by name fits every pod. A pod that differs takes tens of milliseconds.
    pub fn findings(&self, pod: &AskedPod) -> Arc<[Finding]> {
        if let Some(found) = self.findings_at_once(pod) {
            return found;
        }
        let guest = Guest::new(self.document.policy().unwrap_or_default(), &*self.evaluator);
        let found: Arc<[Finding]> = self.judge(pod, &guest).into();
        if !guest.was_cut_short() {
            self.judged.insert(pod.clone(), Arc::clone(&found));
        }
        found
    }

    /// The same, where it is found in microseconds: by comparing, or because the policy's rule was asked about this pod before.
    pub fn findings_at_once(&self, pod: &AskedPod) -> Option<Arc<[Finding]>> {
        let guest = Guest::silent();
        let found = self.judge(pod, &guest);
        if guest.left_a_question() { self.judged.get(pod) } else { Some(found.into()) }
    }

    fn judge(&self, pod: &AskedPod, guest: &Guest<'_>) -> Vec<Finding> {
        let known: Vec<(&str, Described<'_>)> =
            Described::all(&self.data).filter_map(|by| Some((by.annotation(CONTAINER_NAME)?, by))).collect();
        let Some((_, first)) = known.first().copied() else { return Vec::new() };
        let (name, namespace, differences) = sandbox::of(pod, first, &self.patterns);
        let sandbox = Sandbox { name: &name, namespace: &namespace };

        let volumes = pod.volumes_by_name();
        let usual = || Request::described(first, sandbox);
        let mut found = guest.findings(None, usual, differences);
        if let Some(by) = Described::all(&self.data).find(Described::is_sandbox) {
            let user = sandbox::user(pod, by).into_iter().collect();
            found.extend(guest.findings(None, || Request::described(by, sandbox), user));
        }
        for container in &pod.containers {
            let by = known.iter().find(|(name, _)| *name == container.name);
            found.extend(match by {
                None => guest.findings(Some(&container.name), usual, vec![missing(&container.name)]),
                Some((_, by)) => self.container(pod, &volumes, container, *by, sandbox, guest),
            });
        }
        let unused = known.iter().filter(|(name, _)| pod.containers.iter().all(|container| container.name != *name));
        found.extend(unused.map(|(name, _)| self::unused(name)));
        found
    }

    fn container(
        &self,
        pod: &AskedPod,
        volumes: &HashMap<&str, &Volume>,
        container: &AskedContainer,
        by: Described<'_>,
        sandbox: Sandbox<'_>,
        guest: &Guest<'_>,
    ) -> Vec<Finding> {
        let environment = &Environment::of(pod, container, sandbox.name, sandbox.namespace);
        let differences = differences(&Pair { pod, volumes, container, by, sandbox, environment, patterns: &self.patterns });
        guest.findings(Some(&container.name), || Request::described(by, sandbox), differences)
    }
}

fn missing(name: &str) -> Difference {
    let change = Change::Annotation(CONTAINER_NAME, name.to_owned());
    Difference {
        field: "name".to_owned(),
        pod: format!("{name:?}"),
        policy: "no such container".to_owned(),
        cause: Cause::BeforeInjection,
        proof: Proof::Rule { usual: None, change },
    }
}

fn unused(name: &str) -> Finding {
    Finding {
        certainty: Certainty::Unused,
        container: Some(name.to_owned()),
        field: "name".to_owned(),
        pod: "no such container".to_owned(),
        policy: format!("{name:?}"),
        cause: Cause::Removed,
    }
}
