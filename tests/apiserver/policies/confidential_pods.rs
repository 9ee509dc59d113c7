//! The backstop: a confidential pod has a confidential runtime class and a policy, or is not created.

use serde_json::{Value, json};

use super::{KEY, KUBELET, TENANT, pod, protected, server, tried};
use crate::pods::{Answer, create};
use crate::site::{block_on, until};

const POLICY: &str = "ValidatingAdmissionPolicy 'confidential-pods.countersign.dev'";
const POLICY_OF_REQUIRED: &str = "ValidatingAdmissionPolicy 'pods-in-required-namespaces.countersign.dev'";

fn namespace(name: &str, labels: &[(&str, &str)]) {
    block_on(server().namespace(name, labels, &[])).unwrap();
}

fn opted_in(namespace: &str) -> Value {
    let mut pod = pod(namespace, "p", json!({}));
    pod["metadata"]["labels"] = json!({"countersign.dev/confidential": "true"});
    pod
}

fn refused(answer: Answer, words: &[&str]) {
    refused_by(POLICY, answer, words);
}

fn refused_by(policy: &str, answer: Answer, words: &[&str]) {
    let refusal = answer.refused();
    for word in [&[policy], words].concat() {
        assert!(refusal.contains(word), "{word:?} is not in: {refusal}");
    }
}

#[test]
fn a_confidential_pod_needs_a_confidential_class_and_a_policy() {
    namespace("backstop", &[]);
    refused(
        tried(TENANT, &opted_in("backstop")),
        &[
            "runtime-class: the pod is confidential but its spec.runtimeClassName is not set",
            "kata-cc-isolation, kata-cc. Set one of these",
        ],
    );
    let mut other = opted_in("backstop");
    other["spec"]["nodeName"] = json!("n");
    other["metadata"]["annotations"] = json!({"io.katacontainers.config.hypervisor.kernel_params": "x"});
    other["metadata"]["labels"] = json!({});
    refused(tried(TENANT, &other), &["runtime-class: "]);
    let unmeasured = pod("backstop", "p", json!({"runtimeClassName": "kata-cc-isolation"}));
    refused(
        tried(TENANT, &unmeasured),
        &["policy-missing: the pod is confidential but has no annotation io.katacontainers.config.agent.policy"],
    );
    let mut empty = protected("backstop", "p");
    empty["metadata"]["annotations"][KEY] = json!("");
    refused(tried(TENANT, &empty), &["policy-missing: ", "or an empty one"]);
    tried(TENANT, &protected("backstop", "p")).admitted();
    tried(TENANT, &pod("backstop", "p", json!({}))).admitted();
}

#[test]
fn a_misspelt_opt_in_makes_no_unprotected_pod() {
    namespace("misspelt", &[]);
    let mut pod = opted_in("misspelt");
    pod["metadata"]["labels"]["countersign.dev/confidential"] = json!("True");
    refused(tried(TENANT, &pod), &["opt-in-malformed: ", "the label \"True\", and its only value is \"true\""]);
    pod["metadata"]["labels"]["countersign.dev/confidential"] = json!("");
    refused(tried(TENANT, &pod), &["opt-in-malformed: ", "the label \"\", and its only value is \"true\""]);
    let mut pod = protected("misspelt", "p");
    pod["metadata"]["annotations"]["countersign.dev/confidential"] = json!("true");
    refused(tried(TENANT, &pod), &["opt-in-malformed: ", "an annotation, and is a label"]);
    pod = super::pod("misspelt", "p", json!({}));
    pod["metadata"]["annotations"] = json!({"countersign.dev/confidential": "true"});
    refused(tried(TENANT, &pod), &["opt-in-malformed: ", "an annotation, and is a label"]);
}

#[test]
fn each_pod_is_warned_of_by_one_policy_and_each_fault_once() {
    namespace("warned", &[("countersign.dev/mode", "warn")]);
    namespace("warned-required", &[("countersign.dev/mode", "warn"), ("countersign.dev/confidential", "required")]);
    let annotated = |namespace: &str| {
        let mut pod = pod(namespace, "p", json!({}));
        pod["metadata"]["annotations"] = json!({"countersign.dev/confidential": "true"});
        pod
    };
    let classed = |namespace: &str| pod(namespace, "p", json!({"runtimeClassName": "kata-cc-isolation"}));
    let plain = |namespace: &str| pod(namespace, "p", json!({}));
    let of_itself = "'confidential-pods-warn.countersign.dev'";
    let of_its_namespace = "'pods-in-required-namespaces-warn.countersign.dev'";
    let table = [
        (annotated("warned"), of_itself, &["opt-in-malformed: "][..]),
        (annotated("warned-required"), of_itself, &["opt-in-malformed: "]),
        (classed("warned"), of_itself, &["policy-missing: "]),
        (classed("warned-required"), of_itself, &["policy-missing: "]),
        (opted_in("warned-required"), of_itself, &["runtime-class: ", "policy-missing: "]),
        (plain("warned-required"), of_its_namespace, &["runtime-class: ", "policy-missing: "]),
    ];
    for (pod, binding, faults) in table {
        let warnings = until("mode warn is in force", || {
            let answer = create(server(), &pod, true);
            answer.stored.as_ref().unwrap_or_else(|error| panic!("{error}"));
            (!answer.warnings.is_empty()).then_some(answer.warnings)
        });
        let said: Vec<&str> = warnings.lines().filter(|line| line.contains("Validation failed for")).collect();
        assert_eq!(said.len(), faults.len(), "{pod}: {warnings}");
        for (line, fault) in said.iter().zip(faults) {
            assert!(line.contains(binding) && line.contains(fault), "{fault}: {line}");
        }
    }
}

#[test]
fn in_a_required_namespace_every_pod_is_confidential_but_not_in_kube_system() {
    namespace("backstop-required", &[("countersign.dev/confidential", "required")]);
    refused_by(POLICY_OF_REQUIRED, tried(TENANT, &pod("backstop-required", "p", json!({}))), &["runtime-class: "]);
    // Confidential by itself, it is the other policy's alone.
    let unmeasured = pod("backstop-required", "p", json!({"runtimeClassName": "kata-cc-isolation"}));
    refused(tried(TENANT, &unmeasured), &["policy-missing: "]);
    tried(TENANT, &protected("backstop-required", "p")).admitted();
    for excluded in ["kube-system", "countersign-system"] {
        namespace(excluded, &[("countersign.dev/confidential", "required")]);
        let mut ordinary = pod(excluded, "p", json!({}));
        // Countersign's own namespace enforces Pod Security "restricted".
        ordinary["spec"]["securityContext"] = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
        ordinary["spec"]["containers"][0]["securityContext"] =
            json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
        tried("admin", &ordinary).admitted();
    }
}

#[test]
fn the_mode_of_the_namespace_says_what_becomes_of_it() {
    namespace("backstop-enforce", &[("countersign.dev/mode", "enforce")]);
    refused(tried(TENANT, &opted_in("backstop-enforce")), &["with binding 'confidential-pods-enforce.countersign.dev'"]);
    namespace("backstop-unlabelled", &[]);
    refused(tried(TENANT, &opted_in("backstop-unlabelled")), &["with binding 'confidential-pods-default.countersign.dev'"]);

    namespace("backstop-warn", &[("countersign.dev/mode", "warn")]);
    let warned = until("mode warn is in force", || {
        let answer = create(server(), &opted_in("backstop-warn"), true);
        answer.stored.as_ref().unwrap_or_else(|error| panic!("{error}"));
        (!answer.warnings.is_empty()).then_some(answer.warnings)
    });
    assert!(warned.contains("runtime-class: the pod is confidential but"), "{warned}");

    namespace("backstop-audit", &[("countersign.dev/mode", "audit")]);
    for (namespace, name) in [("backstop-warn", "warned"), ("backstop-audit", "audited")] {
        let mut pod = opted_in(namespace);
        pod["metadata"]["name"] = json!(name);
        let answer = create(server(), &pod, false);
        assert_eq!(answer.warnings.is_empty(), name == "audited", "{}", answer.warnings);
        answer.admitted();
        let annotation = until("the audit event is written", || {
            let events = server().audit_events().unwrap();
            let event = events.into_iter().find(|event| event["objectRef"]["name"] == name && event["verb"] == "create")?;
            Some(event["annotations"]["validation.policy.admission.k8s.io/validation_failure"].to_string())
        });
        assert!(annotation.contains("runtime-class: the pod is confidential but"), "{name}: {annotation}");
    }
}

#[test]
fn a_mode_that_nobody_knows_counts_as_enforce() {
    // Such a label can only be older than the policies: here they are taken away for it, in a server of their own.
    let server = super::boot(&crate::site::shipped());
    let policy = "validatingadmissionpolicybinding/namespace-labels.countersign.dev";
    assert!(server.kubectl(&["delete", policy]).unwrap().status.success());
    until("the label can be set", || block_on(server.namespace("mistyped", &[("countersign.dev/mode", "Audit")], &[])).ok());
    let refused = |error: &String| error.contains("with binding 'confidential-pods-enforce.countersign.dev'");
    until("the pod is refused", || create(&server, &opted_in("mistyped"), true).stored.err().filter(refused));
}

#[test]
fn the_image_of_a_static_pod_is_left_to_the_kubelet() {
    namespace("mirrored", &[("countersign.dev/confidential", "required")]);
    let mut mirror = pod("mirrored", "p", json!({"nodeName": "n"}));
    mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x", "kubernetes.io/config.source": "file"});
    refused_by(POLICY_OF_REQUIRED, tried(TENANT, &mirror), &["runtime-class: "]);
    mirror["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u", "controller": true}]);
    tried(KUBELET, &mirror).admitted();
    // Where a namespace asks for nothing, the image of one that is opted in.
    namespace("mirrored-elsewhere", &[]);
    mirror["metadata"]["namespace"] = json!("mirrored-elsewhere");
    mirror["metadata"]["labels"] = json!({"countersign.dev/confidential": "true"});
    tried(KUBELET, &mirror).admitted();
    mirror["metadata"].as_object_mut().unwrap().remove("ownerReferences");
    refused(tried(TENANT, &mirror), &["runtime-class: "]);
}

#[test]
fn forty_thousand_annotations_keep_nobody_waiting() {
    namespace("many", &[]);
    let mut many = pod("many", "p", json!({}));
    many["metadata"]["annotations"] = (0..40_000).map(|n| (format!("{n:x}"), json!(""))).collect();
    let started = std::time::Instant::now();
    tried(TENANT, &many).admitted();
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    // What is not looked through is still found by the keys that are known.
    many["metadata"]["annotations"][KEY] = json!("cA==");
    refused(tried(TENANT, &many), &["runtime-class: "]);
}
