//! `count CASE TIMES`: asks one question of the core that many times, so that an instruction counter sees nothing else; without arguments,
//! the names of the questions. What is asked once and remembered is asked before.

// A developer's program: a case that cannot be built has to be said, and ends it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_decision::facts::{Facts, Known};
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_decision::verdict::Verdict;
use countersign_decision::{mutate, validate, validate_at_once};
use countersign_golden::{Given, NAMESPACE};
use countersign_policy::engine::{Evaluator, OpenPolicy, Policy, Unreadable};
use countersign_policy::examined::{Examined, SeenExaminations};
use countersign_policy::{Digest, Document};
use serde_json::{Value, json};

const ANNOTATION: &str = "io.katacontainers.config.agent.policy";
const POD: &str = include_str!("../../golden/rules/policy-covers-the-pod/covered/pod.yaml");
const POLICY: &str = include_str!("../../golden/policies/complete.rego");
/// As long as the policies that generators write, in bytes.
const LONG: usize = 80 * 1024;

/// Evaluates without hurry: an instruction counter takes fifty times as long.
#[derive(Debug)]
struct Patient;

impl Evaluator for Patient {
    fn open(&self, text: &str) -> Result<Box<dyn OpenPolicy>, Unreadable> {
        Ok(Box::new(Policy::parse_within(text, Duration::from_hours(1))?))
    }
}

/// A question: how it is prepared, and what asks it once.
type Question = fn() -> Box<dyn Fn()>;

const QUESTIONS: &[(&str, Question)] = &[
    ("validate-ordinary", || validated(Asked::ordinary())),
    ("mutate-opted-in", || mutated(Asked::covered(0))),
    ("validate-covered", || validated(Asked::covered(0).completed())),
    ("validate-covered-long-policy", || validated(Asked::covered(LONG).completed())),
    ("validate-not-listed-long-policy", || validated(Asked::covered(LONG).completed().not_listed())),
    ("validate-unchanged", || validated(Asked::covered(0).completed().unchanged())),
    ("examine-policy", examined),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, times] = arguments.as_slice() else {
        return QUESTIONS.iter().for_each(|(name, _)| println!("{name}"));
    };
    let (_, question) = QUESTIONS.iter().find(|(known, _)| known == name).expect("the name of a question");
    let ask = question();
    for _ in 0..times.parse::<u32>().expect("a number of times") {
        ask();
    }
}

/// A pod, as it is asked about.
struct Asked {
    facts: Facts,
    pod: String,
    old: Option<String>,
}

impl Asked {
    fn ordinary() -> Self {
        let pod =
            json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "registry.example/app:1"}]}});
        Self { facts: Given::default().facts().unwrap(), pod: pod.to_string(), old: None }
    }

    /// The golden case of a pod that its policy covers; the policy is followed by that many bytes that say nothing.
    fn covered(more: usize) -> Self {
        let mut pod: Value = serde_saphyr::from_str(POD).unwrap();
        let policy = POLICY.to_owned() + &"# nothing\n".repeat(more / 10);
        let annotations = json!({"annotations": {ANNOTATION: STANDARD.encode(&policy)}});
        json_patch::merge(pod.get_mut("metadata").unwrap(), &annotations);
        let allow_list = json!([{"digest": Digest::sha256_of(policy.as_bytes()).to_string(), "namespaces": [NAMESPACE]}]);
        let facts = Given { allow_list, ..Given::default() }.facts().unwrap();
        let examined = Arc::new(SeenExaminations::by(Arc::new(Patient)));
        Self { facts: Facts { examined, ..facts }, pod: pod.to_string(), old: None }
    }

    /// As /mutate hands it on.
    fn completed(self) -> Self {
        let mut pod: Value = serde_json::from_str(&self.pod).unwrap();
        json_patch::patch(&mut pod, &self.ask(mutate).patch).unwrap();
        Self { pod: pod.to_string(), ..self }
    }

    fn not_listed(self) -> Self {
        Self { facts: Given::default().facts().unwrap(), ..self }
    }

    /// In an update that changes nothing, of a pod that was judged when it was created.
    fn unchanged(self) -> Self {
        self.ask(validate);
        Self { old: Some(self.pod.clone()), ..self }
    }

    fn ask<T>(&self, by: impl Fn(&PodRequest<'_>, &Known<'_>) -> T) -> T {
        let request = PodRequest {
            operation: if self.old.is_some() { Operation::Update } else { Operation::Create },
            namespace: NAMESPACE,
            required: false,
            groups: Vec::new(),
            pod: Pod::from_json(&self.pod).unwrap(),
            old: self.old.as_deref().map(|old| Pod::from_json(old).unwrap()),
        };
        by(&request, &Known { facts: &self.facts, now: "2027-01-01T00:00:00Z".parse().unwrap(), stale_since: None })
    }
}

fn mutated(asked: Asked) -> Box<dyn Fn()> {
    assert!(!asked.ask(mutate).patch.is_empty(), "there is something to complete");
    Box::new(move || drop(black_box(asked.ask(|request, known| mutate(request, known).patch.to_string()))))
}

fn validated(asked: Asked) -> Box<dyn Fn()> {
    let judged: Verdict = asked.ask(validate);
    let expected = judged.message();
    assert_eq!(asked.ask(validate_at_once).map(|verdict| verdict.message()), Some(expected), "all that it takes is known");
    Box::new(move || drop(black_box(asked.ask(validate_at_once))))
}

fn examined() -> Box<dyn Fn()> {
    let document = Arc::new(Document::AgentPolicy(POLICY.into()));
    let evaluator: Arc<dyn Evaluator> = Arc::new(Patient);
    Box::new(move || assert!(black_box(Examined::of(&document, &evaluator)).is_ok(), "it was examined to its end"))
}
