//! What an update may do to a pod that runs.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use countersign_decision::allow_list::{AllowList, ConfigMapText, Sources};
use countersign_decision::configuration::{Configuration, Mode};
use countersign_decision::facts::{Facts, Known};
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_decision::verdict::Verdict;
use countersign_decision::{mutate, validate, validate_at_once};
use serde_json::{Value, json};

const POLICY: &str = "cGFja2FnZSBhZ2VudF9wb2xpY3kK";
const DIGEST: &str = "45148e88381b22b43595cc1eaf2fadfd3f93998dbbb75bd4f3d69b641fe6153b";

/// The facts in a mode; the small policy is listed or not.
fn facts(mode: Mode, listed: bool) -> Facts {
    let mut sources = Sources::default();
    let entries = if listed { format!("- {{digest: {DIGEST}, namespaces: [kafka]}}") } else { String::new() };
    let config_map = ConfigMapText { name: "list".to_owned(), data: [("a".to_owned(), entries)].into(), ..Default::default() };
    sources.take(&config_map, "2027-01-01T00:00:00Z".parse().unwrap(), "1h".parse().unwrap()).unwrap();
    let configuration = Configuration { default_mode: mode, ..Configuration::built_in().unwrap() };
    Facts { allow_list: Arc::new(AllowList::of(&sources)), ..Facts::unwatched(Arc::new(configuration), "countersign-system") }
}

fn known(facts: &Facts) -> Known<'_> {
    Known { facts, now: "2027-01-01T00:00:00Z".parse().unwrap(), stale_since: None }
}

/// The opted-in pod as /mutate completes it.
fn complete(facts: &Facts) -> Value {
    let mut pod = json!({
        "metadata": {"name": "consumer", "labels": {"countersign.dev/confidential": "true"},
                     "annotations": {"io.katacontainers.config.agent.policy": POLICY}},
        "spec": {"containers": [{"name": "app", "image": "registry.example/app:1"}]}
    });
    let text = pod.to_string();
    let request = request(Operation::Create, &text, None);
    json_patch::patch(&mut pod, &mutate(&request, &known(facts)).patch).unwrap();
    pod
}

fn request<'a>(operation: Operation, pod: &'a str, old: Option<&'a str>) -> PodRequest<'a> {
    PodRequest {
        operation,
        namespace: "kafka",
        required: false,
        groups: Vec::new(),
        pod: Pod::from_json(pod).unwrap(),
        old: old.map(|old| Pod::from_json(old).unwrap()),
    }
}

fn update(facts: &Facts, old: &Value, new: &Value) -> Verdict {
    let (old, new) = (old.to_string(), new.to_string());
    let request = request(Operation::Update, &new, Some(&old));
    let verdict = validate(&request, &known(facts));
    if let Some(at_once) = validate_at_once(&request, &known(facts)) {
        assert_eq!(at_once.refusals, verdict.refusals, "the same is said where all is known");
    }
    verdict
}

fn ids(verdict: &Verdict) -> Vec<&'static str> {
    verdict.refusals.iter().map(|refusal| refusal.id).collect()
}

fn claim(pod: &mut Value) {
    pod["metadata"]["labels"]["countersign.dev/countersigned"] = json!("true");
}

#[test]
fn a_pod_admitted_by_a_lenient_mode_cannot_claim_afterwards_to_be_countersigned() {
    let facts = facts(Mode::Warn, false);
    let old = complete(&facts);
    let mut new = old.clone();
    claim(&mut new);
    let verdict = update(&facts, &old, &new);
    assert!(!verdict.allowed());
    assert_eq!(ids(&verdict), ["countersigned-unearned", "policy-not-allowed"]);
}

#[test]
fn a_terminating_pod_passes_but_cannot_begin_to_claim() {
    let facts = facts(Mode::Warn, false);
    let mut old = complete(&facts);
    old["metadata"]["deletionTimestamp"] = json!("2026-12-31T00:00:00Z");
    let mut new = old.clone();
    new["metadata"]["annotations"]["io.katacontainers.config.agent.policy"] = json!("!");
    assert!(update(&facts, &old, &new).refusals.is_empty());
    claim(&mut new);
    assert!(!update(&facts, &old, &new).allowed());
}

#[test]
fn a_deletion_timestamp_that_the_update_brings_itself_excuses_nothing() {
    let facts = facts(Mode::Enforce, true);
    let old = complete(&facts);
    let mut new = old.clone();
    new["metadata"]["deletionTimestamp"] = json!("2026-12-31T00:00:00Z");
    new["metadata"]["annotations"]["io.katacontainers.config.agent.policy"] = json!("!");
    assert!(ids(&update(&facts, &old, &new)).contains(&"policy-malformed"));
}

#[test]
fn a_mirror_pod_is_left_alone_unless_it_claims_to_be_countersigned() {
    let facts = facts(Mode::Enforce, true);
    let mut pod = json!({
        "metadata": {"name": "m", "labels": {}, "annotations": {"kubernetes.io/config.mirror": "x", "io.katacontainers.x": ""}},
        "spec": {"containers": []}
    });
    let judge = |pod: &Value| {
        let text = pod.to_string();
        validate(&PodRequest { groups: vec!["system:nodes"], ..request(Operation::Create, &text, None) }, &known(&facts))
    };
    assert!(judge(&pod).allowed());
    pod["metadata"]["annotations"]["io.katacontainers.config.agent.policy"] = json!(POLICY);
    assert_eq!(judge(&pod).audit, [("decision", "mirror-pod".to_owned())], "a confidential one is told of");
    claim(&mut pod);
    assert!(!judge(&pod).allowed());
}

/// The ids of what an update of an admitted pod by `edit` is refused for, and what it says that would change.
fn refused(edit: impl FnOnce(&mut Value)) -> Vec<(&'static str, String)> {
    let facts = facts(Mode::Enforce, true);
    let old = complete(&facts);
    let mut new = old.clone();
    edit(&mut new);
    let told = "a confidential pod stays what it was admitted as, and this update changes ";
    let refusals = update(&facts, &old, &new).refusals.into_iter();
    refusals.filter_map(|refusal| Some((refusal.id, refusal.because.strip_prefix(told)?.to_owned()))).collect()
}

#[test]
fn what_a_confidential_pod_was_admitted_by_never_changes() {
    let one = |id, what: &str| vec![(id, what.to_owned())];
    assert_eq!(
        refused(|pod| pod["spec"]["containers"][1]["image"] = json!("registry.example/app:2")),
        one("images-immutable", "the image of container app from \"registry.example/app:1\" to \"registry.example/app:2\"")
    );
    assert_eq!(
        refused(|pod| pod["metadata"]["annotations"]["io.katacontainers.config.agent.policy"] = json!("cGFja2FnZSB4Cg==")),
        one("digest-immutable", "annotation io.katacontainers.config.agent.policy")
    );
    assert_eq!(
        refused(|pod| {
            pod["metadata"]["labels"].as_object_mut().unwrap().remove("countersign.dev/confidential");
        }),
        one("opt-in-immutable", "the opt-in (label countersign.dev/confidential)")
    );
    assert_eq!(
        refused(|pod| pod["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "more", "image": "x"}))),
        one("images-immutable", "the containers")
    );
    assert_eq!(
        refused(|pod| pod["metadata"]["annotations"]["countersign.dev/profile"] = json!("other")),
        one("profile-immutable", "the profile from aks to none")
    );
    assert_eq!(
        refused(|pod| pod["spec"]["nodeSelector"]["kubernetes.azure.com/secure-boot"] = json!("false")),
        one("selectors-immutable", "the node selector kubernetes.azure.com/secure-boot, which is \"true\"")
    );
    assert_eq!(refused(|pod| pod["metadata"]["finalizers"] = json!(["a.b/c"])), []);
    assert_eq!(refused(|pod| pod["metadata"]["labels"]["app"] = json!("x")), []);
}

#[test]
fn many_changed_annotations_are_counted_and_a_few_are_named() {
    let told = refused(|pod| {
        let annotations = pod["metadata"]["annotations"].as_object_mut().unwrap();
        annotations.extend((0..9).map(|n| (format!("io.katacontainers.{n}"), json!(""))));
    });
    let named = (0..5).map(|n| format!("io.katacontainers.{n}")).collect::<Vec<_>>().join(", ");
    assert_eq!(told, [("digest-immutable", format!("annotations {named}, …"))]);
}

/// Two hundred thousand, which is what fits a request: anything quadratic would take minutes here, and be noticed.
#[test]
fn very_many_changed_annotations_keep_nobody_waiting() {
    let facts = facts(Mode::Enforce, true);
    let old = complete(&facts);
    let mut new = old.clone();
    let annotations = new["metadata"]["annotations"].as_object_mut().unwrap();
    annotations.extend((0..200_000).map(|n| (format!("io.katacontainers.{n}"), json!(""))));
    let (there, back) = (update(&facts, &old, &new), update(&facts, &new, &old));
    assert!([&there, &back].iter().all(|verdict| ids(verdict).contains(&"digest-immutable")));
}

#[test]
fn a_pod_that_was_confidential_does_not_become_ordinary() {
    let facts = facts(Mode::Enforce, true);
    let old = json!({"metadata": {"name": "p", "annotations": {"io.katacontainers.config.agent.policy": POLICY}}, "spec": {}});
    let new = json!({"metadata": {"name": "p"}, "spec": {}});
    assert_eq!(ids(&update(&facts, &old, &new)), ["digest-immutable"]);
    assert!(update(&facts, &new, &new).allowed());
}

#[test]
fn an_update_is_never_completed() {
    let facts = facts(Mode::Enforce, true);
    let pod = json!({"metadata": {"name": "p", "labels": {"countersign.dev/confidential": "true"}}, "spec": {}}).to_string();
    let verdict = mutate(&request(Operation::Update, &pod, Some(&pod)), &known(&facts));
    assert!(verdict.patch.0.is_empty() && verdict.refusals.is_empty());
}

/// The pod was completed by a profile that nobody may choose any more: what cannot be judged must not change either.
#[test]
fn a_pod_whose_profile_is_no_longer_enabled_keeps_its_policy_and_its_profile() {
    let facts = facts(Mode::Enforce, true);
    let mut old = complete(&facts);
    old["metadata"]["annotations"]["countersign.dev/profile"] = json!("retired");
    for (id, key, value) in [
        ("digest-immutable", "io.katacontainers.config.agent.policy", json!("cGFja2FnZSBvdGhlcgo=")),
        ("digest-immutable", "io.katacontainers.config.hypervisor.kernel_params", json!("debug")),
        ("profile-immutable", "countersign.dev/profile", json!("another")),
    ] {
        let mut new = old.clone();
        new["metadata"]["annotations"][key] = value;
        let (new, old) = (new.to_string(), old.to_string());
        let verdict = validate(&request(Operation::Update, &new, Some(&old)), &known(&facts));
        assert!(ids(&verdict).contains(&id), "{key}: {:?}", verdict.refusals);
    }
    let text = old.to_string();
    assert!(validate(&request(Operation::Update, &text, Some(&text)), &known(&facts)).allowed(), "nothing has changed");
}

#[test]
fn stale_facts_refuse_in_every_mode() {
    let facts = facts(Mode::Audit, true);
    let pod = complete(&facts).to_string();
    let stale = Known { stale_since: Some("2026-12-31T00:00:00Z".parse().unwrap()), ..known(&facts) };
    let verdict = validate(&request(Operation::Create, &pod, None), &stale);
    assert!(!verdict.allowed());
    assert_eq!(verdict.refusals[0].id, "facts-stale");
}
