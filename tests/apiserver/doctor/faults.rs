//! The faults, one a row: what is done to a healthy installation, and which check says what of it.

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::clinic::{Clinic, another_authority};
use crate::site::until;

/// Undoes a fault.
type Undo = Box<dyn FnOnce(&Clinic)>;

pub(super) struct Fault {
    pub(super) name: &'static str,
    /// Does it.
    pub(super) inject: fn(&Clinic) -> Undo,
    /// The check that finds it.
    pub(super) check: &'static str,
    /// What the check says of it.
    pub(super) says: &'static str,
}

const EXEC_DOOR: &str = include_str!("../../../manifests/components/exec-door/entry.yaml");
const HOME: &str = "countersign-system";
const MUTATING: &str = "mutatingwebhookconfiguration";
const VALIDATING: &str = "validatingwebhookconfiguration";

pub(super) const FAULTS: [Fault; 23] = [
    Fault {
        name: "no ready endpoints",
        inject: |clinic| {
            change(clinic, "endpointslice", "countersign-1", "", |slice| {
                slice["endpoints"][0]["conditions"]["ready"] = json!(false);
            })
        },
        check: "endpoints",
        says: "Service countersign has no ready endpoints (1 in all)",
    },
    Fault {
        name: "replicas are missing",
        inject: |clinic| {
            change(clinic, "deployment", "countersign", "status", |found| found["status"]["availableReplicas"] = json!(1))
        },
        check: "deployment",
        says: "1/3 replicas are available",
    },
    Fault {
        name: "a wrong caBundle",
        inject: |clinic| bundle(clinic, &another_authority(Timestamp::now() + (24 * 365).hours())),
        check: "certificate",
        says: "pod countersign-1 serves a certificate that the caBundle of judge.confidential-pods.countersign.dev does not vouch for",
    },
    Fault {
        name: "a wrong caBundle, as the API server sees it",
        inject: |clinic| bundle(clinic, &another_authority(Timestamp::now() + (24 * 365).hours())),
        check: "refusal",
        says: "certificate signed by unknown authority",
    },
    Fault {
        name: "an expired caBundle",
        inject: |clinic| bundle(clinic, &another_authority("2020-01-01T00:00:00Z".parse().unwrap())),
        check: "ca-bundle",
        says: "caBundle of judge.confidential-pods.countersign.dev expired at 2020-01-01T00:00:00Z",
    },
    Fault {
        name: "a caBundle that is gone",
        inject: |clinic| bundle(clinic, ""),
        check: "ca-bundle",
        says: "caBundle of judge.confidential-pods.countersign.dev is missing",
    },
    Fault {
        name: "an unreachable Service",
        inject: |clinic| {
            clinic.way.cut(true);
            Box::new(|clinic| clinic.way.cut(false))
        },
        check: "refusal",
        says: "the API server cannot call Countersign: Internal error occurred: failed calling webhook \"complete.confidential-pods.countersign.dev\"",
    },
    Fault {
        name: "a Service with another selector",
        inject: |clinic| {
            change(clinic, "service", "countersign", "", |service| service["spec"]["selector"] = json!({"app": "other"}))
        },
        check: "service",
        says: "spec.selector.app.kubernetes.io/name is missing",
    },
    Fault {
        name: "a missing webhook configuration",
        inject: |clinic| delete(clinic, VALIDATING, "countersign"),
        check: "refusal",
        says: "the API server does not ask Countersign",
    },
    Fault {
        name: "failurePolicy Ignore",
        inject: |clinic| {
            change(clinic, VALIDATING, "countersign", "", |found| found["webhooks"][1]["failurePolicy"] = json!("Ignore"))
        },
        check: "webhooks",
        says: "webhooks[judge.confidential-pods.countersign.dev].failurePolicy is \"Ignore\", and should be \"Fail\"",
    },
    Fault {
        name: "an altered namespaceSelector",
        inject: |clinic| {
            change(clinic, MUTATING, "countersign", "", |found| {
                found["webhooks"][1]["namespaceSelector"] = json!({"matchLabels": {"team": "a"}});
            })
        },
        check: "webhooks",
        says: "webhooks[complete.confidential-pods.countersign.dev].namespaceSelector is ",
    },
    Fault {
        name: "a policy that no longer refuses",
        inject: |clinic| {
            change(clinic, "validatingadmissionpolicybinding", "webhook-configurations.countersign.dev", "", |binding| {
                binding["spec"]["validationActions"] = json!(["Audit"]);
            })
        },
        check: "policies",
        says: "ValidatingAdmissionPolicyBinding webhook-configurations.countersign.dev: spec.validationActions is [\"Audit\"], and should be [\"Deny\"]",
    },
    Fault {
        name: "a missing RuntimeClass",
        inject: |clinic| delete(clinic, "runtimeclass", "kata-cc-isolation"),
        check: "runtime-classes",
        says: "RuntimeClass kata-cc-isolation of profile aks is missing",
    },
    Fault {
        name: "no node with the selected labels",
        inject: |clinic| change(clinic, "node", "node-1", "", |node| node["metadata"]["labels"] = json!({})),
        check: "nodes",
        says: "no node has the label kubernetes.azure.com/secure-boot: \"true\" that pods of profile aks select",
    },
    Fault {
        name: "a rejected allow-list",
        inject: |clinic| {
            let list = json!({
                "apiVersion": "v1", "kind": "ConfigMap", "data": {"team.yaml": "- digest: nonsense\n"},
                "metadata": {"name": "bad", "namespace": HOME, "labels": {"countersign.dev/allow-list": "true"}}
            });
            unchecked(clinic, &list)
        },
        check: "allow-list",
        says: "ConfigMap bad, key team.yaml, line 1, column 11: [0].digest: ",
    },
    Fault {
        name: "missing RBAC",
        inject: |clinic| delete(clinic, "clusterrolebinding", "countersign"),
        check: "rights",
        says: "the service account may not list namespaces",
    },
    Fault {
        name: "a missing object",
        inject: |clinic| delete(clinic, "poddisruptionbudget", "countersign"),
        check: "objects",
        says: "PodDisruptionBudget countersign is missing",
    },
    Fault {
        name: "a namespace label that no mode knows",
        inject: |clinic| label(clinic, "countersign.dev/mode=Audit", "countersign.dev/mode-"),
        check: "namespace-labels",
        says: "namespace default: countersign.dev/mode: \"Audit\" is no mode, and counts as enforce",
    },
    Fault {
        name: "a misspelt namespace label",
        inject: |clinic| label(clinic, "countersign.dev/confidental=required", "countersign.dev/confidental-"),
        check: "namespace-labels",
        says: "namespace default: label countersign.dev/confidental has no meaning",
    },
    Fault {
        name: "a guarded namespace without an exec door",
        inject: |clinic| label(clinic, "countersign.dev/exec=guarded", "countersign.dev/exec-"),
        check: "exec-door",
        says: "namespace default is labelled countersign.dev/exec: guarded, and there is no exec door",
    },
    Fault {
        name: "an exec door that fails open",
        inject: |clinic| {
            change(clinic, VALIDATING, "countersign", "", |found| {
                let mut patch: Vec<Value> = serde_saphyr::from_str(EXEC_DOOR).unwrap();
                patch[0]["value"]["failurePolicy"] = json!("Ignore");
                found["webhooks"].as_array_mut().unwrap().push(patch[0]["value"].take());
            })
        },
        check: "exec-door",
        says: "webhooks[guard.ways-into-confidential-pods.countersign.dev].failurePolicy is \"Ignore\", and should be \"Fail\"",
    },
    Fault {
        name: "a node whose clock is ahead",
        inject: |clinic| {
            let ahead = Timestamp::now() + 1.hour();
            clinic.keep_node_clock(Some(ahead));
            Box::new(|clinic| clinic.keep_node_clock(None))
        },
        check: "clocks",
        says: "the clock of node node-1, which runs Countersign, is ",
    },
    Fault {
        name: "a configuration in the cluster that cannot be read",
        inject: |clinic| {
            create(
                clinic,
                "configmap",
                &json!({
                    "apiVersion": "v1", "kind": "ConfigMap", "data": {"configuration.yaml": "apiVersion: countersign.dev/v1alpha1\nkind: Configuration\nx: y\n"},
                    "metadata": {"name": "countersign-configuration", "namespace": HOME}
                }),
            )
        },
        check: "configuration",
        says: "ConfigMap countersign-configuration, key configuration.yaml, line 3, column 1: x: unknown field",
    },
];

/// Another caBundle for the last entry of the validating webhook configuration.
fn bundle(clinic: &Clinic, base64: &str) -> Undo {
    let base64 = base64.to_owned();
    change(clinic, VALIDATING, "countersign", "", move |found| {
        found["webhooks"][1]["clientConfig"]["caBundle"] = if base64.is_empty() { Value::Null } else { json!(base64) };
    })
}

/// A label that is older than the policies, which would refuse it: they are taken away for it.
fn label(clinic: &Clinic, label: &str, undo: &'static str) -> Undo {
    let bind_again = delete(clinic, "validatingadmissionpolicybinding", "namespace-labels.countersign.dev");
    let labelled = || clinic.server.kubectl(&["label", "namespace", "default", label]).unwrap().status.success();
    until("no policy refuses the label", || labelled().then_some(()));
    Box::new(move |clinic| {
        clinic.kubectl(&["label", "namespace", "default", undo]);
        bind_again(clinic);
    })
}

/// A list that came in while nobody checked edits: who does is found again afterwards.
fn unchecked(clinic: &Clinic, list: &Value) -> Undo {
    let found_again = change(clinic, VALIDATING, "countersign", "", |found| {
        let entries = found["webhooks"].as_array_mut().unwrap();
        let check = entries.iter_mut().find(|entry| entry["name"] == "check.allow-list.countersign.dev").unwrap();
        check["clientConfig"]["service"]["name"] = json!("nobody");
    });
    until("nobody checks edits", || crate::pods::create(&clinic.server, list, true).stored.ok());
    let undo = create(clinic, "configmap", list);
    found_again(clinic);
    undo
}

fn read(clinic: &Clinic, kind: &str, name: &str) -> Value {
    let mut object: Value = serde_json::from_str(&clinic.kubectl(&["get", kind, name, "-n", HOME, "-o", "json"])).unwrap();
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in ["resourceVersion", "uid", "managedFields", "creationTimestamp", "generation"] {
        metadata.remove(field);
    }
    object
}

fn write(clinic: &Clinic, verb: &[&str], object: &Value) {
    let output = clinic.server.kubectl_with_input(&[verb, &["-f", "-"]].concat(), &object.to_string()).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Changes an object, or a subresource of it, and puts back what was there.
fn change(clinic: &Clinic, kind: &str, name: &str, subresource: &'static str, change: impl FnOnce(&mut Value)) -> Undo {
    let verb = move || -> Vec<&'static str> {
        if subresource.is_empty() { vec!["replace"] } else { vec!["replace", "--subresource=status"] }
    };
    let before = read(clinic, kind, name);
    let mut after = before.clone();
    change(&mut after);
    write(clinic, &verb(), &after);
    Box::new(move |clinic| write(clinic, &verb(), &before))
}

fn delete(clinic: &Clinic, kind: &str, name: &str) -> Undo {
    let before = read(clinic, kind, name);
    clinic.kubectl(&["delete", kind, name, "-n", HOME]);
    Box::new(move |clinic| write(clinic, &["create"], &before))
}

fn create(clinic: &Clinic, kind: &'static str, object: &Value) -> Undo {
    write(clinic, &["create"], object);
    let name = object["metadata"]["name"].as_str().unwrap().to_owned();
    Box::new(move |clinic| drop(clinic.kubectl(&["delete", kind, &name, "-n", HOME])))
}
