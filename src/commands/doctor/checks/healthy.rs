//! An installation without a fault, for the tests of the checks: each changes one thing in it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_decision::configuration::Configuration;
use jiff::{Timestamp, ToSpan as _};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};

use crate::commands::doctor::snapshot::{Configured, Probe, Right, Running, Served, Snapshot, Wanted};
use crate::manifests;

/// An authority and a certificate that it signed, valid from a day before to a year after.
pub(super) struct Keys {
    pub(super) authority: String,
    pub(super) leaf: Vec<u8>,
}

impl Keys {
    pub(super) fn make(now: Timestamp, name: &str) -> Self {
        let valid = |mut params: CertificateParams| {
            params.not_before = std::time::SystemTime::from(now - 24.hours()).into();
            params.not_after = std::time::SystemTime::from(now + (365 * 24).hours()).into();
            params
        };
        let mut authority = valid(CertificateParams::default());
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let leaf = valid(CertificateParams::new([name.to_owned()]).unwrap());
        let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &authority).unwrap();
        Self { authority: authority.pem(), leaf: leaf.der().to_vec() }
    }
}

fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Everything as it should be.
pub(super) fn healthy() -> Snapshot {
    let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    let configuration = Configuration::built_in().unwrap();
    let rendered = manifests::render(&configuration, None, manifests::NAMESPACE, manifests::IMAGE).unwrap();
    let rendered: Vec<Value> = serde_saphyr::from_multiple(&manifests::joined(&rendered)).unwrap();
    let keys = Keys::make(now, "countersign.countersign-system.svc");
    let objects = rendered.into_iter().map(|rendered| as_installed(rendered, &keys, now)).collect();
    Snapshot {
        namespace: manifests::NAMESPACE.to_owned(),
        version: "v1.35.4".to_owned(),
        now,
        local: now,
        configuration: Arc::new(configuration),
        configured: Configured { file: None, in_cluster: Ok(None), unreadable: None },
        objects,
        slices: Ok(from(json!([{"addressType": "IPv4", "metadata": {}, "endpoints": [{"addresses": ["192.0.2.1"], "conditions": {"ready": true}}]}]))),
        own_pods: Ok(from(json!([{"metadata": {"name": "c-1"}, "spec": {"nodeName": "node-1", "containers": []}, "status": {"phase": "Running"}}]))),
        served: Ok(vec![Served { pod: "c-1".to_owned(), chain: Ok(vec![keys.leaf]) }]),
        runtime_classes: Ok(from(json!([{
            "metadata": {"name": "kata-cc-isolation"}, "handler": "kata-cc",
            "scheduling": {"nodeSelector": {"kubernetes.azure.com/kata-cc-isolation": "true"}}
        }]))),
        nodes: Ok(from(json!([{
            "metadata": {"name": "node-1", "labels": {
                "kubernetes.azure.com/kata-cc-isolation": "true", "kubernetes.azure.com/trusted-launch": "true",
                "kubernetes.azure.com/secure-boot": "true"
            }},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}
        }]))),
        leases: Ok(from(json!([{"metadata": {"name": "node-1"}, "spec": {"renewTime": "2026-06-01T11:59:55.000000Z"}}]))),
        namespaces: Ok(from(json!([{
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "payments", "labels": {"countersign.dev/confidential": "required", "countersign.dev/mode": "warn", "countersign.dev/profile": "aks"}}
        }]))),
        allow_lists: Ok(Vec::new()),
        rights: vec![(
            Right { verb: "list".to_owned(), group: String::new(), resource: "namespaces".to_owned(), subresource: None, name: None, namespace: None },
            Ok(true),
        )],
        claim: Probe::Refused(
            "admission webhook \"judge.confidential-pods.countersign.dev\" denied the request: countersigned-unearned: the pod bears".to_owned(),
        ),
        ordinary: Probe::Admitted,
        pods: Ok(Running { confidential: 1, refused: Vec::new() }),
    }
}

/// The object as the cluster has it once everything runs.
fn as_installed(rendered: Value, keys: &Keys, now: Timestamp) -> Wanted {
    let mut found = rendered.clone();
    match rendered["kind"].as_str().unwrap() {
        "Deployment" => found["status"] = json!({"availableReplicas": rendered["spec"]["replicas"]}),
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
            for entry in found["webhooks"].as_array_mut().unwrap() {
                entry["clientConfig"]["caBundle"] = json!(STANDARD.encode(&keys.authority));
            }
        }
        "Lease" => found["spec"] = json!({"holderIdentity": "c-1", "leaseDurationSeconds": 15, "renewTime": now.to_string()}),
        _ => {}
    }
    Wanted { rendered, found: Ok(Some(found)) }
}

/// Changes an object as the cluster has it.
pub(super) fn change(snapshot: &mut Snapshot, kind: &str, change: impl FnOnce(&mut Value)) {
    let wanted = snapshot.objects.iter_mut().find(|wanted| wanted.kind() == kind).unwrap();
    change(wanted.found.as_mut().unwrap().as_mut().unwrap());
}

/// The same installation with certificates of its own making.
pub(super) fn with_own_certificates(mut snapshot: Snapshot) -> Snapshot {
    if !snapshot.own_certificates() {
        let rendered = json!({"kind": "Secret", "metadata": {"name": "countersign-ca"}});
        snapshot.objects.push(Wanted { found: Ok(Some(rendered.clone())), rendered });
    }
    snapshot
}
